/* The jobs of this host: the system's crontabs, and what the site adds or moves.
 *
 * Names of units must not change while an entry stays, because systemd keeps the
 * last run of a timer by its name: a system entry is called after its program or
 * its comment, one of the site after its command. */
#include "lib/cron/cron.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICES(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define EVERY_HOST ((const char *const[]) { NULL })

/* postqueue asks Postfix as group postdrop; reports read the journal. */
static const cron_file files[] = {
    { "crontab", EVERY_HOST, "zimbra", "systemd-journal" },
    { "crontab.ldap", SERVICES("ldap"), "zimbra", NULL },
    { "crontab.store", SERVICES("mailbox"), "zimbra", NULL },
    { "crontab.logger", SERVICES("logger"), "zimbra", "systemd-journal" },
    { "crontab.mta", SERVICES("mta"), "zimbra", "postdrop" },
    { "crontab.amavis", SERVICES("antispam", "antivirus"), "amavis", NULL },
};

const cron_file *cron_files(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(files);
    return files;
}

bool cron_file_applies(const cron_file *file, const char *const *enabled)
{
    for (size_t i = 0; file->services[i]; i++)
        if (g_strv_contains(enabled, file->services[i]))
            return true;
    return file->services[0] == NULL;
}

static void job_free(gpointer data)
{
    cron_job *job = data;
    g_free(job->unit);
    g_free(job->path);
    cron_entry_free(job->entry);
    cron_entry_free(job->moved);
    g_free(job);
}

void cron_schedule_free(cron_schedule *s)
{
    if (!s)
        return;
    g_ptr_array_unref(s->jobs);
    g_ptr_array_unref(s->problems);
    g_free(s);
}

const cron_entry *cron_job_timing(const cron_job *job)
{
    return job->moved ? job->moved : job->entry;
}

bool cron_job_runs(const cron_job *job)
{
    return job->applies && job->installed && cron_job_timing(job)->when.kind != CRON_NEVER;
}

char *cron_command_program(const char *command)
{
    return g_strndup(command, strcspn(command, " \t<>|&;()"));
}

char **cron_command_paths(const char *command)
{
    g_autofree char *shell = cron_command_shell(command);
    g_auto(GStrv) words = g_strsplit_set(shell, " \t", -1);
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    for (size_t i = 1; words[0] && words[i]; i++) {
        const char *before = words[i - 1];
        bool target = g_str_has_suffix(before, ">");
        bool plain = words[i][strspn(words[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-")] == '\0';
        if (!target && plain && g_str_has_prefix(words[i], PREFIX "/"))
            g_ptr_array_add(paths, g_strdup(words[i]));
    }
    g_ptr_array_add(paths, NULL);
    return (char **) g_ptr_array_steal(paths, NULL);
}

static bool is_installed(const cron_entry *e)
{
    g_autofree char *program = cron_command_program(e->command);
    return !g_str_has_prefix(program, PREFIX "/") || g_file_test(program, G_FILE_TEST_IS_EXECUTABLE);
}

/* Small letters, digits and single '-' of TEXT. */
static char *slug(const char *text)
{
    enum { MAX_SLUG = 40 };
    GString *s = g_string_new(NULL);
    for (const char *p = text; *p && s->len < MAX_SLUG; p++) {
        if (g_ascii_isalnum(*p))
            g_string_append_c(s, g_ascii_tolower(*p));
        else if (s->len && s->str[s->len - 1] != '-')
            g_string_append_c(s, '-');
    }
    while (s->len && s->str[s->len - 1] == '-')
        g_string_truncate(s, s->len - 1);
    if (s->len == 0)
        g_string_append(s, "job");
    return g_string_free(s, FALSE);
}

static char *base_name(const cron_job *job)
{
    g_autofree char *program = cron_command_program(job->entry->command);
    g_autofree char *base = g_path_get_basename(program);
    bool by_program = g_path_is_absolute(program) || !job->entry->title;
    g_autofree char *word = slug(by_program ? base : job->entry->title);
    if (!job->file) {
        g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, job->entry->command, -1);
        return g_strdup_printf("zimbra-job-site-%s-%.8s", word, hash);
    }
    const char *suffix = strchr(job->file->name, '.');
    if (by_program || !suffix)
        return g_strconcat("zimbra-job-", word, NULL);
    return g_strdup_printf("zimbra-job-%s-%s", suffix + 1, word);
}

static bool name_taken(const cron_schedule *s, const char *name)
{
    for (guint i = 0; i < s->jobs->len; i++)
        if (g_str_equal(((const cron_job *) s->jobs->pdata[i])->unit, name))
            return true;
    return false;
}

static void add_job(cron_schedule *s, cron_job *job)
{
    g_autofree char *base = base_name(job);
    job->unit = g_strdup(base);
    for (unsigned n = 2; name_taken(s, job->unit); n++) {
        g_free(job->unit);
        job->unit = g_strdup_printf("%s-%u", base, n);
    }
    g_ptr_array_add(s->jobs, job);
}

/* Up to CRON_MAX_BYTES + 1 bytes of a regular file, whatever its owner makes of it
 * meanwhile. Negative errno; -EINVAL when it is no regular file. */
static ssize_t read_file(const char *path, char **ret)
{
    struct stat st;
    size_t len = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    g_autofree char *text = g_malloc(CRON_MAX_BYTES + 1);
    while (len <= CRON_MAX_BYTES && (n = read(fd, text + len, CRON_MAX_BYTES + 1 - len)) > 0)
        len += (size_t) n;
    int saved = errno;
    close(fd);
    if (n < 0)
        return -saved;
    *ret = g_steal_pointer(&text);
    return (ssize_t) len;
}

/* Entries of the file at PATH; caller frees. */
static GPtrArray *read_entries(cron_schedule *s, const char *path)
{
    GPtrArray *entries = g_ptr_array_new();
    g_autofree char *text = NULL;
    ssize_t len = read_file(path, &text);
    if (len >= 0)
        cron_parse(path, text, (size_t) len, entries, s->problems);
    else if (len == -EINVAL)
        g_ptr_array_add(s->problems, g_strdup_printf("%s: is no regular file", path));
    else if (len != -ENOENT)
        g_ptr_array_add(s->problems, g_strdup_printf("%s: cannot be read: %s", path, g_strerror((int) -len)));
    return entries;
}

static void read_system(cron_schedule *s, const char *folder, const char *const *enabled)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i].name, NULL);
        g_autoptr(GPtrArray) entries = read_entries(s, path);
        for (guint n = 0; n < entries->len; n++) {
            cron_job *job = g_new0(cron_job, 1);
            job->path = g_strdup(path);
            job->file = &files[i];
            job->applies = cron_file_applies(&files[i], enabled);
            job->entry = entries->pdata[n];
            job->installed = is_installed(job->entry);
            add_job(s, job);
        }
    }
}

static cron_job *system_job(const cron_schedule *s, const char *command)
{
    for (guint i = 0; i < s->jobs->len; i++) {
        cron_job *job = s->jobs->pdata[i];
        if (job->file && g_str_equal(job->entry->command, command))
            return job;
    }
    return NULL;
}

static void take_site_entry(cron_schedule *s, const char *path, cron_entry *e)
{
    cron_job *moved = system_job(s, e->command);
    if (moved && e->when.kind == CRON_REBOOT) {
        g_ptr_array_add(s->problems, g_strdup_printf("%s:%u: @reboot: an entry of the system can get another time or @never, "
                                                     "but not @reboot", path, e->line));
        cron_entry_free(e);
    } else if (moved) {
        if (moved->moved)
            g_ptr_array_add(s->problems, g_strdup_printf("%s:%u: gives a time to an entry of the system that line %u has given "
                                                         "one; the last counts", path, e->line, moved->moved->line));
        cron_entry_free(moved->moved);
        moved->moved = e;
    } else {
        cron_job *job = g_new0(cron_job, 1);
        job->path = g_strdup(path);
        job->applies = job->installed = true;
        job->entry = e;
        add_job(s, job);
    }
}

/* As cron reads cron.d: names of letters, digits, '_', '-' and '.', no leading dot. */
static bool is_crontab_name(const char *name)
{
    return *name != '.' && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0';
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void read_site(cron_schedule *s, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; dir && (name = g_dir_read_name(dir)) != NULL; ) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (is_crontab_name(name) && !g_file_test(path, G_FILE_TEST_IS_DIR))
            g_ptr_array_add(paths, g_steal_pointer(&path));
    }
    g_ptr_array_sort(paths, by_name);
    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(GPtrArray) entries = read_entries(s, paths->pdata[i]);
        for (guint n = 0; n < entries->len; n++)
            take_site_entry(s, paths->pdata[i], entries->pdata[n]);
    }
}

cron_schedule *cron_schedule_load(const char *system_folder, const char *site_folder, const char *const *enabled)
{
    cron_schedule *s = g_new0(cron_schedule, 1);
    s->jobs = g_ptr_array_new_with_free_func(job_free);
    s->problems = g_ptr_array_new_with_free_func(g_free);
    read_system(s, system_folder, enabled);
    read_site(s, site_folder);
    return s;
}
