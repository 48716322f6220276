/* See conditions.h. In the state file: group "conditions", one numbered key a
 * condition, "level hold last key"; the key stands last because it may have blanks. */
#include "agents/alerts/conditions.h"

#include <stdio.h>
#include <string.h>

#define GROUP "conditions"

typedef struct {
    int level;
    unsigned hold_s;
    gint64 last_s;
} condition;

struct conditions {
    GHashTable *table;          /* char * -> condition */
};

conditions *conditions_new(void)
{
    conditions *c = g_new0(conditions, 1);
    c->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return c;
}

void conditions_free(conditions *c)
{
    if (!c)
        return;
    g_hash_table_unref(c->table);
    g_free(c);
}

int conditions_level(const conditions *c, const char *key)
{
    const condition *found = g_hash_table_lookup(c->table, key);
    return found ? found->level : 0;
}

char **conditions_keys(const conditions *c, const char *prefix)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    GHashTableIter i;
    gpointer key;
    for (g_hash_table_iter_init(&i, c->table); g_hash_table_iter_next(&i, &key, NULL); )
        if (g_str_has_prefix(key, prefix))
            g_ptr_array_add(keys, g_strdup(key));
    g_ptr_array_add(keys, NULL);
    return (char **) g_ptr_array_steal(keys, NULL);
}

guint conditions_count(const conditions *c, const char *prefix)
{
    g_auto(GStrv) keys = conditions_keys(c, prefix);
    return g_strv_length(keys);
}

bool conditions_take(conditions *c, const char *key, int level, unsigned hold_s, gint64 now_s)
{
    condition *found = g_hash_table_lookup(c->table, key);
    if (level == 0)
        return g_hash_table_remove(c->table, key);
    if (!found) {
        if (g_hash_table_size(c->table) >= CONDITIONS_MAX)
            return true;
        found = g_new0(condition, 1);
        g_hash_table_insert(c->table, g_strdup(key), found);
    }
    bool news = found->level != level;
    *found = (condition) { .level = level, .hold_s = hold_s, .last_s = now_s };
    return news;
}

static gboolean is_over(gpointer key, gpointer value, gpointer data)
{
    const condition *c = value;
    const gint64 *now = data;
    return c->hold_s > 0 && *now - c->last_s >= (gint64) c->hold_s;
}

bool conditions_expire(conditions *c, gint64 now_s)
{
    return g_hash_table_foreach_remove(c->table, is_over, &now_s) > 0;
}

void conditions_save(const conditions *c, GKeyFile *to)
{
    GHashTableIter i;
    gpointer key, value;
    unsigned n = 0;
    for (g_hash_table_iter_init(&i, c->table); g_hash_table_iter_next(&i, &key, &value); ) {
        const condition *x = value;
        g_autofree char *name = g_strdup_printf("%u", n++);
        g_autofree char *text = g_strdup_printf("%d %u %" G_GINT64_FORMAT " %s", x->level, x->hold_s, x->last_s, (char *) key);
        g_key_file_set_string(to, GROUP, name, text);
    }
}

void conditions_load(conditions *c, GKeyFile *from)
{
    g_auto(GStrv) names = g_key_file_get_keys(from, GROUP, NULL, NULL);
    for (size_t n = 0; names && names[n]; n++) {
        g_autofree char *text = g_key_file_get_string(from, GROUP, names[n], NULL);
        g_auto(GStrv) parts = g_strsplit(text ? text : "", " ", 4);
        guint64 level, hold;
        gint64 last;
        if (g_strv_length(parts) == 4 && g_ascii_string_to_unsigned(parts[0], 10, 1, 100, &level, NULL) &&
            g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT, &hold, NULL) &&
            g_ascii_string_to_signed(parts[2], 10, 0, G_MAXINT64, &last, NULL))
            (void) conditions_take(c, parts[3], (int) level, (unsigned) hold, last);
    }
}
