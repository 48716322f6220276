/* zmstat-chart: charts of what zmstatd collected (Guide app. A): a page with one
 * picture a question. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/zmstat-chart/page.h"

static char **arg_sources, *arg_folder, *arg_title, *arg_conf, *arg_start, *arg_end, *arg_sum_start, *arg_sum_end, *arg_period, *arg_format;
static gboolean arg_no_summary;
#define STAMP "\"MM/dd/yyyy HH:mm:ss\""
static const GOptionEntry options[] = {
    { "srcdir", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &arg_sources, "Folder with CSV files (or RRD files); may be given again", "FOLDER" },
    { "destdir", 'd', 0, G_OPTION_ARG_FILENAME, &arg_folder, "Folder for the page, made when it is not there", "FOLDER" },
    { "title", 0, 0, G_OPTION_ARG_STRING, &arg_title, "Title of the page (default: the source folder's name)", "TEXT" },
    { "conf", 'c', 0, G_OPTION_ARG_FILENAME, &arg_conf, "Charts to draw (default: " CHARTS_CONFIG " or the built-in ones)", "FILE" },
    { "start-at", 0, 0, G_OPTION_ARG_STRING, &arg_start, "Leave out samples before this time", STAMP },
    { "end-at", 0, 0, G_OPTION_ARG_STRING, &arg_end, "Leave out samples after this time", STAMP },
    { "aggregate-start-at", 0, 0, G_OPTION_ARG_STRING, &arg_sum_start, "Averages and peaks begin at this time", STAMP },
    { "aggregate-end-at", 0, 0, G_OPTION_ARG_STRING, &arg_sum_end, "Averages and peaks end at this time", STAMP },
    { "no-summary", 0, 0, G_OPTION_ARG_NONE, &arg_no_summary, "No table of averages and peaks", NULL },
    { "period", 0, 0, G_OPTION_ARG_STRING, &arg_period, "RRD files: the last 48h, 30d, 60d or 365d (default 48h)", "PERIOD" },
    { "format", 0, 0, G_OPTION_ARG_STRING, &arg_format, "svg (default) or png", "FORMAT" },
    { NULL },
};

static const struct { const char *name; gint64 seconds; } periods[] = {
    { "48h", 48 * 3600 }, { "30d", 30 * 86400 }, { "60d", 60 * 86400 }, { "365d", 365 * 86400 },
};

enum { RRD_SPAN_S = 2 * 366 * 86400 };      /* there is nothing older */

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "zmstat-chart: %s%s%s; see --help\n", what, value ? " " : "", value ? value : "");
    return EX_USAGE;
}

static bool parse_stamp(const char *text, gint64 *ret)
{
    *ret = 0;
    return !text || data_parse_time(text, ret);
}

static bool parse_stamps(canvas *c)
{
    return parse_stamp(arg_start, &c->start) && parse_stamp(arg_end, &c->end) && parse_stamp(arg_sum_start, &c->sum_start) &&
           parse_stamp(arg_sum_end, &c->sum_end);
}

static bool parse_period(gint64 *ret)
{
    for (size_t i = 0; i < G_N_ELEMENTS(periods); i++)
        if (!arg_period || g_str_equal(periods[i].name, arg_period)) {
            *ret = periods[i].seconds;
            return true;
        }
    return false;
}

/* The span that is drawn: what the options say, within what there is. */
static void settle_span(canvas *c, const data *d, gint64 period)
{
    gint64 first, last;
    data_span(d, &first, &last);
    if (data_is_rrd(d)) {
        last = g_get_real_time() / G_USEC_PER_SEC;
        first = last - period;
    }
    if (data_is_rrd(d) && c->start)
        first = MAX(c->start, last - RRD_SPAN_S);
    c->start = MAX(c->start, first);
    c->end = c->end ? MIN(c->end, last) : last;
    if (c->end <= c->start)
        c->end = c->start + 60;
    if (c->sum_start || c->sum_end) {
        c->sum_start = MAX(c->sum_start, c->start);
        c->sum_end = c->sum_end ? MIN(c->sum_end, c->end) : c->end;
    }
}

/* Everything that a chart could want is read, so that all have one span. */
static void read_all(data *d, GPtrArray *charts)
{
    for (guint i = 0; i < charts->len; i++) {
        const chart *ch = charts->pdata[i];
        for (guint n = 0; n < ch->plots->len; n++)
            g_ptr_array_unref(data_labels(d, ((const plot *) ch->plots->pdata[n])->group));
    }
}

static bool write_file(const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(arg_folder, name, NULL);
    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

static bool draw_all(const canvas *c, data *d, GPtrArray *charts, GError **error)
{
    g_autoptr(GPtrArray) drawings = g_ptr_array_new_with_free_func((GDestroyNotify) drawing_free);
    for (guint i = 0; i < charts->len; i++) {
        g_autoptr(GError) own = NULL;
        drawing *g = draw_chart(c, d, charts->pdata[i], &own);
        if (own) {
            g_propagate_error(error, g_steal_pointer(&own));
            return false;
        }
        if (g)
            g_ptr_array_add(drawings, g);
    }
    g_autofree char *name = g_path_get_basename(arg_sources[0]), *sums = page_summary(drawings);
    g_autofree char *html = page_html(drawings, arg_title ? arg_title : name, c->start, c->end, !arg_no_summary);
    return write_file("index.html", html, error) && (arg_no_summary || write_file("summary.csv", sums, error));
}

static void remove_scratch(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        (void) g_unlink(path);          /* ours alone; what stays is in /tmp */
    }
    (void) g_rmdir(folder);
}

static bool work(canvas *c, gint64 period, GError **error)
{
    const char *conf = arg_conf ? arg_conf : g_file_test(CHARTS_CONFIG, G_FILE_TEST_EXISTS) ? CHARTS_CONFIG : CHARTS_TEMPLATE;
    g_autoptr(GPtrArray) charts = charts_load(conf, error);
    if (!charts)
        return false;
    data *d = data_open(arg_sources, c->start, c->end, error);
    if (!d)
        return false;
    if (!data_is_rrd(d))
        read_all(d, charts);
    settle_span(c, d, period);
    g_autofree char *scratch = g_dir_make_tmp("zmstat-chart-XXXXXX", error);
    c->scratch = scratch;
    bool ok = scratch && draw_all(c, d, charts, error);
    if (scratch)
        remove_scratch(scratch);
    data_free(d);
    return ok;
}

static int check_arguments(canvas *c, gint64 *ret_period)
{
    if (!arg_sources)
        return usage_error("--srcdir is needed", NULL);
    if (!arg_folder)
        return usage_error("--destdir is needed", NULL);
    if (!parse_stamps(c))
        return usage_error("a time is written", STAMP);
    if (!parse_period(ret_period))
        return usage_error("--period is 48h, 30d, 60d or 365d, not", arg_period);
    if (arg_format && !g_str_equal(arg_format, "svg") && !g_str_equal(arg_format, "png"))
        return usage_error("--format is svg or png, not", arg_format);
    c->folder = arg_folder;
    c->png = arg_format && g_str_equal(arg_format, "png");
    return EX_OK;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- draw charts of this host's statistics");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return usage_error(error->message, NULL);
    if (argc > 1)
        return usage_error("unexpected argument", argv[1]);
    canvas c = { 0 };
    gint64 period = 0;
    int r = check_arguments(&c, &period);
    if (r != EX_OK)
        return r;
    if (g_mkdir_with_parents(arg_folder, 0755) < 0) {
        fprintf(stderr, "zmstat-chart: %s cannot be made: %s\n", arg_folder, g_strerror(errno));
        return EX_CANTCREAT;
    }
    if (work(&c, period, &error))
        return EX_OK;
    fprintf(stderr, "zmstat-chart: %s\n", error->message);
    return EX_DATAERR;
}
