/* See page.h. One file with its style inside: it is opened from a folder, perhaps
 * mailed, and needs no server. */
#include "cli/zmstat-chart/page.h"

#include <math.h>

static const char style[] =
    "*{box-sizing:border-box}body{margin:0;font:15px/1.45 system-ui,'DejaVu Sans',sans-serif;color:#24292f;background:#f4f5f7}"
    "header{background:#fff;border-bottom:1px solid #dde1e6;padding:20px 32px}h1{margin:0;font-size:22px;font-weight:650}"
    "header p{margin:4px 0 0;color:#57606a}nav{margin-top:12px;display:flex;gap:8px 20px;flex-wrap:wrap}nav a{color:#0b5cad;text-decoration:none}"
    "nav a:hover{text-decoration:underline}main{padding:8px 32px 40px;max-width:1480px;margin:0 auto}h2{font-size:17px;margin:28px 0 12px}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,640px),1fr));gap:18px}"
    "figure{margin:0;background:#fff;border:1px solid #dde1e6;border-radius:8px;padding:14px 16px 10px;overflow-wrap:anywhere}"
    "figcaption{font-weight:600;margin-bottom:6px}img{display:block;max-width:100%;height:auto;margin:0 auto}"
    "table{border-collapse:collapse;background:#fff;border:1px solid #dde1e6;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:5px 12px;text-align:right;border-bottom:1px solid #eceef0}th{background:#f9fafb;font-weight:600}"
    "th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}.scroll{overflow-x:auto}";

static void add_text(GString *s, const char *text)
{
    g_autofree char *safe = g_markup_escape_text(text, -1);
    g_string_append(s, safe);
}

static char *time_text(gint64 time)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(time);
    return g_date_time_format(when, "%d %b %Y %H:%M");
}

static bool new_category(GPtrArray *drawings, guint i)
{
    const drawing *g = drawings->pdata[i];
    return i == 0 || !g_str_equal(g->chart->category, ((const drawing *) drawings->pdata[i - 1])->chart->category);
}

static void add_head(GString *s, GPtrArray *drawings, const char *title, gint64 start, gint64 end, bool with_summary)
{
    g_autofree char *from = time_text(start), *to = time_text(end);
    g_string_append(s, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
    add_text(s, title);
    g_string_append_printf(s, "</title><style>%s</style></head>\n<body><header><h1>", style);
    add_text(s, title);
    g_string_append_printf(s, "</h1><p>%s to %s</p><nav>", from, to);
    for (guint i = 0; i < drawings->len; i++)
        if (new_category(drawings, i)) {
            g_string_append_printf(s, "<a href=\"#c%u\">", i);
            add_text(s, ((const drawing *) drawings->pdata[i])->chart->category);
            g_string_append(s, "</a>");
        }
    g_string_append(s, with_summary ? "<a href=\"#summary\">Summary</a></nav></header>\n<main>\n" : "</nav></header>\n<main>\n");
}

static void add_figure(GString *s, const drawing *g)
{
    g_string_append_printf(s, "<figure id=\"%s\"><figcaption>", g->chart->outfile);
    add_text(s, g->chart->title);
    g_string_append_printf(s, "</figcaption><img src=\"%s\" width=\"%d\" height=\"%d\" alt=\"", g->file, g->width, g->height);
    add_text(s, g->chart->title);
    g_string_append(s, "\"></figure>\n");
}

/* Three digits and a prefix, as the charts have them. */
static char *number(double v, bool bytes)
{
    static const char *const prefixes[] = { "", " k", " M", " G", " T" };
    double base = bytes ? 1024 : 1000;
    size_t i = 0;
    if (!isfinite(v))
        return g_strdup("–");
    for (; fabs(v) >= base && i + 1 < G_N_ELEMENTS(prefixes); i++)
        v /= base;
    return g_strdup_printf("%.*f%s", v == trunc(v) && i == 0 ? 0 : 1, v, prefixes[i]);
}

static void add_rows(GString *s, const drawing *g)
{
    bool bytes = g_str_has_prefix(g->chart->unit, "bytes");
    for (guint i = 0; i < g->rows->len; i++) {
        const summary *r = &g_array_index(g->rows, summary, i);
        g_autofree char *last = number(r->last, bytes), *average = number(r->average, bytes), *max = number(r->max, bytes);
        g_string_append(s, "<tr><td>");
        add_text(s, i == 0 ? g->chart->title : "");
        g_string_append(s, "</td><td>");
        add_text(s, r->legend);
        g_string_append_printf(s, "</td><td>%s</td><td>%s</td><td>%s</td><td>", last, average, max);
        add_text(s, g->chart->unit);
        g_string_append(s, "</td></tr>\n");
    }
}

char *page_html(GPtrArray *drawings, const char *title, gint64 start, gint64 end, bool with_summary)
{
    GString *s = g_string_sized_new(16 * 1024);
    add_head(s, drawings, title, start, end, with_summary);
    for (guint i = 0; i < drawings->len; i++) {
        const drawing *g = drawings->pdata[i];
        if (new_category(drawings, i)) {
            g_string_append_printf(s, "%s<h2 id=\"c%u\">", i ? "</div>\n" : "", i);
            add_text(s, g->chart->category);
            g_string_append(s, "</h2>\n<div class=\"grid\">\n");
        }
        add_figure(s, g);
    }
    g_string_append(s, drawings->len ? "</div>\n" : "<p>The data have nothing for these charts.</p>\n");
    if (with_summary) {
        g_string_append(s, "<h2 id=\"summary\">Summary</h2>\n<div class=\"scroll\"><table><tr><th>chart</th><th>plot</th>"
                           "<th>last</th><th>average</th><th>max</th><th>unit</th></tr>\n");
        for (guint i = 0; i < drawings->len; i++)
            add_rows(s, drawings->pdata[i]);
        g_string_append(s, "</table></div>\n");
    }
    g_string_append(s, "</main></body></html>\n");
    return g_string_free(s, FALSE);
}

static void add_field(GString *s, double v)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(s, ",%s", isfinite(v) ? g_ascii_formatd(text, sizeof text, "%.3f", v) : "");
}

char *page_summary(GPtrArray *drawings)
{
    GString *s = g_string_new("chart,plot,last,average,max\n");
    for (guint i = 0; i < drawings->len; i++) {
        const drawing *g = drawings->pdata[i];
        for (guint n = 0; n < g->rows->len; n++) {
            const summary *r = &g_array_index(g->rows, summary, n);
            g_auto(GStrv) parts = g_strsplit(r->legend, ",", -1);
            g_autofree char *legend = g_strjoinv(";", parts);
            g_string_append_printf(s, "%s,%s", g->chart->outfile, legend);
            add_field(s, r->last);
            add_field(s, r->average);
            add_field(s, r->max);
            g_string_append_c(s, '\n');
        }
    }
    return g_string_free(s, FALSE);
}
