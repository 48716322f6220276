/* Reading and writing of chart configurations: see charts.h. */
#include "cli/zmstat-chart/charts.h"

#include <string.h>

enum { CHARTS_MAX = 200, PLOTS_MAX = 32 };

static void plot_free(void *data)
{
    plot *p = data;
    g_free(p->group);
    g_free(p->label);
    g_free(p->field);
    g_free(p->legend);
    g_free(p);
}

static void chart_free(void *data)
{
    chart *c = data;
    g_free(c->title);
    g_free(c->category);
    g_free(c->unit);
    g_free(c->outfile);
    g_free(c->service);
    g_ptr_array_unref(c->plots);
    g_free(c);
}

/* ---- reading ---- */

static const char *attribute(const char **names, const char **values, const char *name)
{
    for (size_t i = 0; names[i]; i++)
        if (g_str_equal(names[i], name))
            return values[i];
    return "";
}

static bool is_word(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(s);
}

static bool fault(GError **error, const char *what)
{
    g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "%s", what);
    return false;
}

static bool number_of(const char *text, double fallback, double *ret)
{
    char *end;
    *ret = *text ? g_ascii_strtod(text, &end) : fallback;
    return !*text || (*end == '\0' && *ret > 0 && *ret < 1e15);
}

static bool begin_chart(GPtrArray *charts, const char **names, const char **values, GError **error)
{
    chart *c = g_new0(chart, 1);
    *c = (chart) { .title = g_strdup(attribute(names, values, "title")), .category = g_strdup(attribute(names, values, "category")),
                   .unit = g_strdup(attribute(names, values, "yAxis")), .outfile = g_strdup(attribute(names, values, "outfile")),
                   .service = g_strdup(attribute(names, values, "service")),
                   .stacked = g_str_equal(attribute(names, values, "stacked"), "true"),
                   .plots = g_ptr_array_new_with_free_func(plot_free) };
    g_ptr_array_add(charts, c);
    if (g_str_has_suffix(c->outfile, ".png") || g_str_has_suffix(c->outfile, ".svg"))
        c->outfile[strlen(c->outfile) - 4] = '\0';
    if (!is_word(c->outfile))
        return fault(error, "a chart needs outfile= of letters, digits, '_' and '-'");
    return (*c->title && charts->len <= CHARTS_MAX) || fault(error, "a chart needs a title, and there can be 200 of them");
}

static bool add_plot(chart *c, const char **names, const char **values, GError **error)
{
    plot *p = g_new0(plot, 1);
    const char *infile = attribute(names, values, "infile");
    *p = (plot) { .group = g_str_has_suffix(infile, ".csv") ? g_strndup(infile, strlen(infile) - 4) : g_strdup(infile),
                  .label = g_strdup(attribute(names, values, "label")), .field = g_strdup(attribute(names, values, "data")),
                  .legend = g_strdup(attribute(names, values, "legend")) };
    g_ptr_array_add(c->plots, p);
    if (!number_of(attribute(names, values, "factor"), 1, &p->factor) || !number_of(attribute(names, values, "per"), 0, &p->per_s))
        return fault(error, "factor= and per= of a plot are positive numbers");
    if (!is_word(p->group) || !*p->field || c->plots->len > PLOTS_MAX)
        return fault(error, "a plot needs infile= (a CSV file's name) and data= (a column), and a chart has 32 of them at most");
    return true;
}

static void on_start(GMarkupParseContext *x, const char *element, const char **names, const char **values, void *data, GError **error)
{
    GPtrArray *charts = data;
    if (g_str_equal(element, "chart"))
        (void) begin_chart(charts, names, values, error);
    else if (g_str_equal(element, "plot") && charts->len > 0)
        (void) add_plot(charts->pdata[charts->len - 1], names, values, error);
    else if (!g_str_equal(element, "charts"))
        g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_UNKNOWN_ELEMENT, "<%s> is not known here", element);
}

GPtrArray *charts_load(const char *path, GError **error)
{
    static const GMarkupParser parser = { .start_element = on_start };
    g_autofree char *text = NULL;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, error))
        return NULL;
    g_autoptr(GPtrArray) charts = g_ptr_array_new_with_free_func(chart_free);
    GMarkupParseContext *x = g_markup_parse_context_new(&parser, G_MARKUP_PREFIX_ERROR_POSITION, charts, NULL);
    bool ok = g_markup_parse_context_parse(x, text, (gssize) len, error) && g_markup_parse_context_end_parse(x, error);
    g_markup_parse_context_free(x);
    if (!ok)
        g_prefix_error(error, "%s: ", path);
    return ok ? g_steal_pointer(&charts) : NULL;
}

/* ---- writing ---- */

static void add_attribute(GString *s, const char *name, const char *value)
{
    g_autofree char *escaped = g_markup_escape_text(value, -1);
    if (*value)
        g_string_append_printf(s, " %s=\"%s\"", name, escaped);
}

static void add_number(GString *s, const char *name, double value, double fallback)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (value != fallback)
        add_attribute(s, name, g_ascii_dtostr(text, sizeof text, value));
}

static void format_chart(GString *s, const chart *c)
{
    g_string_append(s, "  <chart");
    add_attribute(s, "title", c->title);
    add_attribute(s, "category", c->category);
    add_attribute(s, "yAxis", c->unit);
    add_attribute(s, "service", c->service);
    add_attribute(s, "stacked", c->stacked ? "true" : "");
    add_attribute(s, "outfile", c->outfile);
    g_string_append(s, ">\n");
    for (guint i = 0; i < c->plots->len; i++) {
        const plot *p = c->plots->pdata[i];
        g_string_append(s, "    <plot");
        add_attribute(s, "infile", p->group);
        add_attribute(s, "label", p->label);
        add_attribute(s, "data", p->field);
        add_attribute(s, "legend", p->legend);
        add_number(s, "factor", p->factor, 1);
        add_number(s, "per", p->per_s, 0);
        g_string_append(s, "/>\n");
    }
    g_string_append(s, "  </chart>\n");
}

char *charts_format(GPtrArray *charts)
{
    GString *s = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<charts>\n");
    for (guint i = 0; i < charts->len; i++)
        format_chart(s, charts->pdata[i]);
    g_string_append(s, "</charts>\n");
    return g_string_free(s, FALSE);
}
