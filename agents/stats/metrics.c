/* See metrics.h. Names: mailstead_<group>_<field>[_<unit>]; two groups never share
 * one, and within a group the fields' metric names differ (a unit test holds this). */
#include "agents/stats/metrics.h"

#include <math.h>
#include <string.h>

/* Letters, digits and '_'; lower case, "ActiveAnon" as "active_anon". */
static char *metric_word(const char *s)
{
    GString *w = g_string_new(NULL);
    for (const char *p = s; *p; p++) {
        bool word = g_ascii_isalnum(*p), new_part = g_ascii_isupper(*p) && p > s && g_ascii_islower(p[-1]);
        if (new_part)
            g_string_append_c(w, '_');
        if (word || (w->len && w->str[w->len - 1] != '_'))
            g_string_append_c(w, word ? g_ascii_tolower(*p) : '_');
    }
    while (w->len && w->str[w->len - 1] == '_')
        g_string_truncate(w, w->len - 1);
    return g_string_free(w, FALSE);
}

static char *family_of(const stat_group *g, const stat_field *f)
{
    g_autofree char *group = metric_word(g->name), *field = metric_word(f->metric ? f->metric : f->name);
    g_autofree char *tail = f->unit ? g_strdup_printf("_%s", f->unit) : g_strdup("");
    if (g_str_has_suffix(field, tail) && f->unit)
        *tail = '\0';
    return g_strdup_printf("mailstead_%s_%s%s", group, field, tail);
}

/* Label values: backslash, quote and line end are escaped (OpenMetrics 1.0). */
static void add_escaped(GString *s, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\' || *p == '"')
            g_string_append_c(s, '\\');
        if (*p == '\n')
            g_string_append(s, "\\n");
        else
            g_string_append_c(s, *p);
    }
}

static void add_label(GString *s, const char *name, const char *value, bool first)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_string_append_printf(s, "%s%s=\"", first ? "{" : ",", name);
    add_escaped(s, valid);
    g_string_append_c(s, '"');
}

static void add_sample(GString *s, const char *name, const stat_group *g, const sample_row *r, double v)
{
    g_string_append(s, name);
    if (g->label) {
        add_label(s, g->label, r->label, true);
        if (g->note)
            add_label(s, g->note, r->note, false);
        g_string_append_c(s, '}');
    }
    g_autofree char *text = sample_text(v);
    g_string_append_printf(s, " %s\n", text);
}

static double shown(const stat_field *f, const sample_row *r, size_t i)
{
    return f->kind == FIELD_COUNTER ? r->total[i] : r->value[i];
}

static void add_family(GString *s, const sample_table *t, size_t i)
{
    const stat_field *f = &t->group->fields[i];
    bool counter = f->kind == FIELD_COUNTER, begun = false;
    g_autofree char *family = family_of(t->group, f), *name = g_strconcat(family, counter ? "_total" : "", NULL);
    for (guint n = 0; n < t->rows->len; n++) {
        const sample_row *r = t->rows->pdata[n];
        double v = shown(f, r, i);
        if (isnan(v))
            continue;
        if (!begun) {
            g_string_append_printf(s, "# TYPE %s %s\n", family, counter ? "counter" : "gauge");
            if (f->unit)
                g_string_append_printf(s, "# UNIT %s %s\n", family, f->unit);
            g_string_append_printf(s, "# HELP %s ", family);
            add_escaped(s, f->help);
            g_string_append_c(s, '\n');
        }
        begun = true;
        add_sample(s, name, t->group, r, v);
    }
}

char *metrics_text(GPtrArray *tables)
{
    GString *s = g_string_sized_new(32 * 1024);
    for (guint n = 0; n < tables->len; n++) {
        const sample_table *t = tables->pdata[n];
        for (size_t i = 0; i < t->group->n_fields; i++)
            add_family(s, t, i);
    }
    g_string_append(s, "# EOF\n");
    return g_string_free(s, FALSE);
}

char *sample_file_text(GPtrArray *tables, gint64 time)
{
    GString *s = g_string_sized_new(16 * 1024);
    g_string_append_printf(s, "timestamp %" G_GINT64_FORMAT "\n", time);
    for (guint n = 0; n < tables->len; n++) {
        const sample_table *t = tables->pdata[n];
        const stat_group *g = t->group;
        for (guint k = 0; k < t->rows->len; k++)
            for (size_t i = 0; i < g->n_fields; i++) {
                const sample_row *r = t->rows->pdata[k];
                double v = shown(&g->fields[i], r, i);
                if (isnan(v))
                    continue;
                g_autofree char *text = sample_text(v);
                g_string_append_printf(s, "%s:%s%s%s %s\n", g->name, r->label, *r->label ? (g->separator ? g->separator : ":") : "",
                                       g->fields[i].name, text);
            }
    }
    return g_string_free(s, FALSE);
}
