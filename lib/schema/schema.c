/* Look-up in the generated table. Values are checked in check.c. */
#include "lib/schema/table.h"

#include <errno.h>

G_DEFINE_QUARK(mailstead-schema-error, schema_error)

static int by_attr_name(const void *key, const void *row)
{
    return g_ascii_strcasecmp(key, ((const attr_def *) row)->name);
}

static int by_alias(const void *key, const void *row)
{
    return g_ascii_strcasecmp(key, ((const schema_alias *) row)->alias);
}

const attr_def *schema_attr(const char *name)
{
    const attr_def *a = bsearch(name, schema_table, schema_table_n, sizeof *schema_table, by_attr_name);
    if (a)
        return a;
    const schema_alias *alias =
        bsearch(name, schema_aliases, schema_aliases_n, sizeof *schema_aliases, by_alias);
    return alias ? schema_attr(alias->name) : NULL;
}

const attr_def *schema_attrs(size_t *ret_n)
{
    *ret_n = schema_table_n;
    return schema_table;
}

gint64 schema_duration_ms(const char *value)
{
    static const struct { const char *unit; gint64 ms; } units[] = {
        { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60 * 1000 },
        { "h", 3600 * 1000 }, { "d", 24 * 3600 * 1000 },
    };
    if (!g_ascii_isdigit(*value))
        return -EINVAL;
    char *end;
    errno = 0;
    guint64 n = g_ascii_strtoull(value, &end, 10);
    if (errno != 0)
        return -EINVAL;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_str_equal(end, units[i].unit))
            return n > (guint64) (G_MAXINT64 / units[i].ms) ? -EINVAL : (gint64) n * units[i].ms;
    return -EINVAL;
}
