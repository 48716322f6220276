/* First stage of a run: from values to live links. See engine.h. */
#include "configd/engine-internal.h"

#include <errno.h>
#include <string.h>

#include "configd/validate.h"
#include "lib/journal/journal.h"

#define MAX_ATTEMPTS 2

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

/* ---- state between runs: held folders, values ---- */

static char *state_path(const engine *e, const char *name)
{
    return g_build_filename(e->l->state, name, NULL);
}

static bool save_held(engine *e, GError **error)
{
    g_autofree char *path = state_path(e, "held");
    g_autofree gpointer *names = g_hash_table_get_keys_as_array(e->held, NULL);
    g_autofree char *text = g_strjoinv("\n", (char **) names);
    return generation_write_state(&e->store, path, text, error);
}

static void load_held(engine *e)
{
    g_autofree char *path = state_path(e, "held"), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) names = g_strsplit(text, "\n", -1);
    for (char **n = names; *n; n++)
        if (**n)
            g_hash_table_add(e->held, g_strdup(*n));
}

/* The values templates read, so that the next start can name what changed
 * while nobody looked. */
static void save_values(engine *e)
{
    g_autoptr(GHashTable) wanted = name_set();
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        GHashTableIter it;
        gpointer id;
        g_hash_table_iter_init(&it, f->keys);
        while (g_hash_table_iter_next(&it, &id, NULL))
            g_hash_table_add(wanted, g_strdup(id));
    }
    g_autofree char *path = state_path(e, "values"), *text = facts_print(e->values, wanted);
    g_autoptr(GError) error = NULL;
    if (!generation_write_state(&e->store, path, text, &error))
        journal_warning("%s", error->message);
}

static void load_values(engine *e)
{
    g_autofree char *path = state_path(e, "values"), *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL))
        e->values = facts_parse(path, text, NULL);
}

/* ---- life ---- */

engine *engine_new(const layout *l, unit_driver units, GError **error)
{
    g_autoptr(engine) e = g_new0(engine, 1);
    e->l = l;
    e->store.l = l;
    e->units = units;
    e->held = name_set();
    e->resumed = name_set();
    e->bad = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) bad_free);
    e->pending = g_ptr_array_new_with_free_func((GDestroyNotify) change_free);
    if (!layout_make_folders(l, error))
        return NULL;
    e->plan = plan_load(l, error);
    if (!e->plan)
        return NULL;
    load_held(e);
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
    g_ptr_array_unref(e->pending);
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

/* The next update renders every folder, whatever changed. */
static void look_at_all(engine *e)
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
    look_at_all(e);
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

/* ---- recovery ---- */

static bool recover_turn(engine *e, intent_turn *t, int number, bool back, GError **error)
{
    const plan_folder *folder = plan_find(e->plan, t->folder);
    if (!folder)
        return true;
    if (back && t->previous >= 0)
        t->target = t->previous;
    g_autofree char *path = generation_path(&e->store, t->folder, t->target);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return true;
    change *c = change_new(folder);
    c->number = t->target;
    c->previous = t->previous;
    c->action = t->action;
    c->files = g_ptr_array_new_with_free_func(g_free);
    change_note_units(e, c);
    g_ptr_array_add(e->pending, c);
    if (!generation_flip(&e->store, t->folder, t->target, error))
        return false;
    if (back)
        engine_mark_bad(e, t->folder, number, PART_FAILED, "zmconfigd ended while it applied this generation");
    return true;
}

/* The last word on each folder: what was no good is not tried again unasked. */
static void remember_bad(engine *e)
{
    g_autoptr(GPtrArray) records = history_read(&e->store, HISTORY_KEPT);
    g_autoptr(GHashTable) seen = name_set();
    for (guint i = 0; i < records->len; i++) {
        const history_record *r = records->pdata[i];
        for (guint j = 0; j < r->parts->len; j++) {
            const history_part *p = r->parts->pdata[j];
            if (g_hash_table_add(seen, g_strdup(p->folder)) && p->state != PART_GOOD)
                engine_mark_bad(e, p->folder, r->number, p->state, p->reason);
        }
    }
}

bool engine_recover(engine *e, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(intent) i = intent_read(&e->store, &local);

    load_values(e);
    remember_bad(e);
    look_at_all(e);
    if (local) {                      /* torn by a disk fault: the links themselves are whole */
        journal_warning("unreadable intent record is dropped: %s", local->message);
        return intent_clear(&e->store, error);
    }
    if (!i) {
        history_prune(&e->store, e->plan);
        return true;
    }
    bool back = ++i->attempts > MAX_ATTEMPTS;
    journal_warning("generation %d was interrupted; %s", i->number, back ? "going back to the one before" : "finishing it");
    if (!intent_write(&e->store, i, error))
        return false;
    for (guint j = 0; j < i->turns->len; j++)
        if (!recover_turn(e, i->turns->pdata[j], i->number, back, error))
            return false;
    e->record = history_record_new(i->number, "recovery", NULL);
    return true;
}

/* ---- one folder ---- */

rendering *engine_render_folder(const engine *e, const plan_folder *folder, const facts *values, GError **error)
{
    g_autoptr(rendering) r = rendering_new(folder);
    if (folder->broken) {
        g_propagate_error(error, g_error_copy(folder->broken));
        return NULL;
    }
    for (guint i = 0; i < folder->files->len; i++) {
        char *text = plan_render(e->plan, e->l, folder, folder->files->pdata[i], values, error);
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

/* The number of the new generation, the same for all folders of a run. */
static int run_number(engine *e, int *number)
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
        c->number = run_number(e, number);
        if (!generation_create(&e->store, c->text, c->number, error))
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
    c->text = engine_render_folder(e, folder, values, &error);
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
        c->number = bad ? bad->number : run_number(e, number);
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

/* ---- turning the links ---- */

/* The intent of every folder that is turned but not confirmed; none: cleared. */
static bool write_intent(engine *e, int number, GError **error)
{
    g_autoptr(intent) i = intent_new(number);
    for (guint j = 0; j < e->pending->len; j++) {
        const change *c = e->pending->pdata[j];
        intent_add(i, c->folder->name, c->number, c->previous, c->action);
    }
    return i->turns->len ? intent_write(&e->store, i, error) : intent_clear(&e->store, error);
}

/* A change that waits already for the same folder gives way to C. */
static void make_pending(engine *e, change *c)
{
    for (guint j = 0; j < e->pending->len; j++) {
        const change *older = e->pending->pdata[j];
        if (older->folder != c->folder)
            continue;
        c->action = MAX(c->action, older->action);
        g_strfreev(c->units);
        c->units = g_strdupv(older->units);      /* the newer look may have missed a restart */
        g_ptr_array_remove_index(e->pending, j);
        break;
    }
    g_ptr_array_add(e->pending, c);
}

static bool flip_all(engine *e, GPtrArray *accepted, GError **error)
{
    for (guint j = 0; j < accepted->len; j++) {
        const change *c = accepted->pdata[j];
        if (generation_flip(&e->store, c->folder->name, c->number, error))
            continue;
        for (guint k = 0; k <= j; k++) {          /* all back, this one too: its link may have turned */
            const change *turned = accepted->pdata[k];
            (void) generation_flip(&e->store, turned->folder->name, turned->previous, NULL);
        }
        return false;
    }
    return true;
}

/* Takes the changes of ACCEPTED over into the pending ones and turns their links;
 * on failure no link has turned and the folders are tried again next time. */
static bool turn_all(engine *e, GPtrArray *accepted, int number, GError **error)
{
    for (guint j = 0; j < accepted->len; j++) {
        change_note_units(e, accepted->pdata[j]);
        make_pending(e, accepted->pdata[j]);
    }
    if (write_intent(e, number, error) && flip_all(e, accepted, error))
        return true;
    for (guint j = 0; j < accepted->len; j++) {
        change *c = accepted->pdata[j];
        g_hash_table_add(e->resumed, g_strdup(c->folder->name));
        g_ptr_array_remove(e->pending, c);
    }
    (void) write_intent(e, number, NULL);         /* a left-over intent is finished at the next start */
    return false;
}

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

/* ---- a run ---- */

static bool is_due(engine *e, const plan_folder *f, GHashTable *changed, char **forced)
{
    if (g_hash_table_contains(e->held, f->name))
        return false;
    return (forced && g_strv_contains((const char *const *) forced, f->name)) ||
           g_hash_table_contains(e->resumed, f->name) || g_hash_table_contains(e->bad, f->name) ||
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
        refuse(e, c, number);
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
        if (!turn_all(e, accepted, n, error))
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

    bool ok = finish_update(e, accepted, number, error);
    facts_free(e->values);
    e->values = values;
    if (ok)
        link_all(e, values);
    save_values(e);
    if (ok && refused->len) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_REFUSED, "refused: %s", refused->str);
        return false;
    }
    return ok;
}

/* ---- going back ---- */

static bool was_good(const GPtrArray *records, const char *folder, int n)
{
    for (guint i = 0; i < records->len; i++) {
        const history_record *r = records->pdata[i];
        for (guint j = 0; r->number == n && j < r->parts->len; j++) {
            const history_part *p = r->parts->pdata[j];
            if (g_str_equal(p->folder, folder))
                return p->state == PART_GOOD;
        }
    }
    return true;
}

/* FOLDER's newest generation <= N that was in force; -1 none. */
static int good_at(engine *e, const char *folder, int n)
{
    g_autoptr(GPtrArray) records = history_read(&e->store, HISTORY_KEPT);
    int found = generation_at(&e->store, folder, n);
    while (found > 0 && !was_good(records, folder, found))
        found = generation_at(&e->store, folder, found - 1);
    return found;
}

bool engine_rollback(engine *e, int n, GError **error)
{
    g_autoptr(GPtrArray) accepted = g_ptr_array_new();
    g_autofree char *trigger = g_strdup_printf("rollback to %d", n);

    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        int live = generation_live(&e->store, f->name);
        int target = good_at(e, f->name, n);
        if (live < 0 || target < 0 || target == live)
            continue;
        change *c = change_new(f);
        c->number = target;
        c->previous = live;
        c->action = f->action;
        c->files = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(accepted, c);
    }
    if (!accepted->len) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "no folder has another generation at %d; history lists them", n);
        return false;
    }
    int number = -1;
    run_number(e, &number);
    e->record = history_record_new(number, trigger, NULL);
    for (guint i = 0; i < accepted->len; i++)
        g_hash_table_add(e->held, g_strdup(((change *) accepted->pdata[i])->folder->name));
    if (!turn_all(e, accepted, number, error)) {
        g_clear_pointer(&e->record, history_record_free);
        return false;
    }
    return save_held(e, error) && engine_apply(e, error);
}

bool engine_resume(engine *e, char **names, GError **error)
{
    g_autofree gpointer *all = g_hash_table_get_keys_as_array(e->held, NULL);
    g_auto(GStrv) which = g_strdupv(names && *names ? names : (char **) all);
    for (char **n = which; *n; n++) {
        if (!g_hash_table_contains(e->held, *n)) {
            g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "%s is not held", *n);
            return false;
        }
        g_hash_table_add(e->resumed, g_strdup(*n));
    }
    for (char **n = which; *n; n++)
        g_hash_table_remove(e->held, *n);
    return save_held(e, error);
}

char **engine_resumed(engine *e)
{
    g_autofree gpointer *names = g_hash_table_get_keys_as_array(e->resumed, NULL);
    return g_strdupv((char **) names);
}
