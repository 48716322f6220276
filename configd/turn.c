/* From accepted candidates to live links: one intent record, then one turn of a
 * link per folder. The intent names every folder that is turned but not yet
 * confirmed, so that a start after a crash knows what was under way. */
#include "configd/engine-internal.h"

/* The intent of what is pending; none: cleared. */
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

bool engine_turn(engine *e, GPtrArray *accepted, int number, GError **error)
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

bool engine_turn_and_hold(engine *e, GPtrArray *accepted, const char *trigger, GError **error)
{
    int number = -1;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    (void) engine_run_number(e, &number);
    e->record = history_record_new(number, trigger, NULL);
    for (guint i = 0; i < accepted->len; i++) {
        change *c = accepted->pdata[i];
        c->files = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(names, g_strdup(c->folder->name));
        g_hash_table_remove(e->bad, c->folder->name);
    }
    if (!engine_turn(e, accepted, number, error)) {
        g_clear_pointer(&e->record, history_record_free);
        return false;
    }
    for (guint i = 0; i < names->len; i++)
        g_hash_table_add(e->held, g_strdup(names->pdata[i]));
    return engine_save_held(e, error) && engine_apply(e, error);
}
