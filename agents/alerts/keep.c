/* See keep.h. */
#include "agents/alerts/keep.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include "lib/journal/journal.h"

#define SUFFIX ".alert"

typedef struct { guint64 number; alert *alert; } kept;

struct keep {
    char *folder, *state_path;
    GKeyFile *state;
    GQueue alerts;              /* kept *, ascending, no holes but those of lost files */
    GHashTable *uuids;          /* char *, of those in alerts */
    guint64 next;
};

static char *path_of(const keep *k, guint64 number)
{
    return g_strdup_printf("%s/%020" G_GUINT64_FORMAT SUFFIX, k->folder, number);
}

static void remember(keep *k, guint64 number, alert *a)
{
    kept *x = g_new0(kept, 1);
    *x = (kept) { .number = number, .alert = alert_ref(a) };
    g_queue_push_tail(&k->alerts, x);
    g_hash_table_add(k->uuids, g_strdup(alert_uuid(a)));
    k->next = number + 1;
}

static void forget_oldest(keep *k, bool remove_file)
{
    kept *x = g_queue_pop_head(&k->alerts);
    if (remove_file) {
        g_autofree char *path = path_of(k, x->number);
        (void) g_unlink(path);      /* one that stays is dropped at the next start */
    }
    g_hash_table_remove(k->uuids, alert_uuid(x->alert));
    alert_unref(x->alert);
    g_free(x);
}

static int by_number(gconstpointer a, gconstpointer b)
{
    const guint64 *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void load(keep *k, guint64 number)
{
    g_autofree char *path = path_of(k, number), *text = NULL;
    gsize len;
    alert *a = NULL;
    if (!g_file_get_contents(path, &text, &len, NULL) || alert_parse(text, len, &a) < 0) {
        journal_warning("%s is no alert any more and is removed", path);
        (void) g_unlink(path);
        k->next = MAX(k->next, number + 1);
        return;
    }
    remember(k, number, a);
    alert_unref(a);
}

keep *keep_open(const char *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (!dir)
        return NULL;
    keep *k = g_new0(keep, 1);
    k->folder = g_strdup(folder);
    k->state_path = g_build_filename(folder, "state", NULL);
    k->state = g_key_file_new();
    k->uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    k->next = 1;
    g_autoptr(GError) problem = NULL;
    if (!g_key_file_load_from_file(k->state, k->state_path, G_KEY_FILE_NONE, &problem) &&
        !g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        journal_warning("%s cannot be read, conditions begin anew: %s", k->state_path, problem->message);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (const char *name; (name = g_dir_read_name(dir)); ) {
        guint64 number;
        g_autofree char *digits = g_str_has_suffix(name, SUFFIX) ? g_strndup(name, strlen(name) - strlen(SUFFIX)) : NULL;
        if (digits && g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT64, &number, NULL))
            g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, by_number);
    for (guint i = 0; i < numbers->len; i++)
        load(k, g_array_index(numbers, guint64, i));
    while (k->alerts.length > KEEP_MAX)
        forget_oldest(k, true);
    guint64 next = g_key_file_get_uint64(k->state, "alerts", "next", NULL);
    k->next = MAX(k->next, next);
    return k;
}

void keep_close(keep *k)
{
    if (!k)
        return;
    while (k->alerts.length > 0)
        forget_oldest(k, false);
    g_hash_table_unref(k->uuids);
    g_key_file_unref(k->state);
    g_free(k->folder);
    g_free(k->state_path);
    g_free(k);
}

static bool write_file(const char *path, const char *text, gssize len, GError **error)
{
    return g_file_set_contents_full(path, text, len, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

guint64 keep_add(keep *k, alert *a)
{
    guint64 number = k->next;
    g_autofree char *path = path_of(k, number), *text = alert_format(a);
    g_autoptr(GError) error = NULL;
    if (!write_file(path, text, -1, &error))
        journal_error("alert %" G_GUINT64_FORMAT " stays in memory only: %s", number, error->message);
    remember(k, number, a);
    while (k->alerts.length > KEEP_MAX)
        forget_oldest(k, true);
    return number;
}

guint64 keep_first(const keep *k)
{
    const kept *x = g_queue_peek_head((GQueue *) &k->alerts);
    return x ? x->number : k->next;
}

guint64 keep_next(const keep *k)
{
    return k->next;
}

alert *keep_get(const keep *k, guint64 number)
{
    for (GList *l = k->alerts.tail; l; l = l->prev) {
        const kept *x = l->data;
        if (x->number == number)
            return x->alert;
        if (x->number < number)
            break;
    }
    return NULL;
}

bool keep_knows(const keep *k, const char *uuid)
{
    return g_hash_table_contains(k->uuids, uuid);
}

GKeyFile *keep_state(keep *k)
{
    return k->state;
}

bool keep_save_state(keep *k, GError **error)
{
    g_key_file_set_uint64(k->state, "alerts", "next", k->next);
    gsize len;
    g_autofree char *text = g_key_file_to_data(k->state, &len, NULL);
    return write_file(k->state_path, text, (gssize) len, error);
}
