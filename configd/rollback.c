/* Going back to what was in force, and following the directory again. */
#include "configd/engine-internal.h"

static const history_part *part_of(const history_record *r, const char *folder)
{
    for (guint j = 0; j < r->parts->len; j++) {
        const history_part *p = r->parts->pdata[j];
        if (g_str_equal(p->folder, folder))
            return p;
    }
    return NULL;
}

/* FOLDER's generation that was in force after run N: what the first later run that
 * touched it found there. RECORDS: newest first. -1 none. */
static int in_force_at(const engine *e, const GPtrArray *records, const char *folder, int n)
{
    int found = generation_live(&e->store, folder);
    for (guint i = 0; i < records->len; i++) {
        const history_record *r = records->pdata[i];
        if (r->number <= n)
            break;
        const history_part *p = part_of(r, folder);
        if (p)
            found = p->previous;
    }
    return found;
}

static bool is_known(const GPtrArray *records, int n, GError **error)
{
    const history_record *oldest = records->len ? records->pdata[records->len - 1] : NULL;
    const history_record *newest = records->len ? records->pdata[0] : NULL;
    if (oldest && n >= oldest->number && n <= newest->number)
        return true;
    g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "generation %d is not among those kept (%d to %d); history lists them", n,
                oldest ? oldest->number : 0, newest ? newest->number : 0);
    return false;
}

bool engine_rollback(engine *e, int n, GError **error)
{
    g_autoptr(GPtrArray) records = history_read(&e->store, HISTORY_KEPT);
    g_autoptr(GPtrArray) accepted = g_ptr_array_new();
    g_autofree char *trigger = g_strdup_printf("rollback to %d", n);

    if (!is_known(records, n, error))
        return false;
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        int live = generation_live(&e->store, f->name), target = in_force_at(e, records, f->name, n);
        if (live < 0 || target < 0 || target == live || !generation_exists(&e->store, f->name, target))
            continue;
        change *c = change_new(f);
        c->number = target;
        c->previous = live;
        c->action = f->action;
        g_ptr_array_add(accepted, c);
    }
    if (!accepted->len) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "every service has the files of generation %d already; history lists what changed when", n);
        return false;
    }
    return engine_turn_and_hold(e, accepted, trigger, error);
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
    return engine_save_held(e, error);
}
