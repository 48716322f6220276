/* Numbers that other rooms leave as files in the import folder, adopted as they are:
 * the file "mta" has lines "mta:COLUMN VALUE" of running totals, or "mta:COLUMN
 * VALUE gauge". They become mta.csv, mailstead_mta_COLUMN and so on.
 *
 * A file is a regular one of at most 64 KiB and 128 columns; names are letters,
 * digits, '_' and '-'. A file that is anything else is left out whole, and so is
 * one whose name is that of a collector. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/stats/collector.h"
#include "agents/stats/collect/import.h"

enum { FILES_MAX = 16, FILE_MAX = 64 * 1024, COLUMNS_MAX = 128, NAME_MAX_BYTES = 48 };

static bool name_good(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_BYTES && g_ascii_isalpha(*name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

static bool is_collector(const char *name)
{
    for (size_t i = 0; collectors[i]; i++)
        if (g_str_equal(collectors[i]->group->name, name))
            return true;
    return false;
}

typedef struct { char *name; double value; bool gauge; } column;

/* "NAME:COLUMN VALUE" or with "gauge" behind it. */
static bool parse_line(const char *name, const char *line, column *ret)
{
    g_auto(GStrv) f = g_strsplit(line, " ", 4);
    guint n = g_strv_length(f);
    char *colon = n > 0 ? strchr(f[0], ':') : NULL, *end;
    if (n < 2 || n > 3 || !colon || (n == 3 && !g_str_equal(f[2], "gauge")))
        return false;
    *colon = '\0';
    double v = g_ascii_strtod(f[1], &end);
    bool number = end != f[1] && *end == '\0' && isfinite(v) && (n == 3 || v >= 0);
    if (!g_str_equal(f[0], name) || !name_good(colon + 1) || !number)
        return false;
    *ret = (column) { g_strdup(colon + 1), v, n == 3 };
    return true;
}

static void column_clear(void *data)
{
    g_free(((column *) data)->name);
}

static bool has_column(const GArray *columns, const char *name)
{
    for (guint i = 0; i < columns->len; i++)
        if (g_ascii_strcasecmp(g_array_index(columns, column, i).name, name) == 0)
            return true;
    return false;
}

static sample_table *make_table(const char *name, const GArray *columns)
{
    stat_field *fields = g_new0(stat_field, columns->len);
    sample_table *t = sample_table_new_own(fields, columns->len);
    t->own->name = g_string_chunk_insert(t->strings, name);
    t->own->help = "Numbers of another program of the appliance";
    t->own->layout = CSV_WIDE;
    for (guint i = 0; i < columns->len; i++) {
        const column *c = &g_array_index(columns, column, i);
        fields[i] = (stat_field) { g_string_chunk_insert(t->strings, c->name), c->gauge ? FIELD_GAUGE : FIELD_COUNTER, NULL,
                                   "As its program says", NULL };
    }
    sample_row *r = sample_add(t, NULL, NULL);
    for (guint i = 0; i < columns->len; i++)
        sample_put(t, r, i, g_array_index(columns, column, i).value);
    return t;
}

sample_table *import_parse(const char *name, const char *text)
{
    if (!name_good(name) || is_collector(name))
        return NULL;
    g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(column));
    g_array_set_clear_func(columns, column_clear);
    g_auto(GStrv) lines = g_strsplit(text, "\n", COLUMNS_MAX + 8);
    for (size_t i = 0; lines[i]; i++) {
        column c;
        if (!*lines[i] || *lines[i] == '#' || g_str_has_prefix(lines[i], "timestamp "))
            continue;
        if (columns->len >= COLUMNS_MAX || !parse_line(name, lines[i], &c))
            return NULL;
        if (has_column(columns, c.name)) {
            g_free(c.name);
            return NULL;
        }
        g_array_append_val(columns, c);
    }
    return columns->len > 0 ? make_table(name, columns) : NULL;
}

static char *read_bounded(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct stat st;
    char *text = NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
        text = g_malloc0(FILE_MAX + 1);
        ssize_t n = pread(fd, text, FILE_MAX, 0);
        if (n < 0 || strlen(text) != (size_t) n)         /* zero bytes: no text */
            g_clear_pointer(&text, g_free);
    }
    close(fd);
    return text;
}

GPtrArray *import_read(const char *folder)
{
    GPtrArray *tables = g_ptr_array_new_with_free_func((GDestroyNotify) sample_table_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && tables->len < FILES_MAX && (name = g_dir_read_name(dir))) {
        g_autofree char *text = name_good(name) ? read_bounded(folder, name) : NULL;
        sample_table *t = text ? import_parse(name, text) : NULL;
        if (t)
            g_ptr_array_add(tables, t);
    }
    return tables;
}
