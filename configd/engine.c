/* First stage of a run: from values to validated candidates and turned links. See
 * engine.h. */
#include "configd/engine-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "configd/validate.h"
#include "lib/journal/journal.h"

#define RETRY_WRITE_S 10

G_DEFINE_QUARK(mailstead-engine-error-quark, engine_error)

change *change_new(const plan_folder *folder)
{
    change *c = g_new0(change, 1);
    c->folder = folder;
    c->number = c->previous = -1;
    return c;
}

void change_free(change *c)
{
    rendering_free(c->text);
    g_clear_pointer(&c->files, g_ptr_array_unref);
    g_strfreev(c->keys);
    g_strfreev(c->units);
    g_free(c->reason);
    g_free(c);
}

static void bad_free(bad_generation *b)
{
    g_free(b->reason);
    g_free(b);
}

void engine_mark_bad(engine *e, const char *folder, int number, part_state state, const char *reason)
{
    bad_generation *b = g_new0(bad_generation, 1);
    b->number = number;
    b->state = state;
    b->reason = g_strdup(reason);
    g_hash_table_replace(e->bad, g_strdup(folder), b);
}

static GHashTable *name_set(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* ---- life ---- */

/* One engine at a time turns links. Held until the process ends, however it does. */
static int take_lock(const layout *l, GError **error)
{
    g_autofree char *path = g_build_filename(l->state, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (code == EWOULDBLOCK)
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_FAILED, "another zmconfigd is at work here (%s is locked); zmconfigctl speaks with it", path);
    else
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_FAILED, "%s: %s", path, g_strerror(code));
    return -1;
}

engine *engine_new(const layout *l, unit_driver units, GError **error)
{
    g_autoptr(engine) e = g_new0(engine, 1);
    e->lock = -1;
    e->l = l;
    e->store.l = l;
    e->units = units;
    e->held = name_set();
    e->resumed = name_set();
    e->bad = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) bad_free);
    e->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    e->pending = g_ptr_array_new_with_free_func((GDestroyNotify) change_free);
    e->probation = g_ptr_array_new();
    if (!layout_make_folders(l, error) || (e->lock = take_lock(l, error)) < 0)
        return NULL;
    e->plan = plan_load(l, error);
    if (!e->plan)
        return NULL;
    engine_load_held(e);
    return g_steal_pointer(&e);
}

void engine_free(engine *e)
{
    if (!e)
        return;
    e->units.done(e->units.data);
    plan_free(e->plan);
    facts_free(e->values);
    history_record_free(e->record);
    g_hash_table_unref(e->held);
    g_hash_table_unref(e->resumed);
    g_hash_table_unref(e->bad);
    g_hash_table_unref(e->failures);
    g_ptr_array_unref(e->pending);
    g_ptr_array_unref(e->probation);
    trial_free(e->trial);
    if (e->lock >= 0)
        close(e->lock);
    g_free(e->unwritable);
    g_free(e);
}

generation_store *engine_store(engine *e)
{
    return &e->store;
}

const plan *engine_plan(const engine *e)
{
    return e->plan;
}

const facts *engine_values(const engine *e)
{
    return e->values;
}

void engine_look_at_all(engine *e)
{
    for (guint i = 0; i < e->plan->folders->len; i++)
        g_hash_table_add(e->resumed, g_strdup(((plan_folder *) e->plan->folders->pdata[i])->name));
}

bool engine_reload_plan(engine *e, GError **error)
{
    plan *fresh = plan_load(e->l, error);
    if (!fresh)
        return false;
    g_assert(!e->pending->len);     /* changes point into the old plan */
    plan_free(e->plan);
    e->plan = fresh;
    engine_look_at_all(e);
    return true;
}

bool engine_has_live(const engine *e)
{
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        if (generation_live(&e->store, f->name) >= 0)
            return true;
    }
    return false;
}

/* ---- one folder ---- */

rendering *engine_render_folder(const plan *p, const layout *l, const plan_folder *folder, const facts *values, GError **error)
{
    g_autoptr(rendering) r = rendering_new(folder);
    if (folder->broken) {
        g_propagate_error(error, g_error_copy(folder->broken));
        return NULL;
    }
    for (guint i = 0; i < folder->files->len; i++) {
        char *text = plan_render(p, l, folder, folder->files->pdata[i], values, error);
        if (!text)
            return NULL;
        g_ptr_array_add(r->texts, text);
    }
    return g_steal_pointer(&r);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static char **keys_of(const plan_folder *folder, GHashTable *changed)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    GHashTableIter i;
    gpointer id;
    g_hash_table_iter_init(&i, changed);
    while (g_hash_table_iter_next(&i, &id, NULL))
        if (g_hash_table_contains(folder->keys, id))
            g_ptr_array_add(keys, g_strdup(id));
    g_ptr_array_sort(keys, by_name);
    g_ptr_array_add(keys, NULL);
    return (char **) g_ptr_array_steal(keys, NULL);
}

int engine_run_number(engine *e, int *number)
{
    if (*number < 0) {
        g_autoptr(GPtrArray) newest = history_read(&e->store, 1);
        int recorded = newest->len ? ((history_record *) newest->pdata[0])->number : 0;
        *number = MAX(generation_highest(&e->store, e->plan), recorded) + 1;
    }
    return *number;
}

static bool make_candidate(engine *e, change *c, int *number, GError **error)
{
    const bad_generation *bad = g_hash_table_lookup(e->bad, c->folder->name);
    if (bad) {
        g_autoptr(GPtrArray) differs = generation_compare(&e->store, c->text, bad->number);
        if (!differs->len)
            c->number = bad->number;      /* the same candidate once more */
    }
    if (c->number < 0) {
        c->number = engine_run_number(e, number);
        if (!generation_create(&e->store, c->text, c->previous, c->number, error))
            return false;
    }
    return validate_prepare(&e->store, c->folder, c->number, error) &&
           generation_seal(&e->store, c->folder, c->number, error) &&
           validate_candidate(&e->store, c->folder, c->number, error);
}

/* True when C's text is the one that was rolled back: not tried again unasked. */
static bool is_known_failure(engine *e, const change *c)
{
    const bad_generation *bad = g_hash_table_lookup(e->bad, c->folder->name);
    if (!bad || bad->state != PART_FAILED)
        return false;
    g_autoptr(GPtrArray) differs = generation_compare(&e->store, c->text, bad->number);
    return !differs->len;
}

/* NULL: FOLDER needs no change. */
static change *consider(engine *e, const plan_folder *folder, const facts *values, GHashTable *changed, bool forced, int *number)
{
    change *c = change_new(folder);
    g_autoptr(GError) error = NULL;

    c->keys = e->values ? keys_of(folder, changed) : NULL;   /* at first everything is new */
    c->previous = generation_live(&e->store, folder->name);
    c->text = engine_render_folder(e->plan, e->l, folder, values, &error);
    if (c->text) {
        c->files = generation_compare(&e->store, c->text, c->previous);
        if (!c->files->len || (!forced && is_known_failure(e, c))) {
            if (!c->files->len)
                g_hash_table_remove(e->bad, folder->name);
            change_free(c);
            return NULL;
        }
        c->action = plan_folder_action(folder, changed, c->files);
        if (make_candidate(e, c, number, &error))
            return c;
    }
    c->reason = g_strdup(error->message);
    c->unwritten = error->domain == GENERATION_ERROR;
    return c;
}

/* ---- refusing ---- */

static char *names_of(char **keys)
{
    if (!keys || !*keys)
        return g_strdup("no attribute (first run or template)");
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (guint i = 0; keys[i] && i < 8; i++)
        g_strv_builder_add(b, strchr(keys[i], ':') + 1);
    g_auto(GStrv) names = g_strv_builder_end(b);
    return g_strjoinv(", ", names);
}

/* Says once why FOLDER stays as it is. */
static void refuse(engine *e, change *c, int *number)
{
    const bad_generation *bad = g_hash_table_lookup(e->bad, c->folder->name);
    bool known = bad && bad->state == PART_REFUSED && (bad->number == c->number || !g_strcmp0(bad->reason, c->reason));
    g_autofree char *keys = names_of(c->keys);

    if (c->number < 0)
        c->number = bad ? bad->number : engine_run_number(e, number);
    engine_mark_bad(e, c->folder->name, c->number, PART_REFUSED, c->reason);
    if (known)
        return;
    g_autofree char *stays = c->previous < 0 ? g_strdup("it has no configuration yet") : g_strdup_printf("generation %d stays", c->previous);
    journal_alert(LOG_ERR, "config-refused", "%s: change of %s refused, %s: %s", c->folder->name, keys, stays, c->reason);
    if (c->number != *number)
        return;
    g_auto(GStrv) files = NULL;
    history_record_add(e->record, c->folder->name, PART_REFUSED, c->previous, c->reason, files);
}

/* ---- when the disk does not take it ---- */

void engine_retry_in(engine *e, unsigned seconds)
{
    gint64 at = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    e->retry_at = e->retry_at ? MIN(e->retry_at, at) : at;
}

void engine_unwritable(engine *e, const char *what)
{
    engine_retry_in(e, RETRY_WRITE_S);
    if (!g_strcmp0(e->unwritable, what))
        return;
    journal_alert(LOG_ERR, "config-unwritable", "the configuration cannot be written, the last good one stays: %s", what);
    g_free(e->unwritable);
    e->unwritable = g_strdup(what);
}

/* ---- a run ---- */

static void link_all(engine *e, const facts *values)
{
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        g_autoptr(GError) error = NULL;
        if (plan_folder_wanted(f, values) && generation_live(&e->store, f->name) >= 0 &&
            !generation_link(&e->store, f, &error))
            journal_warning("%s: %s", f->name, error->message);
    }
}

static bool is_due(engine *e, const plan_folder *f, GHashTable *changed, char **forced)
{
    if (g_hash_table_contains(e->held, f->name))
        return false;
    if (forced && g_strv_contains((const char *const *) forced, f->name))
        return true;
    unsigned wait_s = health_wait_s(e, f->name);
    if (wait_s) {
        g_hash_table_add(e->resumed, g_strdup(f->name));
        engine_retry_in(e, wait_s);
        return false;
    }
    return g_hash_table_contains(e->resumed, f->name) || g_hash_table_contains(e->bad, f->name) ||
           generation_live(&e->store, f->name) < 0 || plan_folder_depends(f, changed);
}

/* The keys behind CHANGES, each once, in order. */
static char **all_keys(const GPtrArray *changes)
{
    g_autoptr(GHashTable) seen = name_set();
    for (guint i = 0; i < changes->len; i++)
        for (char **k = ((change *) changes->pdata[i])->keys; k && *k; k++)
            g_hash_table_add(seen, g_strdup(*k));
    guint n;
    g_autofree gpointer *keys = g_hash_table_get_keys_as_array(seen, &n);
    qsort(keys, n, sizeof *keys, by_name);
    return g_strdupv((char **) keys);
}

static void sort_out(engine *e, GPtrArray *changes, GPtrArray *accepted, int *number, GString *refused)
{
    for (guint i = 0; i < changes->len; i++) {
        change *c = changes->pdata[i];
        if (!c->reason) {
            g_ptr_array_add(accepted, c);
            continue;
        }
        if (c->unwritten) {
            g_hash_table_add(e->resumed, g_strdup(c->folder->name));
            engine_unwritable(e, c->reason);
        } else {
            refuse(e, c, number);
        }
        g_string_append_printf(refused, "%s%s: %s", refused->len ? "; " : "", c->folder->name, c->reason);
        change_free(c);
    }
    g_ptr_array_set_size(changes, 0);
}

static bool finish_update(engine *e, GPtrArray *accepted, int number, GError **error)
{
    if (accepted->len) {
        int n = number > 0 ? number : ((change *) accepted->pdata[0])->number;
        e->record->number = n;
        if (!engine_turn(e, accepted, n, error))
            return false;
    } else if (e->record->parts->len) {
        e->record->number = number;
        bool ok = history_write(&e->store, e->record, error);
        g_clear_pointer(&e->record, history_record_free);
        return ok;
    }
    if (!e->pending->len)
        g_clear_pointer(&e->record, history_record_free);
    return true;
}

bool engine_update(engine *e, facts *values, char **forced, const char *trigger, GError **error)
{
    g_autoptr(GHashTable) changed = facts_diff(e->values, values);
    g_autoptr(GPtrArray) changes = g_ptr_array_new(), accepted = g_ptr_array_new();
    g_autoptr(GString) refused = g_string_new(NULL);
    int number = -1;

    e->retry_at = 0;
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        if (!plan_folder_wanted(f, values) || !is_due(e, f, changed, forced))
            continue;
        bool asked = forced && g_strv_contains((const char *const *) forced, f->name);
        change *c = consider(e, f, values, changed, asked, &number);
        g_hash_table_remove(e->resumed, f->name);
        if (c)
            g_ptr_array_add(changes, c);
    }
    if (!e->record) {
        g_auto(GStrv) keys = all_keys(changes);
        e->record = history_record_new(0, trigger, keys);
    }
    sort_out(e, changes, accepted, &number, refused);

    g_autoptr(GError) failed = NULL;
    bool ok = finish_update(e, accepted, number, &failed);
    if (failed) {
        engine_unwritable(e, failed->message);
        g_propagate_error(error, g_steal_pointer(&failed));
    } else if (!e->retry_at) {
        g_clear_pointer(&e->unwritable, g_free);
    }
    facts_free(e->values);
    e->values = values;
    if (ok)
        link_all(e, values);
    engine_save_values(e);
    if (ok && refused->len) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_REFUSED, "refused: %s", refused->str);
        return false;
    }
    return ok;
}

/* ---- by the clock ---- */

gint64 engine_next_due(const engine *e)
{
    const gint64 dues[] = { e->retry_at, health_due(e), trial_due(e) };
    gint64 next = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(dues); i++)
        if (dues[i] && (!next || dues[i] < next))
            next = dues[i];
    return next;
}

bool engine_tick(engine *e)
{
    gint64 now = g_get_monotonic_time();
    if (trial_due(e) && now >= trial_due(e))
        trial_check(e);
    if (health_due(e) && now >= health_due(e))
        health_check(e);
    bool retry = e->retry_at && now >= e->retry_at;
    if (retry)
        e->retry_at = 0;
    return retry;
}
