/* Reading of what zmstatd wrote: see data.h. A CSV file may have header lines in its
 * midst (its columns changed, or two halves of a day were joined); a line that does
 * not fit its header is passed over. */
#include "cli/zmstat-chart/data.h"

#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/series/series.h"

struct data {
    char **sources;
    bool rrd;
    gint64 start, end, first, last;
    GHashTable *read;           /* groups */
    GHashTable *columns;        /* group TAB label TAB field -> GArray of point */
};

/* ---- time ---- */

bool data_parse_time(const char *text, gint64 *ret)
{
    int month, day, year, hour, minute, second, n = 0;
    if (sscanf(text, "%2d/%2d/%4d %2d:%2d:%2d%n", &month, &day, &year, &hour, &minute, &second, &n) != 6 || text[n])
        return false;
    g_autoptr(GDateTime) when = g_date_time_new_local(year, month, day, hour, minute, second);
    if (when)
        *ret = g_date_time_to_unix(when);
    return when != NULL;
}

/* ---- one file ---- */

/* How a header's columns are to be understood. */
typedef struct { char **names; bool is_long; guint first; } header;

static const struct { const char *group, *separator; } separators[] = { { "proc", "-" } };

static const char *separator_of(const char *group)
{
    for (size_t i = 0; i < G_N_ELEMENTS(separators); i++)
        if (g_str_equal(separators[i].group, group))
            return separators[i].separator;
    return ":";
}

static void take_header(header *h, const char *line)
{
    static const char *const labels[] = { "path", "command", NULL };
    g_strfreev(h->names);
    h->names = g_strsplit(line, ",", -1);
    h->is_long = h->names[0] && h->names[1] && g_strv_contains(labels, h->names[1]);
    h->first = !h->is_long ? 1 : h->names[2] && g_str_equal(h->names[2], "disk") ? 3 : 2;
}

static GArray *column_of(data *d, const char *group, const char *label, const char *field)
{
    char *key = g_strdup_printf("%s\t%s\t%s", group, label, field);
    GArray *column = g_hash_table_lookup(d->columns, key);
    if (column) {
        g_free(key);
        return column;
    }
    column = g_array_new(FALSE, FALSE, sizeof(point));
    g_hash_table_insert(d->columns, key, column);
    return column;
}

static void add_point(data *d, const char *group, const char *label, const char *field, gint64 time, const char *text)
{
    char *end;
    double v = g_ascii_strtod(text, &end);
    if (end == text || *end || !isfinite(v))
        return;
    point p = { time, v };
    g_array_append_val(column_of(d, group, label, field), p);
}

/* "cpu0:user" -> cpu0, user; names without a separator have no label. */
static void add_wide(data *d, const char *group, const char *name, gint64 time, const char *text)
{
    const char *separator = separator_of(group), *at = strstr(name, separator);
    g_autofree char *label = at ? g_strndup(name, (gsize) (at - name)) : g_strdup("");
    add_point(d, group, label, at ? at + strlen(separator) : name, time, text);
}

static void take_line(data *d, const char *group, const header *h, const char *line)
{
    g_auto(GStrv) f = g_strsplit(line, ",", -1);
    gint64 time;
    if (!h->names || g_strv_length(f) != g_strv_length(h->names) || !data_parse_time(f[0], &time))
        return;
    if ((d->start && time < d->start) || (d->end && time > d->end))
        return;
    d->first = d->first ? MIN(d->first, time) : time;
    d->last = MAX(d->last, time);
    for (guint i = h->first; f[i]; i++) {
        if (h->is_long)
            add_point(d, group, f[1], h->names[i], time, f[i]);
        else
            add_wide(d, group, h->names[i], time, f[i]);
    }
}

static bool read_file(data *d, const char *group, const char *path)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GInputStream) raw = G_INPUT_STREAM(g_file_read(file, NULL, NULL));
    if (!raw)
        return false;
    g_autoptr(GConverter) unzip = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    g_autoptr(GInputStream) in = g_str_has_suffix(path, ".gz") ? g_converter_input_stream_new(raw, unzip) : g_object_ref(raw);
    g_autoptr(GDataInputStream) lines = g_data_input_stream_new(in);
    header h = { 0 };
    char *line;
    while ((line = g_data_input_stream_read_line(lines, NULL, NULL, NULL))) {
        if (g_str_has_prefix(line, "timestamp"))
            take_header(&h, line);
        else
            take_line(d, group, &h, line);
        g_free(line);
    }
    g_strfreev(h.names);
    return true;
}

static int by_time(const void *a, const void *b)
{
    const point *p = a, *q = b;
    return p->time < q->time ? -1 : p->time > q->time;
}

/* Folders may come in any order, and a clock that was set back writes a time twice. */
static void settle_columns(data *d, const char *group)
{
    g_autofree char *prefix = g_strdup_printf("%s\t", group);
    GHashTableIter i;
    gpointer key, value;
    for (g_hash_table_iter_init(&i, d->columns); g_hash_table_iter_next(&i, &key, &value); ) {
        GArray *column = value;
        guint kept = 0;
        if (!g_str_has_prefix(key, prefix))
            continue;
        g_array_sort(column, by_time);
        for (guint n = 0; n < column->len; n++)
            if (kept == 0 || g_array_index(column, point, n).time > g_array_index(column, point, kept - 1).time)
                g_array_index(column, point, kept++) = g_array_index(column, point, n);
        g_array_set_size(column, kept);
    }
}

static void read_group(data *d, const char *group)
{
    static const char *const endings[] = { ".csv.gz", ".csv" };
    if (!g_hash_table_add(d->read, g_strdup(group)))
        return;
    for (size_t s = 0; d->sources[s]; s++)
        for (size_t e = 0; e < G_N_ELEMENTS(endings); e++) {
            g_autofree char *path = g_strdup_printf("%s/%s%s", d->sources[s], group, endings[e]);
            (void) read_file(d, group, path);     /* a group that a host does not have */
        }
    settle_columns(d, group);
}

/* ---- all ---- */

static bool has_ending(const char *folder, const char *ending, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ending))
            return true;
    return false;
}

data *data_open(char **sources, gint64 start, gint64 end, GError **error)
{
    bool csv = false, rrd = false;
    for (size_t i = 0; sources[i]; i++) {
        g_autoptr(GError) own = NULL;
        csv = has_ending(sources[i], ".csv", &own) || has_ending(sources[i], ".csv.gz", NULL) || csv;
        rrd = has_ending(sources[i], ".rrd", NULL) || rrd;
        if (own) {
            g_propagate_error(error, g_steal_pointer(&own));
            return NULL;
        }
    }
    if (!csv && !rrd) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: there are no *.csv, *.csv.gz or *.rrd files", sources[0]);
        return NULL;
    }
    data *d = g_new0(data, 1);
    *d = (data) { .sources = g_strdupv(sources), .rrd = rrd && !csv, .start = start, .end = end,
                  .read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                  .columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref) };
    return d;
}

void data_free(data *d)
{
    if (!d)
        return;
    g_hash_table_unref(d->read);
    g_hash_table_unref(d->columns);
    g_strfreev(d->sources);
    g_free(d);
}

bool data_is_rrd(const data *d)
{
    return d->rrd;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void add_label(GPtrArray *labels, const char *label)
{
    for (guint i = 0; i < labels->len; i++)
        if (g_str_equal(labels->pdata[i], label))
            return;
    g_ptr_array_add(labels, g_strdup(label));
}

static void rrd_labels(const data *d, const char *group, GPtrArray *labels)
{
    for (size_t s = 0; d->sources[s]; s++) {
        g_autoptr(GDir) dir = g_dir_open(d->sources[s], 0, NULL);
        const char *name;
        while (dir && (name = g_dir_read_name(dir))) {
            g_autofree char *label = NULL;
            if (series_parse_file(name, group, &label))
                add_label(labels, label);
        }
    }
}

GPtrArray *data_labels(data *d, const char *group)
{
    GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);
    if (d->rrd) {
        rrd_labels(d, group, labels);
    } else {
        read_group(d, group);
        GHashTableIter i;
        gpointer key;
        for (g_hash_table_iter_init(&i, d->columns); g_hash_table_iter_next(&i, &key, NULL); ) {
            g_auto(GStrv) parts = g_strsplit(key, "\t", 3);
            if (g_str_equal(parts[0], group))
                add_label(labels, parts[1]);
        }
    }
    g_ptr_array_sort(labels, by_text);
    return labels;
}

const GArray *data_points(data *d, const char *group, const char *label, const char *field)
{
    g_autofree char *key = g_strdup_printf("%s\t%s\t%s", group, label, field);
    read_group(d, group);
    const GArray *column = g_hash_table_lookup(d->columns, key);
    return column && column->len > 0 ? column : NULL;
}

char *data_rrd_file(const data *d, const char *group, const char *label)
{
    g_autofree char *name = series_file(group, label);
    for (size_t s = 0; d->sources[s]; s++) {
        char *path = g_build_filename(d->sources[s], name, NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return path;
        g_free(path);
    }
    return NULL;
}

void data_span(const data *d, gint64 *ret_start, gint64 *ret_end)
{
    *ret_start = d->first;
    *ret_end = d->last;
}
