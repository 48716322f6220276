/* See record.h. */
#include "agents/snmp/record.h"

#include <math.h>

static const double NUMBER_MAX = 9e18;

record *record_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

record *record_ref(record *r)
{
    return g_hash_table_ref(r);
}

void record_unref(record *r)
{
    g_hash_table_unref(r);
}

void record_set(record *r, const char *field, const char *text)
{
    if (text)
        g_hash_table_replace(r, g_strdup(field), g_strdup(text));
}

void record_set_number(record *r, const char *field, gint64 number)
{
    g_hash_table_replace(r, g_strdup(field), g_strdup_printf("%" G_GINT64_FORMAT, number));
}

const char *record_get(const record *r, const char *field)
{
    return g_hash_table_lookup((GHashTable *) r, field);
}

bool record_number(const record *r, const char *field, gint64 *ret)
{
    const char *text = record_get(r, field);
    char *end;
    if (!text || g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, ret, NULL))
        return text != NULL;
    double number = g_ascii_strtod(text, &end);
    if (end == text || *end || !isfinite(number) || fabs(number) > NUMBER_MAX)
        return false;
    *ret = llround(number);
    return true;
}
