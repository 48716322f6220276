/* What the engine keeps between runs: held folders, and the values templates read. */
#include "configd/engine-internal.h"

#include "lib/journal/journal.h"

static char *state_path(const engine *e, const char *name)
{
    return g_build_filename(e->l->state, name, NULL);
}

bool engine_save_held(engine *e, GError **error)
{
    g_autofree char *path = state_path(e, "held");
    g_autofree gpointer *names = g_hash_table_get_keys_as_array(e->held, NULL);
    g_autofree char *text = g_strjoinv("\n", (char **) names);
    return generation_write_state(&e->store, path, text, error);
}

void engine_load_held(engine *e)
{
    g_autofree char *path = state_path(e, "held"), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) names = g_strsplit(text, "\n", -1);
    for (char **n = names; *n; n++)
        if (**n)
            g_hash_table_add(e->held, g_strdup(*n));
}

/* So that the next start can name what changed while nobody looked. */
void engine_save_values(engine *e)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        GHashTableIter it;
        gpointer id;
        g_hash_table_iter_init(&it, f->keys);
        while (g_hash_table_iter_next(&it, &id, NULL))
            g_hash_table_add(wanted, g_strdup(id));
    }
    g_autofree char *path = state_path(e, "values"), *text = facts_print(e->values, wanted), *old = NULL;
    g_autoptr(GError) error = NULL;
    if (g_file_get_contents(path, &old, NULL, NULL) && g_str_equal(old, text))
        return;
    if (!generation_write_state(&e->store, path, text, &error))
        journal_warning("%s", error->message);
}

void engine_load_values(engine *e)
{
    g_autofree char *path = state_path(e, "values"), *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL))
        e->values = facts_parse(path, text, NULL);
}
