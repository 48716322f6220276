/* Records of generations and of the run under way, as small key files. */
#include "configd/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".generation"

static const char *const state_names[] = {
    [PART_GOOD] = "good", [PART_REFUSED] = "refused", [PART_FAILED] = "failed",
};

const char *part_state_name(part_state state)
{
    return state_names[state];
}

static void part_free(history_part *p)
{
    g_free(p->folder);
    g_free(p->reason);
    g_strfreev(p->files);
    g_free(p);
}

history_record *history_record_new(int number, const char *trigger, char **keys)
{
    history_record *r = g_new0(history_record, 1);
    r->number = number;
    r->time = g_get_real_time() / G_USEC_PER_SEC;
    r->trigger = g_strdup(trigger);
    r->keys = g_strdupv(keys);
    r->parts = g_ptr_array_new_with_free_func((GDestroyNotify) part_free);
    return r;
}

void history_record_free(history_record *r)
{
    if (!r)
        return;
    g_free(r->trigger);
    g_strfreev(r->keys);
    g_ptr_array_unref(r->parts);
    g_free(r);
}

history_part *history_record_add(history_record *r, const char *folder, part_state state, int previous, const char *reason, char **files)
{
    history_part *p = g_new0(history_part, 1);
    p->folder = g_strdup(folder);
    p->state = state;
    p->previous = previous;
    p->generation = r->number;
    p->reason = g_strdup(reason);
    p->files = g_strdupv(files);
    g_ptr_array_add(r->parts, p);
    return p;
}

static void set_list(GKeyFile *k, const char *group, const char *key, char **list)
{
    if (list)
        g_key_file_set_string_list(k, group, key, (const char *const *) list, g_strv_length(list));
}

static char *record_path(const generation_store *s, int number)
{
    return g_strdup_printf("%s/%d" SUFFIX, s->l->state, number);
}

bool history_write(const generation_store *s, const history_record *r, GError **error)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_key_file_set_integer(k, "generation", "number", r->number);
    g_key_file_set_int64(k, "generation", "time", r->time);
    g_key_file_set_string(k, "generation", "trigger", r->trigger);
    set_list(k, "generation", "keys", r->keys);
    for (guint i = 0; i < r->parts->len; i++) {
        const history_part *p = r->parts->pdata[i];
        g_autofree char *group = g_strconcat("folder ", p->folder, NULL);
        g_key_file_set_string(k, group, "state", state_names[p->state]);
        g_key_file_set_integer(k, group, "previous", p->previous);
        g_key_file_set_integer(k, group, "generation", p->generation);
        if (p->reason)
            g_key_file_set_string(k, group, "reason", p->reason);
        set_list(k, group, "files", p->files);
    }
    g_autofree char *text = g_key_file_to_data(k, NULL, NULL), *path = record_path(s, r->number);
    return generation_write_state(s, path, text, error);
}

static void read_part(GKeyFile *k, const char *group, history_record *r)
{
    g_autofree char *state = g_key_file_get_string(k, group, "state", NULL);
    g_autofree char *reason = g_key_file_get_string(k, group, "reason", NULL);
    g_auto(GStrv) files = g_key_file_get_string_list(k, group, "files", NULL, NULL);
    for (size_t i = 0; state && i < G_N_ELEMENTS(state_names); i++) {
        if (!g_str_equal(state_names[i], state))
            continue;
        history_part *p = history_record_add(r, group + strlen("folder "), i, g_key_file_get_integer(k, group, "previous", NULL), reason, files);
        if (g_key_file_has_key(k, group, "generation", NULL))
            p->generation = g_key_file_get_integer(k, group, "generation", NULL);
    }
}

history_record *history_find(const generation_store *s, int number)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autofree char *path = record_path(s, number);
    if (!g_key_file_load_from_file(k, path, G_KEY_FILE_NONE, NULL))
        return NULL;
    g_autofree char *trigger = g_key_file_get_string(k, "generation", "trigger", NULL);
    g_auto(GStrv) keys = g_key_file_get_string_list(k, "generation", "keys", NULL, NULL);
    g_auto(GStrv) groups = g_key_file_get_groups(k, NULL);
    history_record *r = history_record_new(number, trigger ? trigger : "", keys);
    r->time = g_key_file_get_int64(k, "generation", "time", NULL);
    for (char **g = groups; *g; g++)
        if (g_str_has_prefix(*g, "folder "))
            read_part(k, *g, r);
    return r;
}

static int descending(const void *a, const void *b)
{
    return *(const int *) b - *(const int *) a;
}

/* Numbers of the records, newest first. */
static GArray *record_numbers(const generation_store *s)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(int));
    g_autoptr(GDir) dir = g_dir_open(s->l->state, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (!g_str_has_suffix(name, SUFFIX))
            continue;
        g_autofree char *digits = g_strndup(name, strlen(name) - strlen(SUFFIX));
        guint64 n;
        if (g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT, &n, NULL)) {
            int number = n;
            g_array_append_val(all, number);
        }
    }
    g_array_sort(all, descending);
    return all;
}

GPtrArray *history_read(const generation_store *s, guint max)
{
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify) history_record_free);
    g_autoptr(GArray) all = record_numbers(s);
    for (guint i = 0; i < all->len && records->len < max; i++) {
        history_record *r = history_find(s, g_array_index(all, int, i));
        if (r)
            g_ptr_array_add(records, r);
    }
    return records;
}

static bool is_named(int n, void *data)
{
    return g_hash_table_contains(data, GINT_TO_POINTER(n));
}

/* Adds what record N names. */
static void name_generations(const generation_store *s, int n, GHashTable *named)
{
    g_autoptr(history_record) r = history_find(s, n);
    g_hash_table_add(named, GINT_TO_POINTER(n));
    for (guint i = 0; r && i < r->parts->len; i++) {
        const history_part *p = r->parts->pdata[i];
        g_hash_table_add(named, GINT_TO_POINTER(p->generation));
        g_hash_table_add(named, GINT_TO_POINTER(p->previous));
    }
}

void history_prune(const generation_store *s, const plan *p)
{
    g_autoptr(GArray) all = record_numbers(s);
    g_autoptr(GHashTable) named = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
        int n = g_array_index(all, int, i);
        if (i < HISTORY_KEPT) {
            name_generations(s, n, named);
            continue;
        }
        g_autofree char *path = record_path(s, n);
        (void) unlink(path);   /* tried again next time */
    }
    for (guint i = 0; i < p->folders->len; i++) {
        const plan_folder *f = p->folders->pdata[i];
        generation_prune(s, f->name, is_named, named);
    }
}

/* ---- intent ---- */

static void turn_free(intent_turn *t)
{
    g_free(t->folder);
    g_free(t);
}

intent *intent_new(int number)
{
    intent *i = g_new0(intent, 1);
    i->number = number;
    i->turns = g_ptr_array_new_with_free_func((GDestroyNotify) turn_free);
    return i;
}

void intent_free(intent *i)
{
    if (!i)
        return;
    g_ptr_array_unref(i->turns);
    g_free(i);
}

void intent_add(intent *i, const char *folder, int target, int previous, plan_action action)
{
    intent_turn *t = g_new0(intent_turn, 1);
    t->folder = g_strdup(folder);
    t->target = target;
    t->previous = previous;
    t->action = action;
    g_ptr_array_add(i->turns, t);
}

static char *intent_path(const generation_store *s)
{
    return g_build_filename(s->l->state, "intent", NULL);
}

bool intent_write(const generation_store *s, const intent *i, GError **error)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autofree char *path = intent_path(s);
    g_key_file_set_integer(k, "intent", "number", i->number);
    g_key_file_set_integer(k, "intent", "attempts", i->attempts);
    for (guint j = 0; j < i->turns->len; j++) {
        const intent_turn *t = i->turns->pdata[j];
        g_key_file_set_integer(k, "targets", t->folder, t->target);
        g_key_file_set_integer(k, "previous", t->folder, t->previous);
        g_key_file_set_integer(k, "actions", t->folder, t->action);
    }
    g_autofree char *text = g_key_file_to_data(k, NULL, NULL);
    return generation_write_state(s, path, text, error);
}

intent *intent_read(const generation_store *s, GError **error)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autofree char *path = intent_path(s);
    g_autoptr(GError) local = NULL;

    if (!g_key_file_load_from_file(k, path, G_KEY_FILE_NONE, &local)) {
        if (!g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            g_propagate_prefixed_error(error, g_steal_pointer(&local), "%s: ", path);
        return NULL;
    }
    intent *i = intent_new(g_key_file_get_integer(k, "intent", "number", NULL));
    i->attempts = g_key_file_get_integer(k, "intent", "attempts", NULL);
    g_auto(GStrv) folders = g_key_file_get_keys(k, "targets", NULL, NULL);
    for (char **f = folders; f && *f; f++)
        intent_add(i, *f, g_key_file_get_integer(k, "targets", *f, NULL), g_key_file_get_integer(k, "previous", *f, NULL),
                   CLAMP(g_key_file_get_integer(k, "actions", *f, NULL), PLAN_NONE, PLAN_RESTART));
    return i;
}

bool intent_clear(const generation_store *s, GError **error)
{
    g_autofree char *path = intent_path(s);
    int e = s->inject ? s->inject("unlink", s->inject_data) : 0;
    if (e || (unlink(path) < 0 && errno != ENOENT)) {
        int code = e ? e : errno;
        g_set_error(error, GENERATION_ERROR, code, "remove %s: %s", path, g_strerror(code));
        return false;
    }
    return true;
}
