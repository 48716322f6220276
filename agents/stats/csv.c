/* Text of the CSV files and their way: see csv.h. Compression is archive.c's. */
#include "agents/stats/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "agents/stats/archive.h"

struct csv {
    char *folder;
    unsigned retention_days;
    GHashTable *headers;        /* group -> header that its file has last */
};

/* ---- text ---- */

static void add_row_header(GString *s, const stat_group *g, const sample_row *r)
{
    if (g->names_row)
        g_string_append_printf(s, ",%s", r->label);
    for (size_t i = 0; i < g->n_fields; i++)
        g_string_append_printf(s, ",%s%s%s", r->label, *r->label && g->separator ? g->separator : "", g->fields[i].name);
}

char *csv_header(const sample_table *t)
{
    const stat_group *g = t->group;
    GString *s = g_string_new("timestamp");
    if (g->layout == CSV_LONG) {
        g_string_append_printf(s, ",%s", g->label);
        if (g->note)
            g_string_append_printf(s, ",%s", g->note);
        for (size_t i = 0; i < g->n_fields; i++)
            g_string_append_printf(s, ",%s", g->fields[i].name);
    } else {
        for (guint n = 0; n < t->rows->len; n++)
            add_row_header(s, g, t->rows->pdata[n]);
    }
    g_string_append_c(s, '\n');
    return g_string_free(s, FALSE);
}

static void add_values(GString *s, const stat_group *g, const sample_row *r)
{
    for (size_t i = 0; i < g->n_fields; i++) {
        g_autofree char *text = sample_text(r->value[i]);
        g_string_append_printf(s, ",%s", text);
    }
}

char *csv_lines(const sample_table *t)
{
    const stat_group *g = t->group;
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(t->time);
    g_autofree char *stamp = g_date_time_format(when, "%m/%d/%Y %H:%M:%S");
    GString *s = g_string_new(NULL);
    for (guint n = 0; n < t->rows->len; n++) {
        const sample_row *r = t->rows->pdata[n];
        if (g->layout == CSV_LONG || n == 0)
            g_string_append(s, stamp);
        if (g->layout == CSV_LONG)
            g_string_append_printf(s, ",%s", r->label);
        if (g->layout == CSV_LONG && g->note)
            g_string_append_printf(s, ",%s", r->note);
        if (g->layout == CSV_WIDE && g->names_row)
            g_string_append_printf(s, ",%s", r->label);
        add_values(s, g, r);
        if (g->layout == CSV_LONG || n + 1 == t->rows->len)
            g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

/* ---- files ---- */

csv *csv_new(const char *folder, unsigned retention_days)
{
    csv *c = g_new0(csv, 1);
    *c = (csv) { .folder = g_strdup(folder), .retention_days = retention_days,
                 .headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    return c;
}

void csv_free(csv *c)
{
    if (!c)
        return;
    g_hash_table_unref(c->headers);
    g_free(c->folder);
    g_free(c);
}

static char *day_of(gint64 time)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(time);
    return g_date_time_format(when, "%Y-%m-%d");
}

/* The day of the file's last line, or NULL: there is none. */
static char *day_of_file(const char *path)
{
    GStatBuf st;
    return g_stat(path, &st) == 0 && st.st_size > 0 ? day_of(st.st_mtime) : NULL;
}

static bool archive(const csv *c, const char *path, const char *day, GError **error)
{
    g_autofree char *folder = g_build_filename(c->folder, day, NULL), *name = g_path_get_basename(path);
    g_autofree char *to = g_strdup_printf("%s/%s.gz", folder, name);
    return archive_move(path, folder, to, error);
}

static bool append(const char *path, const char *header, const char *lines, GError **error)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    g_autofree char *text = g_strconcat(header, lines, NULL);
    off_t before = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;
    int e = n < 0 ? errno : ENOSPC;
    bool whole = n == (ssize_t) strlen(text);
    if (!whole && before >= 0 && ftruncate(fd, before) < 0)
        e = errno;              /* half a line stays; the next write tells again */
    if (fd >= 0)
        close(fd);
    if (!whole)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "%s cannot be written: %s", path, g_strerror(e));
    return whole;
}

static bool knows_something(const sample_table *t)
{
    for (guint n = 0; n < t->rows->len; n++)
        for (size_t i = 0; i < t->group->n_fields; i++)
            if (!isnan(((const sample_row *) t->rows->pdata[n])->value[i]))
                return true;
    return false;
}

bool csv_write(csv *c, const sample_table *t, GError **error)
{
    if (!knows_something(t))        /* the first sample of what is measured between two */
        return true;
    g_autofree char *path = g_strdup_printf("%s/%s.csv", c->folder, t->group->name);
    g_autofree char *last = day_of_file(path), *today = day_of(t->time);
    if (last && !g_str_equal(last, today)) {
        g_hash_table_remove(c->headers, t->group->name);
        if (!archive(c, path, last, error))
            return false;
        g_clear_pointer(&last, g_free);
    }
    g_autofree char *header = csv_header(t), *lines = csv_lines(t);
    const char *had = last ? g_hash_table_lookup(c->headers, t->group->name) : NULL;
    if (!append(path, had && g_str_equal(had, header) ? "" : header, lines, error))
        return false;
    g_hash_table_insert(c->headers, g_strdup(t->group->name), g_steal_pointer(&header));
    return true;
}

bool csv_rotate(csv *c, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(c->folder, 0, error);
    const char *name;
    bool ok = dir != NULL;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(c->folder, name, NULL);
        g_autofree char *day = g_str_has_suffix(name, ".csv") ? day_of_file(path) : NULL;
        if (day && !archive(c, path, day, ok ? error : NULL))
            ok = false;
    }
    g_hash_table_remove_all(c->headers);
    return ok;
}

/* ---- retention ---- */

static void remove_day(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_str_has_suffix(name, ".csv.gz"))
            (void) g_unlink(file);      /* tried again tomorrow */
    }
    (void) g_rmdir(path);               /* stays when an administrator keeps something there */
}

void csv_expire(const csv *c, gint64 now)
{
    if (c->retention_days == 0)
        return;
    g_autofree char *oldest = day_of(now - (gint64) c->retention_days * 86400);
    g_autoptr(GDir) dir = g_dir_open(c->folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        bool is_day = strlen(name) == 10 && name[4] == '-' && name[7] == '-' && strspn(name, "0123456789-") == 10;
        g_autofree char *path = g_build_filename(c->folder, name, NULL);
        if (is_day && strcmp(name, oldest) < 0 && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_day(path);
    }
}
