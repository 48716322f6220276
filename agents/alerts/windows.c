/* See windows.h. One queue of failures in order of time; each holds its three
 * keys, and a table a kind counts how many failures in the queue have a key. */
#include "agents/alerts/windows.h"

typedef struct {
    gint64 usec;
    char *keys[WINDOW_TOTAL];   /* of the first three kinds */
} failure;

struct windows {
    gint64 length_usec, latest_usec;
    GQueue queue;
    GHashTable *counts[WINDOW_TOTAL];   /* char * -> GUINT_TO_POINTER */
};

windows *windows_new(gint64 window_usec)
{
    windows *w = g_new0(windows, 1);
    w->length_usec = window_usec;
    g_queue_init(&w->queue);
    for (int k = 0; k < WINDOW_TOTAL; k++)
        w->counts[k] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return w;
}

static void change_count(GHashTable *counts, const char *key, int by)
{
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + (guint) by;
    if (n == 0)
        g_hash_table_remove(counts, key);
    else
        g_hash_table_insert(counts, g_strdup(key), GUINT_TO_POINTER(n));
}

static void drop_oldest(windows *w)
{
    failure *f = g_queue_pop_head(&w->queue);
    for (int k = 0; k < WINDOW_TOTAL; k++) {
        change_count(w->counts[k], f->keys[k], -1);
        g_free(f->keys[k]);
    }
    g_free(f);
}

void windows_free(windows *w)
{
    if (!w)
        return;
    while (w->queue.length > 0)
        drop_oldest(w);
    for (int k = 0; k < WINDOW_TOTAL; k++)
        g_hash_table_unref(w->counts[k]);
    g_free(w);
}

void windows_set_length(windows *w, gint64 window_usec)
{
    w->length_usec = window_usec;
}

char *windows_key(window_kind kind, const char *ip, const char *account)
{
    switch (kind) {
    case WINDOW_IP_ACCOUNT:
        return g_strdup_printf("%.64s %.*s", ip, WINDOWS_MAX_KEY, account);
    case WINDOW_ACCOUNT:
        return g_strndup(account, WINDOWS_MAX_KEY);
    case WINDOW_IP:
        return g_strndup(ip, 64);
    default:
        return g_strdup("");
    }
}

void windows_add(windows *w, const char *ip, const char *account, gint64 now_usec)
{
    windows_advance(w, now_usec);
    if (w->queue.length >= WINDOWS_MAX_EVENTS)
        drop_oldest(w);
    failure *f = g_new0(failure, 1);
    f->usec = w->latest_usec;
    for (int k = 0; k < WINDOW_TOTAL; k++) {
        f->keys[k] = windows_key((window_kind) k, ip, account);
        change_count(w->counts[k], f->keys[k], 1);
    }
    g_queue_push_tail(&w->queue, f);
}

void windows_advance(windows *w, gint64 now_usec)
{
    w->latest_usec = MAX(w->latest_usec, now_usec);
    for (failure *f; (f = g_queue_peek_head(&w->queue)) && f->usec <= w->latest_usec - w->length_usec; )
        drop_oldest(w);
}

guint windows_count(const windows *w, window_kind kind, const char *key)
{
    return kind == WINDOW_TOTAL ? w->queue.length : GPOINTER_TO_UINT(g_hash_table_lookup(w->counts[kind], key));
}
