/* See draw.h. A column of a CSV file becomes an RRD file of its own in the scratch
 * folder, so that both kinds of source are drawn in one way: averages as lines or
 * stacked areas, peaks as thin lines beside them, the axis from 0, and a legend with
 * the last, the average and the largest value. */
#include "cli/zmstat-chart/draw.h"

#include <math.h>
#include <rrd.h>
#include <string.h>

#include "lib/series/series.h"

enum { WIDTH = 560, HEIGHT = 170, LEGEND_MIN = 14, LEGEND_MAX = 34, SERIES_MAX = 24, PEAKS_MAX = 4, STEPS_LOOKED_AT = 400 };

/* Told apart by people who do not see red and green, too (after Okabe and Ito). */
static const char *const colours[] = { "0072B2", "E69F00", "009E73", "CC79A7", "56B4E9", "D55E00", "7F7F7F", "8C6BB1",
                                       "B2912F", "1B9E77", "4D4D4D", "A6761D" };

typedef struct { char *legend, *file, *source; double factor; } series;

static void series_clear(void *p)
{
    series *s = p;
    g_free(s->legend);
    g_free(s->file);
    g_free(s->source);
}

static bool fail(GError **error, const char *what)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", what, rrd_get_error());
    rrd_clear_error();
    return false;
}

/* ---- CSV columns ---- */

static int by_size(const void *a, const void *b)
{
    const gint64 *p = a, *q = b;
    return *p < *q ? -1 : *p > *q;
}

/* The usual distance of two points. */
static unsigned step_of(const GArray *points)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 1; i < points->len && i < STEPS_LOOKED_AT; i++) {
        gint64 step = g_array_index(points, point, i).time - g_array_index(points, point, i - 1).time;
        g_array_append_val(steps, step);
    }
    g_array_sort(steps, by_size);
    return steps->len > 0 ? (unsigned) CLAMP(g_array_index(steps, gint64, steps->len / 2), 1, 86400) : 30;
}

static bool fill(const char *path, const GArray *points, unsigned step, GError **error)
{
    gint64 first = g_array_index(points, point, 0).time, last = g_array_index(points, point, points->len - 1).time;
    gint64 rows = (last - first) / step + 2;
    g_autofree char *ds = g_strdup_printf("DS:v:GAUGE:%u:U:U", step * 3);
    g_autofree char *average = g_strdup_printf("RRA:AVERAGE:0.5:1:%" G_GINT64_FORMAT, rows);
    g_autofree char *peak = g_strdup_printf("RRA:MAX:0.5:1:%" G_GINT64_FORMAT, rows);
    const char *args[] = { ds, average, peak };
    if (rrd_create_r(path, step, first - step, G_N_ELEMENTS(args), args) != 0)
        return fail(error, path);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < points->len; i++) {
        const point *p = &g_array_index(points, point, i);
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_ptr_array_add(values, g_strdup_printf("%" G_GINT64_FORMAT ":%s", p->time, g_ascii_dtostr(text, sizeof text, p->value)));
    }
    return rrd_update_r(path, NULL, (int) values->len, (const char **) values->pdata) == 0 || fail(error, path);
}

static bool from_csv(const canvas *c, data *d, const plot *p, const char *label, series *ret, GError **error)
{
    static unsigned number;
    const GArray *points = data_points(d, p->group, label, p->field);
    if (!points)
        return false;
    unsigned step = step_of(points);
    g_autofree char *path = g_strdup_printf("%s/%u.rrd", c->scratch, number++);
    if (!fill(path, points, step, error))
        return false;
    *ret = (series) { .file = g_steal_pointer(&path), .source = g_strdup("v"), .factor = p->factor * (p->per_s > 0 ? p->per_s / step : 1) };
    return true;
}

/* ---- RRD files ---- */

static bool has_source(const char *path, const char *source)
{
    g_autofree char *key = g_strdup_printf("ds[%s].index", source);
    rrd_info_t *info = rrd_info_r(path);
    bool found = false;
    for (const rrd_info_t *i = info; i; i = i->next)
        found = found || g_str_equal(i->key, key);
    if (info)
        rrd_info_free(info);
    rrd_clear_error();
    return found;
}

static bool from_rrd(data *d, const plot *p, const char *label, series *ret)
{
    g_autofree char *path = data_rrd_file(d, p->group, label), *source = series_source(p->field);
    if (!path || !has_source(path, source))
        return false;
    *ret = (series) { .file = g_steal_pointer(&path), .source = g_steal_pointer(&source), .factor = p->factor * (p->per_s > 0 ? p->per_s : 1) };
    return true;
}

/* ---- what belongs to a chart ---- */

static bool add_series(const canvas *c, data *d, const plot *p, const char *label, GArray *all, GError **error)
{
    series s;
    g_autoptr(GError) own = NULL;
    bool found = data_is_rrd(d) ? from_rrd(d, p, label, &s) : from_csv(c, d, p, label, &s, &own);
    if (own) {
        g_propagate_error(error, g_steal_pointer(&own));
        return false;
    }
    if (!found || all->len >= SERIES_MAX) {
        if (found)
            series_clear(&s);
        return true;
    }
    s.legend = *p->legend ? g_strdup(p->legend) : g_strdup(*label ? label : p->field);
    g_array_append_val(all, s);
    return true;
}

static GArray *series_of(const canvas *c, data *d, const chart *ch, GError **error)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(series));
    g_array_set_clear_func(all, series_clear);
    for (guint i = 0; i < ch->plots->len; i++) {
        const plot *p = ch->plots->pdata[i];
        if (!g_str_equal(p->label, "*")) {
            if (!add_series(c, d, p, p->label, all, error))
                return NULL;
            continue;
        }
        g_autoptr(GPtrArray) labels = data_labels(d, p->group);
        for (guint n = 0; n < labels->len; n++)
            if (!add_series(c, d, p, labels->pdata[n], all, error))
                return NULL;
    }
    return g_steal_pointer(&all);
}

/* ---- arguments of rrdgraph(1) ---- */

static void add(GPtrArray *args, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GPtrArray *args, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_ptr_array_add(args, g_strdup_vprintf(format, ap));
    va_end(ap);
}

static char *escaped(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    return g_strjoinv("\\:", parts);
}

static void add_definitions(GPtrArray *args, const series *s, guint i)
{
    g_autofree char *file = escaped(s->file);
    char factor[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(factor, sizeof factor, s->factor);
    add(args, "DEF:a%u=%s:%s:AVERAGE", i, file, s->source);
    add(args, "DEF:m%u=%s:%s:MAX", i, file, s->source);
    add(args, "CDEF:v%u=a%u,%s,*", i, i, factor);
    add(args, "CDEF:x%u=m%u,%s,*", i, i, factor);
    add(args, "VDEF:last%u=v%u,LAST", i, i);
    add(args, "VDEF:average%u=v%u,AVERAGE", i, i);
    add(args, "VDEF:max%u=x%u,MAXIMUM", i, i);
}

static void add_prints(GPtrArray *args, guint n)
{
    for (guint i = 0; i < n; i++) {
        add(args, "PRINT:last%u:%%.6le", i);
        add(args, "PRINT:average%u:%%.6le", i);
        add(args, "PRINT:max%u:%%.6le", i);
    }
}

static void add_lines(GPtrArray *args, const chart *ch, const GArray *all, unsigned width)
{
    bool bytes = g_str_has_prefix(ch->unit, "bytes");
    add(args, "COMMENT:%*s      last   average       max\\l", (int) width + 3, "");
    for (guint i = 0; i < all->len; i++) {
        const char *colour = colours[i % G_N_ELEMENTS(colours)];
        g_autofree char *name = g_utf8_substring(g_array_index(all, series, i).legend, 0, MIN(LEGEND_MAX, g_utf8_strlen(g_array_index(all, series, i).legend, -1)));
        g_autofree char *padded = g_strdup_printf("%-*s", (int) width, name), *legend = escaped(padded);
        if (!ch->stacked && all->len == 1)
            add(args, "AREA:v%u#%s40", i, colour);
        if (ch->stacked)
            add(args, "AREA:v%u#%sD0:%s%s", i, colour, legend, i > 0 ? ":STACK" : "");
        else
            add(args, "LINE1.6:v%u#%s:%s", i, colour, legend);
        if (!ch->stacked && all->len <= PEAKS_MAX)
            add(args, "LINE0.6:x%u#%s90", i, colour);
        add(args, bytes ? "GPRINT:last%u:%%8.1lf%%s" : "GPRINT:last%u:%%9.1lf", i);
        add(args, bytes ? "GPRINT:average%u:%%8.1lf%%s" : "GPRINT:average%u:%%9.1lf", i);
        add(args, bytes ? "GPRINT:max%u:%%8.1lf%%s\\l" : "GPRINT:max%u:%%9.1lf\\l", i);
    }
}

static void add_looks(GPtrArray *args, const canvas *c, const chart *ch)
{
    static const char *const looks[] = {
        "--lower-limit", "0", "--slope-mode", "--border", "0", "--disable-rrdtool-tag",
        "--color", "BACK#FFFFFF", "--color", "CANVAS#FFFFFF", "--color", "FONT#3A3F45", "--color", "AXIS#9AA0A6", "--color", "ARROW#FFFFFF00",
        "--color", "GRID#ECEEF0", "--color", "MGRID#DCDFE3", "--color", "FRAME#FFFFFF00",
        "--font", "DEFAULT:8:DejaVu Sans", "--font", "AXIS:7.5:DejaVu Sans", "--font", "UNIT:7.5:DejaVu Sans", "--font", "LEGEND:8:DejaVu Sans Mono",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(looks); i++)
        g_ptr_array_add(args, g_strdup(looks[i]));
    add(args, "--width=%d", WIDTH);
    add(args, "--height=%d", HEIGHT);
    add(args, "--imgformat=%s", c->png ? "PNG" : "SVG");
    add(args, "--vertical-label=%s", ch->unit);
    if (g_str_has_prefix(ch->unit, "bytes"))
        add(args, "--base=1024");
}

/* ---- drawing ---- */

static unsigned legend_width(const GArray *all)
{
    glong width = LEGEND_MIN;
    for (guint i = 0; i < all->len; i++)
        width = MAX(width, g_utf8_strlen(g_array_index(all, series, i).legend, -1));
    return (unsigned) MIN(width, LEGEND_MAX);
}

static void take_info(drawing *g, const rrd_info_t *info, const GArray *all, bool sizes)
{
    for (guint i = 0; i < all->len && g->rows->len < all->len; i++) {
        summary row = { g_strdup(g_array_index(all, series, i).legend), NAN, NAN, NAN };
        g_array_append_val(g->rows, row);
    }
    for (; info; info = info->next) {
        unsigned n;
        if (sizes && g_str_equal(info->key, "image_width"))
            g->width = (int) info->value.u_cnt;
        else if (sizes && g_str_equal(info->key, "image_height"))
            g->height = (int) info->value.u_cnt;
        else if (sscanf(info->key, "print[%u]", &n) == 1 && n / 3 < g->rows->len && info->type == RD_I_STR) {
            summary *row = &g_array_index(g->rows, summary, n / 3);
            double v = g_ascii_strtod(info->value.u_str, NULL);
            *(n % 3 == 0 ? &row->last : n % 3 == 1 ? &row->average : &row->max) = v;
        }
    }
}

static bool run(GPtrArray *args, drawing *g, const GArray *all, bool sizes, GError **error)
{
    rrd_info_t *info = rrd_graph_v((int) args->len, (char **) args->pdata);
    if (!info)
        return fail(error, g->chart->title);
    take_info(g, info, all, sizes);
    rrd_info_free(info);
    return true;
}

static GPtrArray *begin_args(const char *file, gint64 start, gint64 end)
{
    GPtrArray *args = g_ptr_array_new_with_free_func(g_free);
    add(args, "graphv");
    add(args, "%s", file);
    add(args, "--start=%" G_GINT64_FORMAT, start);
    add(args, "--end=%" G_GINT64_FORMAT, end);
    return args;
}

static bool draw(const canvas *c, drawing *g, const GArray *all, GError **error)
{
    g_autofree char *path = g_build_filename(c->folder, g->file, NULL);
    bool other = c->sum_end > c->sum_start;
    g_autoptr(GPtrArray) args = begin_args(path, c->start, c->end);
    add_looks(args, c, g->chart);
    for (guint i = 0; i < all->len; i++)
        add_definitions(args, &g_array_index(all, series, i), i);
    if (!other)
        add_prints(args, all->len);
    add_lines(args, g->chart, all, legend_width(all));
    if (!run(args, g, all, true, error))
        return false;
    if (!other)
        return true;
    g_autoptr(GPtrArray) sums = begin_args("-", c->sum_start, c->sum_end);
    for (guint i = 0; i < all->len; i++)
        add_definitions(sums, &g_array_index(all, series, i), i);
    add_prints(sums, all->len);
    return run(sums, g, all, false, error);
}

drawing *draw_chart(const canvas *c, data *d, const chart *ch, GError **error)
{
    g_autoptr(GArray) all = series_of(c, d, ch, error);
    if (!all || all->len == 0)
        return NULL;
    drawing *g = g_new0(drawing, 1);
    g->chart = ch;
    g->file = g_strdup_printf("%s.%s", ch->outfile, c->png ? "png" : "svg");
    g->rows = g_array_new(FALSE, TRUE, sizeof(summary));
    if (!draw(c, g, all, error))
        g_clear_pointer(&g, drawing_free);
    return g;
}

void drawing_free(drawing *g)
{
    if (!g)
        return;
    for (guint i = 0; i < g->rows->len; i++)
        g_free(g_array_index(g->rows, summary, i).legend);
    g_array_unref(g->rows);
    g_free(g->file);
    g_free(g);
}
