/* What an administrator can see of the engine: status, history, differences,
 * what would change. Changes nothing. */
#include "configd/engine-internal.h"

#include <string.h>
#include <unistd.h>

#include "configd/command.h"

#define DIFF "/usr/bin/diff"

static void append_time(GString *out, gint64 seconds)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(seconds);
    g_autofree char *text = t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
    g_string_append(out, text);
}

char *engine_status(engine *e)
{
    GString *out = g_string_new(NULL);
    g_autofree char *trial = engine_trial_text(e);
    if (trial)
        g_string_append_printf(out, "%s\n", trial);
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        const bad_generation *bad = g_hash_table_lookup(e->bad, f->name);
        int live = generation_live(&e->store, f->name);
        g_string_append_printf(out, "%-12s", f->name);
        if (live < 0)
            g_string_append(out, " no generation");
        else
            g_string_append_printf(out, " generation %d", live);
        if (e->values && !plan_folder_wanted(f, e->values))
            g_string_append(out, ", service not enabled");
        if (g_hash_table_contains(e->held, f->name))
            g_string_append(out, ", held by rollback");
        unsigned wait_s = health_wait_s(e, f->name);
        if (wait_s)
            g_string_append_printf(out, ", next attempt in %u s", wait_s);
        if (bad)
            g_string_append_printf(out, ", %d %s: %s", bad->number, part_state_name(bad->state), bad->reason ? bad->reason : "");
        g_string_append_c(out, '\n');
        for (guint j = 0; j < f->files->len; j++) {
            const plan_file *file = f->files->pdata[j];
            if (file->overridden)
                g_string_append_printf(out, "  %s from %s\n", file->name, file->source);
        }
    }
    return g_string_free(out, FALSE);
}

char *engine_history(engine *e, guint max)
{
    g_autoptr(GPtrArray) records = history_read(&e->store, max);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < records->len; i++) {
        const history_record *r = records->pdata[i];
        g_autofree char *keys = r->keys ? g_strjoinv(" ", r->keys) : NULL;
        g_string_append_printf(out, "%d  ", r->number);
        append_time(out, r->time);
        g_string_append_printf(out, "  %s%s%s\n", r->trigger, keys && *keys ? ": " : "", keys ? keys : "");
        for (guint j = 0; j < r->parts->len; j++) {
            const history_part *p = r->parts->pdata[j];
            g_autofree char *files = p->files ? g_strjoinv(" ", p->files) : NULL;
            g_string_append_printf(out, "    %-12s %s (before: %d) %s%s\n", p->folder, part_state_name(p->state), p->previous,
                                   files ? files : "", p->reason ? p->reason : "");
        }
    }
    return g_string_free(out, FALSE);
}

/* Unified difference of two folders with readable names; "" when there is none. */
static bool append_diff(GString *out, const char *from, const char *to, GError **error)
{
    char *argv[] = { (char *) DIFF, (char *) "-ruN", (char *) from, (char *) to, NULL };
    char *envp[] = { (char *) "LC_ALL=C", NULL };
    command c = { .argv = argv, .envp = envp, .timeout_s = 20 };
    g_auto(command_result) r = { 0 };
    if (!command_run(&c, &r, error))
        return false;
    if (r.status > 1) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_FAILED, "%s: %s", DIFF, r.err);
        return false;
    }
    g_string_append(out, r.out);
    return true;
}

char *engine_diff(engine *e, int a, int b, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        int from = generation_at(&e->store, f->name, a), to = generation_at(&e->store, f->name, b);
        if (from == to)
            continue;
        g_autofree char *from_path = from < 0 ? g_strdup("/dev/null") : generation_path(&e->store, f->name, from);
        g_autofree char *to_path = to < 0 ? g_strdup("/dev/null") : generation_path(&e->store, f->name, to);
        if (from < 0 || to < 0)
            g_string_append_printf(out, "%s: only in generation %d\n", f->name, from < 0 ? to : from);
        else if (!append_diff(out, from_path, to_path, error))
            return NULL;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---- dry run ---- */

/* FILE as it is and as TEXT would make it, as a difference. */
static bool append_file_diff(engine *e, GString *out, const plan_folder *f, const plan_file *file, const char *text, GError **error)
{
    g_autofree char *live = g_build_filename(e->l->conf, f->name, file->name, NULL);
    g_autofree char *label = g_strdup_printf("%s/%s (would be)", f->name, file->name);
    const char *from = access(live, F_OK) == 0 ? live : "/dev/null";
    char *argv[] = { (char *) DIFF, (char *) "-u", (char *) "--label", live, (char *) "--label", label, (char *) from, (char *) "-", NULL };
    char *envp[] = { (char *) "LC_ALL=C", NULL };
    command c = { .argv = argv, .envp = envp, .input = text, .timeout_s = 20 };
    g_auto(command_result) r = { 0 };
    if (!command_run(&c, &r, error))
        return false;
    g_string_append(out, r.out);
    return true;
}

static void append_effect(GString *out, const plan_folder *f, plan_action action)
{
    static const char *const verbs[] = { [PLAN_NONE] = "leave alone", [PLAN_RELOAD] = "reload", [PLAN_RESTART] = "restart" };
    g_autofree char *units = f->units ? g_strjoinv(" ", f->units) : g_strdup("no unit");
    g_string_append_printf(out, "%s: would %s %s\n", f->name, verbs[action], units);
}

char *engine_dry_run(engine *e, const facts *values, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GHashTable) changed = facts_diff(e->values, values);
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        if (!plan_folder_wanted(f, values))
            continue;
        g_autoptr(GError) local = NULL;
        g_autoptr(rendering) r = engine_render_folder(e->plan, e->l, f, values, &local);
        if (!r) {
            g_string_append_printf(out, "%s: would be refused: %s\n", f->name, local->message);
            continue;
        }
        g_autoptr(GPtrArray) files = generation_compare(&e->store, r, generation_live(&e->store, f->name));
        if (!files->len)
            continue;
        append_effect(out, f, plan_folder_action(f, changed, files));
        for (guint j = 0; j < f->files->len; j++) {
            const plan_file *file = f->files->pdata[j];
            if (g_ptr_array_find_with_equal_func(files, file->name, g_str_equal, NULL) &&
                !append_file_diff(e, out, f, file, r->texts->pdata[j], error))
                return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *engine_show(const plan *p, const layout *l, const char *name, const facts *values, GError **error)
{
    g_autoptr(GPtrArray) folders = plan_select(p, name);
    g_autoptr(GString) out = g_string_new(NULL);
    if (!folders->len) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "%s is neither a folder of the actions table nor a service", name);
        return NULL;
    }
    for (guint i = 0; i < folders->len; i++) {
        const plan_folder *f = folders->pdata[i];
        g_autoptr(rendering) r = engine_render_folder(p, l, f, values, error);
        if (!r)
            return NULL;
        for (guint j = 0; j < f->files->len; j++) {
            const plan_file *file = f->files->pdata[j];
            g_string_append_printf(out, "==> %s/%s <==\n%s", f->name, file->name, (char *) r->texts->pdata[j]);
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *engine_render(engine *e, const char *name, const facts *values, GError **error)
{
    return engine_show(e->plan, e->l, name, values, error);
}
