/* Counters of logins: see limit.h. A key's span starts at its first login; when
 * there are too many keys those whose span is over go, and if none is the new key
 * is let through uncounted rather than everybody refused. */
#include "agents/route/limit.h"

#define KEYS_MAX 100000

struct limit {
    unsigned max;
    gint64 span_usec;
    GHashTable *keys;   /* key -> counter */
};

typedef struct { gint64 since_usec; unsigned count; } counter;

limit *limit_new(unsigned max, unsigned span_sec)
{
    limit *l = g_new0(limit, 1);
    *l = (limit) { .max = max, .span_usec = (gint64) span_sec * G_USEC_PER_SEC,
                   .keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    return l;
}

void limit_free(limit *l)
{
    if (!l)
        return;
    g_hash_table_unref(l->keys);
    g_free(l);
}

static void forget_old(limit *l, gint64 now_usec)
{
    GHashTableIter i;
    gpointer c;
    g_hash_table_iter_init(&i, l->keys);
    while (g_hash_table_iter_next(&i, NULL, &c))
        if (now_usec - ((counter *) c)->since_usec >= l->span_usec)
            g_hash_table_iter_remove(&i);
}

bool limit_take(limit *l, const char *key, gint64 now_usec)
{
    if (l->max == 0)
        return true;
    counter *c = g_hash_table_lookup(l->keys, key);
    if (!c) {
        if (g_hash_table_size(l->keys) >= KEYS_MAX)
            forget_old(l, now_usec);
        if (g_hash_table_size(l->keys) >= KEYS_MAX)
            return true;
        c = g_new0(counter, 1);
        c->since_usec = now_usec;
        g_hash_table_insert(l->keys, g_strdup(key), c);
    } else if (now_usec - c->since_usec >= l->span_usec) {
        *c = (counter) { .since_usec = now_usec };
    }
    return c->count < l->max ? (c->count++, true) : false;
}
