/* Generations on disk: create, seal, flip, compare, prune. Each change of the
 * disk is one step() that a test can fail or be killed at. */
#include "configd/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(mailstead-generation-error-quark, generation_error)

/* Servers wait until a file is this old before they trust that it is complete
 * (Postfix re-reads a main.cf younger than two seconds). Ours are complete. */
#define FILE_AGE_S 10

rendering *rendering_new(const plan_folder *folder)
{
    rendering *r = g_new0(rendering, 1);
    r->folder = folder;
    r->texts = g_ptr_array_new_with_free_func(g_free);
    return r;
}

void rendering_free(rendering *r)
{
    if (!r)
        return;
    g_ptr_array_unref(r->texts);
    g_free(r);
}

static bool failed(GError **error, const char *what, const char *path)
{
    int code = errno;
    g_set_error(error, GENERATION_ERROR, code, "%s %s: %s", what, path, g_strerror(code));
    return false;
}

static bool step(const generation_store *s, const char *name)
{
    int e = s->inject ? s->inject(name, s->inject_data) : 0;
    if (e)
        errno = e;
    return !e;
}

static char *folder_root(const generation_store *s, const char *folder)
{
    return g_strdup_printf("%s/%s.d", s->l->conf, folder);
}

char *generation_path(const generation_store *s, const char *folder, int n)
{
    return g_strdup_printf("%s/%s.d/%d", s->l->conf, folder, n);
}

static bool flush_path(const generation_store *s, const char *path, GError **error)
{
    int fd = step(s, "fsync") ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool ok = fd >= 0 && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return ok || failed(error, "flush", path);
}

static bool flush_parent(const generation_store *s, const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    return flush_path(s, parent, error);
}

/* ---- numbers ---- */

static int parse_number(const char *text)
{
    guint64 n;
    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT, &n, NULL) ? (int) n : -1;
}

int generation_live(const generation_store *s, const char *folder)
{
    g_autofree char *link = g_build_filename(s->l->conf, folder, NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_autofree char *prefix = g_strconcat(folder, ".d/", NULL);
    if (!target || !g_str_has_prefix(target, prefix))
        return -1;
    return parse_number(target + strlen(prefix));
}

/* Numbers of FOLDER's generations, unsorted. */
static GArray *numbers(const generation_store *s, const char *folder)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(int));
    g_autofree char *root = folder_root(s, folder);
    g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        int n = parse_number(name);
        if (n > 0)
            g_array_append_val(all, n);
    }
    return all;
}

int generation_highest(const generation_store *s, const plan *p)
{
    int highest = 0;
    for (guint i = 0; i < p->folders->len; i++) {
        const plan_folder *f = p->folders->pdata[i];
        g_autoptr(GArray) all = numbers(s, f->name);
        for (guint j = 0; j < all->len; j++)
            highest = MAX(highest, g_array_index(all, int, j));
    }
    return highest;
}

int generation_at(const generation_store *s, const char *folder, int n)
{
    g_autoptr(GArray) all = numbers(s, folder);
    int best = -1;
    for (guint i = 0; i < all->len; i++) {
        int candidate = g_array_index(all, int, i);
        if (candidate <= n)
            best = MAX(best, candidate);
    }
    return best;
}

bool generation_exists(const generation_store *s, const char *folder, int n)
{
    g_autofree char *path = generation_path(s, folder, n);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* ---- owners ---- */

static bool find_ids(const char *owner, const char *group, uid_t *uid, gid_t *gid, GError **error)
{
    struct passwd pwd, *p = NULL;
    struct group grp, *g = NULL;
    char buffer[4096];

    if (getpwnam_r(owner, &pwd, buffer, sizeof buffer, &p) || !p) {
        g_set_error(error, GENERATION_ERROR, ENOENT, "user %s of the actions table does not exist", owner);
        return false;
    }
    *uid = p->pw_uid;
    if (getgrnam_r(group, &grp, buffer, sizeof buffer, &g) || !g) {
        g_set_error(error, GENERATION_ERROR, ENOENT, "group %s of the actions table does not exist", group);
        return false;
    }
    *gid = g->gr_gid;
    return true;
}

static bool give_away(const generation_store *s, int fd, const char *path, const char *owner, const char *group, mode_t mode, GError **error)
{
    uid_t uid;
    gid_t gid;
    if (!s->keep_owner) {
        if (!find_ids(owner, group, &uid, &gid, error))
            return false;
        if (!step(s, "chown") || fchown(fd, uid, gid) < 0)
            return failed(error, "change the owner of", path);
    }
    if (!step(s, "chmod") || fchmod(fd, mode) < 0)
        return failed(error, "change the mode of", path);
    return true;
}

/* ---- comparing ---- */

static bool same_file(const generation_store *s, const char *path, const plan_file *f, const char *text)
{
    struct stat st;
    g_autofree char *old = NULL;
    gsize len;
    uid_t uid;
    gid_t gid;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != f->mode)
        return false;
    if (!s->keep_owner && (!find_ids(f->owner, f->group, &uid, &gid, NULL) || st.st_uid != uid || st.st_gid != gid))
        return false;
    return g_file_get_contents(path, &old, &len, NULL) && len == strlen(text) && !memcmp(old, text, len);
}

GPtrArray *generation_compare(const generation_store *s, const rendering *r, int n)
{
    GPtrArray *changed = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *root = generation_path(s, r->folder->name, n);
    for (guint i = 0; i < r->folder->files->len; i++) {
        const plan_file *f = r->folder->files->pdata[i];
        g_autofree char *path = g_build_filename(root, f->name, NULL);
        if (n < 0 || !same_file(s, path, f, r->texts->pdata[i]))
            g_ptr_array_add(changed, g_strdup(f->name));
    }
    return changed;
}

/* ---- writing ---- */

static bool make_folder(const generation_store *s, const plan_folder *folder, const char *path, GError **error)
{
    if (!step(s, "mkdir") || (mkdir(path, 0700) < 0 && errno != EEXIST))
        return failed(error, "create", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(error, "open", path);
    bool ok = give_away(s, fd, path, folder->owner, folder->group, folder->mode, error);
    close(fd);
    return ok;
}

static bool write_all(const generation_store *s, int fd, const char *text)
{
    for (size_t left = strlen(text); left;) {
        ssize_t n = step(s, "write") ? write(fd, text, left) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        left -= n;
    }
    return true;
}

static bool write_file(const generation_store *s, const plan_file *f, const char *path, const char *text, GError **error)
{
    int fd = step(s, "create") ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return failed(error, "create", path);
    bool ok = give_away(s, fd, path, f->owner, f->group, f->mode, error);
    if (ok && !write_all(s, fd, text))
        ok = failed(error, "write", path);
    struct timespec age = { .tv_sec = g_get_real_time() / G_USEC_PER_SEC - FILE_AGE_S };
    if (ok && futimens(fd, (struct timespec[2]) { age, age }) < 0)
        ok = failed(error, "set the time of", path);
    if (close(fd) < 0 && ok)
        ok = failed(error, "close", path);
    return ok;
}

/* The folders between ROOT and FILE. */
static bool make_parents(const generation_store *s, const plan_folder *folder, const char *root, const char *file, GError **error)
{
    for (const char *slash = strchr(file, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *path = g_strdup_printf("%s/%.*s", root, (int) (slash - file), file);
        if (!make_folder(s, folder, path, error))
            return false;
    }
    return true;
}

/* F of generation BEFORE, when it holds TEXT, becomes PATH too: same inode, same times. */
static bool take_over(const generation_store *s, const rendering *r, const plan_file *f, const char *text, int before, const char *path)
{
    if (before < 0)
        return false;
    g_autofree char *root = generation_path(s, r->folder->name, before), *old = g_build_filename(root, f->name, NULL);
    return same_file(s, old, f, text) && step(s, "link") && link(old, path) == 0;
}

static bool fill(const generation_store *s, const rendering *r, int before, const char *root, GError **error)
{
    for (guint i = 0; i < r->folder->files->len; i++) {
        const plan_file *f = r->folder->files->pdata[i];
        const char *text = r->texts->pdata[i];
        g_autofree char *path = g_build_filename(root, f->name, NULL);
        if (!make_parents(s, r->folder, root, f->name, error) ||
            (!take_over(s, r, f, text, before, path) && !write_file(s, f, path, text, error)))
            return false;
    }
    return true;
}

bool generation_create(const generation_store *s, const rendering *r, int before, int n, GError **error)
{
    g_autofree char *parent = folder_root(s, r->folder->name), *root = generation_path(s, r->folder->name, n);

    if (!step(s, "mkdir") || (mkdir(parent, 0755) < 0 && errno != EEXIST) || chmod(parent, 0755) < 0)
        return failed(error, "create", parent);
    if (g_file_test(root, G_FILE_TEST_EXISTS)) {
        g_set_error(error, GENERATION_ERROR, EEXIST, "generation %s exists", root);
        return false;
    }
    if (make_folder(s, r->folder, root, error) && fill(s, r, before, root, error))
        return true;
    (void) generation_remove(s, r->folder->name, n, NULL);   /* room for others; else pruned later */
    return false;
}

static bool flush_tree(const generation_store *s, const char *path, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    if (!dir)
        return false;
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        struct stat st;
        if (lstat(child, &st) < 0)
            return failed(error, "look at", child);
        if (S_ISDIR(st.st_mode) ? !flush_tree(s, child, error) : S_ISREG(st.st_mode) && !flush_path(s, child, error))
            return false;
    }
    return flush_path(s, path, error);
}

bool generation_seal(const generation_store *s, const plan_folder *folder, int n, GError **error)
{
    g_autofree char *root = generation_path(s, folder->name, n), *parent = folder_root(s, folder->name);
    return flush_tree(s, root, error) && flush_path(s, parent, error) && flush_path(s, s->l->conf, error);
}

/* ---- links ---- */

/* PATH becomes a link to TARGET, whatever link was there. */
static bool turn_link(const generation_store *s, const char *path, const char *target, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    (void) unlink(temporary);   /* left by an interrupted run; if it cannot go, symlink says so */
    if (!step(s, "symlink") || symlink(target, temporary) < 0)
        return failed(error, "create the link", temporary);
    if (!step(s, "rename") || rename(temporary, path) < 0) {
        failed(error, "turn the link", path);
        (void) unlink(temporary);
        return false;
    }
    return flush_parent(s, path, error);
}

bool generation_flip(const generation_store *s, const char *folder, int n, GError **error)
{
    g_autofree char *link = g_build_filename(s->l->conf, folder, NULL);
    if (n >= 0) {
        g_autofree char *target = g_strdup_printf("%s.d/%d", folder, n);
        return turn_link(s, link, target, error);
    }
    if (!step(s, "unlink") || (unlink(link) < 0 && errno != ENOENT))
        return failed(error, "remove", link);
    return flush_parent(s, link, error);
}

/* The way from PREFIX/PATH to conf/FOLDER/FILE as a relative link. */
static char *link_target(const plan_link *link, const char *folder)
{
    g_auto(GStrv) parts = g_strsplit(link->path, "/", -1);
    guint up = g_strv_length(parts) - 1;
    bool in_conf = up > 0 && g_str_equal(parts[0], "conf");
    GString *target = g_string_new(NULL);

    for (guint i = in_conf ? 1 : 0; i < up; i++)
        g_string_append(target, "../");
    if (!in_conf)
        g_string_append(target, "conf/");
    g_string_append(target, folder);
    if (!g_str_equal(link->file, "."))
        g_string_append_printf(target, "/%s", link->file);
    return g_string_free(target, FALSE);
}

static bool set_guide_link(const generation_store *s, const plan_folder *folder, const plan_link *link, GError **error)
{
    g_autofree char *path = g_build_filename(s->l->prefix, link->path, NULL);
    g_autofree char *target = link_target(link, folder->name), *parent = g_path_get_dirname(path);
    g_autofree char *old = g_file_read_link(path, NULL);

    if (old && g_str_equal(old, target))
        return true;
    if (!old && g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_autofree char *aside = g_strconcat(path, ".replaced", NULL);
        if (!step(s, "rename") || rename(path, aside) < 0)
            return failed(error, "move aside", path);
    }
    if (!g_file_test(parent, G_FILE_TEST_IS_DIR) && (g_mkdir_with_parents(parent, 0755) < 0 || chmod(parent, 0755) < 0))
        return failed(error, "create", parent);
    return turn_link(s, path, target, error);
}

bool generation_link(const generation_store *s, const plan_folder *folder, GError **error)
{
    for (guint i = 0; i < folder->links->len; i++)
        if (!set_guide_link(s, folder, folder->links->pdata[i], error))
            return false;
    return true;
}

/* ---- removing ---- */

static bool remove_tree(const generation_store *s, const char *path, GError **error)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT || failed(error, "look at", path);
    if (!S_ISDIR(st.st_mode))
        return (step(s, "unlink") && unlink(path) == 0) || failed(error, "remove", path);
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    if (!dir)
        return false;
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (!remove_tree(s, child, error))
            return false;
    }
    return (step(s, "rmdir") && rmdir(path) == 0) || failed(error, "remove", path);
}

bool generation_remove(const generation_store *s, const char *folder, int n, GError **error)
{
    g_autofree char *path = generation_path(s, folder, n);
    return remove_tree(s, path, error);
}

void generation_prune(const generation_store *s, const char *folder, bool (*keep)(int n, void *data), void *data)
{
    g_autoptr(GArray) all = numbers(s, folder);
    int live = generation_live(s, folder);
    for (guint i = 0; i < all->len; i++) {
        int n = g_array_index(all, int, i);
        if (n != live && !keep(n, data))
            (void) generation_remove(s, folder, n, NULL);   /* tried again next time */
    }
}

/* ---- state files ---- */

bool generation_write_state(const generation_store *s, const char *path, const char *text, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    int fd = step(s, "create") ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return failed(error, "create", temporary);
    bool ok = write_all(s, fd, text) || failed(error, "write", temporary);
    if (ok && (!step(s, "fsync") || fsync(fd) < 0))
        ok = failed(error, "flush", temporary);
    close(fd);
    if (ok && (!step(s, "rename") || rename(temporary, path) < 0))
        ok = failed(error, "rename", temporary);
    if (!ok) {
        (void) unlink(temporary);
        return false;
    }
    return flush_parent(s, path, error);
}
