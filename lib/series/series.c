/* See series.h. */
#include "lib/series/series.h"

#include <string.h>

enum { SOURCE_MAX = 19, HASH_DIGITS = 6, MINUTE = 60, HOUR = 3600, DAY = 86400, ROWS_MAX = 6000 };

char *series_file(const char *group, const char *label)
{
    GString *s = g_string_new(group);
    if (label && *label)
        g_string_append_c(s, '-');
    for (const char *p = label ? label : ""; *p; p++) {
        if (g_ascii_isalnum(*p) || *p == '_' || *p == '.')
            g_string_append_c(s, *p);
        else
            g_string_append_printf(s, "%%%02X", (unsigned char) *p);
    }
    g_string_append(s, ".rrd");
    return g_string_free(s, FALSE);
}

bool series_parse_file(const char *file, const char *group, char **ret_label)
{
    size_t len = strlen(group);
    if (!g_str_has_prefix(file, group) || !g_str_has_suffix(file, ".rrd"))
        return false;
    g_autofree char *rest = g_strndup(file + len, strlen(file) - len - strlen(".rrd"));
    if (*rest && *rest != '-')
        return false;
    /* A '-' in a label is written %2D: this one begins a label, not another group. */
    if (*rest && strchr(rest + 1, '-'))
        return false;
    char *label = g_uri_unescape_string(*rest ? rest + 1 : "", NULL);
    if (!label)
        return false;
    *ret_label = label;
    return true;
}

char *series_source(const char *field)
{
    GString *s = g_string_new(NULL);
    for (const char *p = field; *p; p++)
        g_string_append_c(s, g_ascii_isalnum(*p) ? *p : '_');
    bool same = strcmp(s->str, field) == 0;
    if (s->len > SOURCE_MAX || !same) {
        g_string_truncate(s, MIN(s->len, (gsize) (SOURCE_MAX - HASH_DIGITS - 1)));
        g_string_append_printf(s, "_%06x", g_str_hash(field) & 0xffffff);
    }
    return g_string_free(s, FALSE);
}

static void add(GStrvBuilder *b, const char *cf, unsigned step_s, unsigned each_s, unsigned span_s)
{
    unsigned steps = MAX(1, each_s / step_s);
    g_autofree char *text = g_strdup_printf("RRA:%s:0.5:%u:%u", cf, steps,
                                            MIN(span_s / (steps * step_s) + 1, (unsigned) ROWS_MAX));    /* a short interval must not fill the disk */
    g_strv_builder_add(b, text);
}

char **series_archives(unsigned step_s)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    add(b, "AVERAGE", step_s, step_s, 2 * DAY);
    for (int i = 0; i < 2; i++) {
        const char *cf = i == 0 ? "AVERAGE" : "MAX";
        add(b, cf, step_s, 15 * MINUTE, 31 * DAY);
        add(b, cf, step_s, 6 * HOUR, 366 * DAY);
    }
    return g_strv_builder_end(b);
}
