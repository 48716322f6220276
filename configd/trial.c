/* commit-confirm: changes made from now on are on trial. Unless they are
 * confirmed in time, every folder goes back to what it had when the trial began
 * and is held there. conf/configd.d/trial (GKeyFile) has the deadline and the
 * generations to return to, so that a restart of zmconfigd or of the host in
 * between changes nothing. */
#include "configd/engine-internal.h"

#include <errno.h>
#include <unistd.h>

#include "lib/journal/journal.h"

/* The clock may be set meanwhile: looked at this often at least. */
#define MINUTES_MAX (7 * 24 * 60)
#define LOOK_AGAIN_USEC (30 * G_USEC_PER_SEC)

struct trial {
    gint64 since, until;       /* seconds of the host's clock */
    GHashTable *baseline;      /* folder -> generation */
    gint64 look_at;            /* monotonic usec */
};

static gint64 now_s(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

void trial_free(struct trial *t)
{
    if (!t)
        return;
    g_hash_table_unref(t->baseline);
    g_free(t);
}

static struct trial *trial_new(gint64 since, gint64 until)
{
    struct trial *t = g_new0(struct trial, 1);
    t->since = since;
    t->until = until;
    t->baseline = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return t;
}

static char *trial_path(const engine *e)
{
    return g_build_filename(e->l->state, "trial", NULL);
}

static bool save(engine *e, const struct trial *t, GError **error)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autofree char *path = trial_path(e);
    GHashTableIter i;
    gpointer folder, number;
    g_key_file_set_int64(k, "trial", "since", t->since);
    g_key_file_set_int64(k, "trial", "until", t->until);
    g_hash_table_iter_init(&i, t->baseline);
    while (g_hash_table_iter_next(&i, &folder, &number))
        g_key_file_set_integer(k, "baseline", folder, GPOINTER_TO_INT(number));
    g_autofree char *text = g_key_file_to_data(k, NULL, NULL);
    return generation_write_state(&e->store, path, text, error);
}

void trial_load(engine *e)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autofree char *path = trial_path(e);
    if (!g_key_file_load_from_file(k, path, G_KEY_FILE_NONE, NULL))
        return;
    gint64 since = g_key_file_get_int64(k, "trial", "since", NULL), until = g_key_file_get_int64(k, "trial", "until", NULL);
    g_auto(GStrv) folders = g_key_file_get_keys(k, "baseline", NULL, NULL);
    e->trial = trial_new(since, until);
    for (char **f = folders; f && *f; f++)
        g_hash_table_insert(e->trial->baseline, g_strdup(*f), GINT_TO_POINTER(g_key_file_get_integer(k, "baseline", *f, NULL)));
}

static bool forget(engine *e, GError **error)
{
    g_autofree char *path = trial_path(e);
    if (unlink(path) < 0 && errno != ENOENT) {
        int code = errno;
        g_set_error(error, GENERATION_ERROR, code, "remove %s: %s", path, g_strerror(code));
        return false;
    }
    g_clear_pointer(&e->trial, trial_free);
    return true;
}

static char *clock_of(gint64 seconds)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(seconds);
    return t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
}

char *engine_trial_begin(engine *e, guint64 minutes, GError **error)
{
    if (minutes > MINUTES_MAX) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "a trial lasts %d minutes at most", MINUTES_MAX);
        return NULL;
    }
    if (e->trial) {
        g_autofree char *until = clock_of(e->trial->until);
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "a trial is under way until %s: confirm it first", until);
        return NULL;
    }
    struct trial *t = trial_new(now_s(), now_s() + 60 * (gint64) minutes);
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        int live = generation_live(&e->store, f->name);
        if (live >= 0)
            g_hash_table_insert(t->baseline, g_strdup(f->name), GINT_TO_POINTER(live));
    }
    if (!save(e, t, error)) {
        trial_free(t);
        return NULL;
    }
    e->trial = t;
    g_autofree char *until = clock_of(t->until);
    journal_info("changes from now on are on trial until %s", until);
    return g_strdup_printf("Changes from now on are on trial: unless zmconfigctl confirm is called before %s,\n"
                           "every service goes back to its present configuration.\n", until);
}

bool engine_trial_confirm(engine *e, GError **error)
{
    if (!e->trial) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "no trial is under way; commit-confirm begins one");
        return false;
    }
    if (!forget(e, error))
        return false;
    journal_info("the changes on trial are confirmed");
    return true;
}

char *engine_trial_text(const engine *e)
{
    if (!e->trial)
        return NULL;
    g_autofree char *until = clock_of(e->trial->until);
    return g_strdup_printf("on trial     until %s, then back unless confirmed", until);
}

gint64 trial_due(const engine *e)
{
    return e->trial ? MAX(e->trial->look_at, 1) : 0;
}

/* Folders that left what they had when the trial began. */
static GPtrArray *strayed(engine *e)
{
    GPtrArray *accepted = g_ptr_array_new();
    for (guint i = 0; i < e->plan->folders->len; i++) {
        const plan_folder *f = e->plan->folders->pdata[i];
        int target = GPOINTER_TO_INT(g_hash_table_lookup(e->trial->baseline, f->name));
        int live = generation_live(&e->store, f->name);
        if (target <= 0 || target == live || !generation_exists(&e->store, f->name, target))
            continue;
        change *c = change_new(f);
        c->number = target;
        c->previous = live;
        c->action = f->action;
        g_ptr_array_add(accepted, c);
    }
    return accepted;
}

static char *names_of(const GPtrArray *changes)
{
    g_autoptr(GString) s = g_string_new(NULL);
    for (guint i = 0; i < changes->len; i++) {
        const change *c = changes->pdata[i];
        g_string_append_printf(s, "%s%s to %d", i ? ", " : "", c->folder->name, c->number);
    }
    return g_string_free(g_steal_pointer(&s), FALSE);
}

void trial_check(engine *e)
{
    struct trial *t = e->trial;
    g_autoptr(GError) error = NULL;
    gint64 now = now_s();

    if (now < t->since) {                /* the clock was set back: the whole time anew */
        t->until = now + (t->until - t->since);
        t->since = now;
        (void) save(e, t, NULL);         /* if not, the next start does the same */
    }
    if (now < t->until) {
        t->look_at = g_get_monotonic_time() + MIN((t->until - now) * G_USEC_PER_SEC, LOOK_AGAIN_USEC);
        return;
    }
    t->look_at = g_get_monotonic_time() + LOOK_AGAIN_USEC;   /* should it fail */
    g_autoptr(GPtrArray) accepted = strayed(e);
    g_autofree char *names = names_of(accepted);
    if (!accepted->len) {
        journal_info("the trial is over, nothing has changed meanwhile");
    } else if (!engine_turn_and_hold(e, accepted, "not confirmed", &error)) {
        journal_alert(LOG_ERR, "config-failed", "the changes on trial were not confirmed, and going back (%s) failed: %s", names, error->message);
        if (error->domain == GENERATION_ERROR)
            return;
    } else {
        journal_alert(LOG_ERR, "config-rolled-back", "the changes on trial were not confirmed: %s went back and stay until zmconfigctl resume", names);
    }
    g_clear_error(&error);
    if (!forget(e, &error))
        journal_warning("%s", error->message);
}
