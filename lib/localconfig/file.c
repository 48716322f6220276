/* localconfig.xml, as the guide's system has it:
 *
 *   <?xml version="1.0" encoding="UTF-8"?>
 *   <localconfig>
 *     <key name="ldap_host">
 *       <value>mail.example.com</value>
 *     </key>
 *   </localconfig>
 *
 * Reading is strict: another element, a key without name or a second value is
 * an error with its line. GMarkup knows no DTD entities and reads no other
 * file. Writing replaces the file by rename, so that a reader sees the old or
 * the new one whole, and a power cut leaves one of them. */
#include "lib/localconfig/file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/localconfig/localconfig.h"

#define OWNER "zimbra"

enum place { OUTSIDE, IN_CONFIG, IN_KEY, IN_VALUE };

struct reader {
    enum place place;
    char *key;
    GString *text;
    bool have_value;
    GHashTable *values;
};

static const char *const element_of[] = { [OUTSIDE] = "localconfig", [IN_CONFIG] = "key", [IN_KEY] = "value" };

static void element_start(GMarkupParseContext *context, const char *element, const char **names,
                          const char **values, void *data, GError **error)
{
    struct reader *r = data;
    if (r->place == IN_VALUE || !g_str_equal(element, element_of[r->place])) {
        g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_UNKNOWN_ELEMENT, "unexpected element <%.60s>", element);
        return;
    }
    if (r->place == IN_CONFIG) {
        const char *name = NULL;
        if (!g_markup_collect_attributes(element, names, values, error, G_MARKUP_COLLECT_STRING, "name", &name,
                                         G_MARKUP_COLLECT_INVALID))
            return;
        if (!localconfig_valid_key(name)) {
            g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "\"%.60s\" is not a name of a key",
                        name);
            return;
        }
        r->key = g_strdup(name);
        r->have_value = false;
        g_string_truncate(r->text, 0);
    } else if (r->place == IN_KEY && r->have_value) {
        g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "second value of key %s", r->key);
        return;
    }
    r->place++;
}

static void element_end(GMarkupParseContext *context, const char *element, void *data, GError **error)
{
    struct reader *r = data;
    if (r->place == IN_VALUE) {
        r->have_value = true;
    } else if (r->place == IN_KEY) {
        if (r->have_value)
            g_hash_table_insert(r->values, g_strdup(r->key), g_strdup(r->text->str));
        g_clear_pointer(&r->key, g_free);
    }
    r->place--;
}

static void element_text(GMarkupParseContext *context, const char *text, gsize len, void *data, GError **error)
{
    struct reader *r = data;
    if (r->place == IN_VALUE) {
        g_string_append_len(r->text, text, (gssize) len);
        return;
    }
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isspace(text[i])) {
            g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "text outside a <value>");
            return;
        }
}

bool localconfig_parse(const char *path, const char *text, size_t len, GHashTable *values, GError **error)
{
    static const GMarkupParser parser = { .start_element = element_start,
                                          .end_element = element_end,
                                          .text = element_text };
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    struct reader r = { .text = g_string_new(NULL), .values = found };
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT | G_MARKUP_PREFIX_ERROR_POSITION, &r, NULL);
    g_autoptr(GError) reason = NULL;
    bool ok = g_markup_parse_context_parse(context, text, (gssize) len, &reason) &&
              g_markup_parse_context_end_parse(context, &reason);
    g_string_free(r.text, TRUE);
    g_free(r.key);
    if (!ok) {
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_SYNTAX, "%s is damaged: %s", path, reason->message);
        return false;
    }
    GHashTableIter i;
    gpointer key, value;
    g_hash_table_iter_init(&i, found);
    while (g_hash_table_iter_next(&i, &key, &value))
        g_hash_table_insert(values, g_strdup(key), g_strdup(value));
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

char *localconfig_format(GHashTable *values)
{
    GString *s = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<localconfig>\n");
    guint n = 0;
    g_autofree char **keys = (char **) g_hash_table_get_keys_as_array(values, &n);
    qsort(keys, n, sizeof *keys, by_name);
    for (guint i = 0; i < n; i++) {
        g_autofree char *element = g_markup_printf_escaped("  <key name=\"%s\">\n    <value>%s</value>\n  </key>\n",
                                                           keys[i], (char *) g_hash_table_lookup(values, keys[i]));
        g_string_append(s, element);
    }
    g_string_append(s, "</localconfig>\n");
    return g_string_free(s, FALSE);
}

static bool system_error(GError **error, int code, const char *what, const char *path)
{
    g_set_error(error, LOCALCONFIG_ERROR, code, "cannot %s %s: %s", what, path, g_strerror(errno));
    return false;
}

bool localconfig_read(const char *path, GHashTable *values, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || system_error(error, LOCALCONFIG_ERROR_READ, "read", path);
    g_autofree char *text = g_malloc(LOCALCONFIG_FILE_MAX + 1);
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, text + len, LOCALCONFIG_FILE_MAX + 1 - len)) > 0)
        len += (size_t) n;
    int failed = n < 0 ? errno : 0;
    (void) close(fd); /* only read from */
    if (failed) {
        errno = failed;
        return system_error(error, LOCALCONFIG_ERROR_READ, "read", path);
    }
    if (len > LOCALCONFIG_FILE_MAX) {
        g_set_error(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_READ, "%s is larger than %d bytes", path,
                    LOCALCONFIG_FILE_MAX);
        return false;
    }
    return len == 0 || localconfig_parse(path, text, len, values, error);
}

/* Owner and mode of the file that NEW_FD replaces. Without the right to give a
 * file away (tests, another login) the writer stays its owner. */
static bool keep_owner(const char *path, int new_fd)
{
    struct stat st;
    mode_t mode = 0640;
    uid_t uid = (uid_t) -1;
    gid_t gid = (gid_t) -1;
    if (stat(path, &st) == 0) {
        mode = st.st_mode & 07777;
        uid = st.st_uid;
        gid = st.st_gid;
    } else if (geteuid() == 0) {
        const struct passwd *pw = getpwnam(OWNER);
        if (pw) {
            uid = pw->pw_uid;
            gid = pw->pw_gid;
        }
    }
    if (fchown(new_fd, uid, gid) < 0 && errno != EPERM)
        return false;
    return fchmod(new_fd, mode) == 0;
}

static bool write_whole(int fd, const char *text)
{
    for (size_t len = strlen(text); len > 0; ) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t) n;
    }
    return fsync(fd) == 0;
}

bool localconfig_write(const char *path, const char *text, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *candidate = g_strdup_printf("%s/.localconfig.xml.XXXXXX", folder);
    int fd = g_mkstemp_full(candidate, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return system_error(error, LOCALCONFIG_ERROR_WRITE, "write in", folder);
    bool ok = keep_owner(path, fd) && write_whole(fd, text);
    ok = close(fd) == 0 && ok;
    ok = ok && rename(candidate, path) == 0;
    if (!ok) {
        system_error(error, LOCALCONFIG_ERROR_WRITE, "write", path);
        (void) unlink(candidate); /* the error is reported already */
        return false;
    }
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fsync(dir) < 0)
        ok = system_error(error, LOCALCONFIG_ERROR_WRITE, "flush", folder);
    if (dir >= 0)
        (void) close(dir); /* only flushed */
    return ok;
}
