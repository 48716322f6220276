/* The start after whatever happened: finishes or undoes the run that was under
 * way, and remembers which generations are no good. */
#include "configd/engine-internal.h"

#include "lib/journal/journal.h"

#define MAX_ATTEMPTS 2

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
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < records->len; i++) {
        const history_record *r = records->pdata[i];
        for (guint j = 0; j < r->parts->len; j++) {
            const history_part *p = r->parts->pdata[j];
            if (g_hash_table_add(seen, g_strdup(p->folder)) && p->state != PART_GOOD)
                engine_mark_bad(e, p->folder, p->generation, p->state, p->reason);
        }
    }
}

bool engine_recover(engine *e, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(intent) i = intent_read(&e->store, &local);

    engine_load_values(e);
    remember_bad(e);
    engine_look_at_all(e);
    trial_load(e);
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
