/* See describe.h. */
#include "agents/stats/describe.h"

#include "agents/stats/collector.h"

static void add_lead(GString *s, const stat_group *g)
{
    g_string_append_printf(s, "## %s.csv\n\n%s. ", g->name, g->help);
    if (g->layout == CSV_LONG)
        g_string_append_printf(s, "One line for each %s; columns `timestamp`, `%s`%s%s%s and:", g->label, g->label,
                               g->note ? ", `" : "", g->note ? g->note : "", g->note ? "`" : "");
    else if (g->label)
        g_string_append_printf(s, "For each %s columns `%s%sNAME`%s:", g->label, g->label, g->separator,
                               g->names_row ? ", after one with its name" : "");
    else
        g_string_append(s, "Columns:");
    g_string_append(s, "\n\n| column | unit | meaning |\n| --- | --- | --- |\n");
}

char *describe_collectors(void)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; collectors[i]; i++) {
        const stat_group *g = collectors[i]->group;
        add_lead(s, g);
        for (size_t n = 0; n < g->n_fields; n++) {
            const stat_field *f = &g->fields[n];
            const char *unit = f->unit ? f->unit : "", *growth_word = f->kind == FIELD_COUNTER ? "growth" : "";
            g_string_append_printf(s, "| `%s` | %s%s%s | %s |\n", f->name, unit, *unit && *growth_word ? ", " : "", growth_word, f->help);
        }
        g_string_append(s, collectors[i + 1] ? "\n" : "");
    }
    return g_string_free(s, FALSE);
}
