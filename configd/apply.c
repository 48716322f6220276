/* Second stage of a run: the units of every turned folder are told, asked, and
 * on a bad answer given their last good generation back. A unit that is not
 * running is not started: that is zmcontrol's business; one that failed is. */
#include "configd/engine-internal.h"

#include <string.h>

#include "configd/confirm.h"
#include "lib/journal/journal.h"

/* How long after its action a unit must still be active. */
#define SETTLE_MS 300
#define PAUSE_MS 50

static bool is_one_of(const char *state, const char *const *states)
{
    return state && g_strv_contains(states, state);
}

static const char *const running[] = { "active", "reloading", "activating", "failed", NULL };

void change_note_units(engine *e, change *c)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (char **unit = c->folder->units; c->action != PLAN_NONE && unit && *unit; unit++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *state = e->units.state(e->units.data, *unit, &error);
        if (!state)
            journal_warning("%s: state unknown, it is not told of the change: %s", *unit, error->message);
        else if (is_one_of(state, running))
            g_strv_builder_add(b, *unit);
    }
    c->units = g_strv_builder_end(b);
}

/* What UNIT needs; false: nothing. */
static bool choose_action(engine *e, const char *unit, plan_action wanted, service_action *ret, GError **error)
{
    static const char *const well[] = { "active", "reloading", NULL };
    g_autofree char *state = e->units.state(e->units.data, unit, error);

    if (!is_one_of(state, running))
        return false;
    *ret = wanted == PLAN_RELOAD && is_one_of(state, well) ? SERVICE_RELOAD_OR_RESTART : SERVICE_RESTART;
    return true;
}

static bool stays_active(engine *e, const char *unit, gint64 deadline, GError **error)
{
    gint64 since = 0;
    for (;;) {
        g_autofree char *state = e->units.state(e->units.data, unit, error);
        gint64 now = g_get_monotonic_time();
        if (!state)
            return false;
        bool active = g_str_equal(state, "active");
        since = active ? (since ? since : now) : 0;
        if (active && now - since >= SETTLE_MS * 1000)
            return true;
        if (g_str_equal(state, "failed") || now >= deadline) {
            g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_FAILED, "%s is %s after the change", unit, state);
            return false;
        }
        g_usleep(PAUSE_MS * 1000);
    }
}

/* Somebody stops UNIT, or the whole host, while it is told: no fault of its files,
 * which it reads when it starts again. */
static bool is_being_stopped(engine *e, const char *unit)
{
    g_autofree char *state = e->units.state(e->units.data, unit, NULL);
    return e->units.stopping(e->units.data) || (state && g_str_equal(state, "deactivating"));
}

/* *ACTED: it was told, and runs. */
static bool tell_unit(engine *e, const char *unit, service_action action, gint64 deadline, bool *acted, GError **error)
{
    g_autoptr(GError) local = NULL;
    int left_ms = MAX(1000, (deadline - g_get_monotonic_time()) / 1000);
    bool told = e->units.act(e->units.data, unit, action, left_ms, &local);
    if (told && stays_active(e, unit, deadline, &local)) {
        *acted = true;
        return true;
    }
    if (g_error_matches(local, SERVICE_ERROR, SERVICE_ERROR_CANCELED) || is_being_stopped(e, unit))
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* ACTED: a unit was told something, and runs. */
static bool act_on_units(engine *e, const change *c, gint64 deadline, bool *acted, GError **error)
{
    for (char **unit = c->units; unit && *unit; unit++) {
        service_action action;
        g_autoptr(GError) local = NULL;
        if (!choose_action(e, *unit, c->action, &action, &local)) {
            if (!local)
                continue;
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (!tell_unit(e, *unit, action, deadline, acted, error))
            return false;
    }
    return true;
}

/* A question that nobody answers because the unit was stopped meanwhile is no answer. */
static bool was_stopped(engine *e, const change *c)
{
    for (char **unit = c->units; unit && *unit; unit++) {
        g_autofree char *state = e->units.state(e->units.data, *unit, NULL);
        if (is_being_stopped(e, *unit) || (state && g_str_equal(state, "inactive")))
            return true;
    }
    return false;
}

static bool apply_change(engine *e, const change *c, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + c->folder->apply_timeout_s * G_USEC_PER_SEC;
    g_autoptr(GError) local = NULL;
    bool acted = false;
    if (!act_on_units(e, c, deadline, &acted, error))
        return false;
    if (!acted || !c->folder->confirm || e->units.stopping(e->units.data) || confirm_ask(c->folder->confirm, deadline, &local) || was_stopped(e, c))
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* The intent says what is still to do, so that a crash from here on ends on the
 * good generation. */
static bool note_turn_back(engine *e, const change *c, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(intent) i = intent_read(&e->store, &local);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!i) {                     /* the run is over: its service failed later */
        int number = -1;
        i = intent_new(engine_run_number(e, &number));
        intent_add(i, c->folder->name, c->previous, c->previous, PLAN_RESTART);
        return intent_write(&e->store, i, error);
    }
    for (guint j = 0; j < i->turns->len; j++) {
        intent_turn *t = i->turns->pdata[j];
        if (g_str_equal(t->folder, c->folder->name)) {
            t->target = c->previous;
            t->action = PLAN_RESTART;
        }
    }
    return intent_write(&e->store, i, error);
}

void apply_turn_back(engine *e, change *c, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *keys = c->keys && *c->keys ? g_strjoinv(", ", c->keys) : g_strdup("no attribute");

    engine_mark_bad(e, c->folder->name, c->number, PART_FAILED, reason);
    health_note_failure(e, c->folder->name);
    if (c->previous < 0) {
        journal_alert(LOG_ERR, "config-failed", "%s: generation %d (change of %s) does not work and there is none to go back to: %s",
                      c->folder->name, c->number, keys, reason);
        return;
    }
    int failed = c->number;
    c->number = c->previous;
    c->action = PLAN_RESTART;
    bool ok = note_turn_back(e, c, &error) && generation_flip(&e->store, c->folder->name, c->previous, &error) &&
              apply_change(e, c, &error);
    c->number = failed;
    if (ok)
        journal_alert(LOG_ERR, "config-rolled-back", "%s: generation %d (change of %s) did not come up, generation %d is back: %s",
                      c->folder->name, failed, keys, c->previous, reason);
    else
        journal_alert(LOG_CRIT, "config-failed", "%s: generation %d (change of %s) did not come up (%s) and going back to %d failed: %s",
                      c->folder->name, failed, keys, reason, c->previous, error->message);
}

static void record_part(engine *e, const change *c, part_state state, const char *reason)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    for (guint i = 0; i < c->files->len; i++)
        g_ptr_array_add(files, c->files->pdata[i]);
    g_ptr_array_add(files, NULL);
    history_record_add(e->record, c->folder->name, state, c->previous, reason, (char **) files->pdata)->generation = c->number;
}

static void report_good(const change *c)
{
    g_autofree char *keys = c->keys && *c->keys ? g_strjoinv(", ", c->keys) : g_strdup("first run, template or recovery");
    g_autofree char *number = g_strdup_printf("%d", c->number);
    g_autofree char *message = g_strdup_printf("%s: generation %d is in force (%s)", c->folder->name, c->number, keys);
    journal_fields(LOG_INFO, message, "CONFIG_SERVICE", c->folder->name, "CONFIG_GENERATION", number, NULL);
}

bool engine_apply(engine *e, GError **error)
{
    g_autoptr(GString) failures = g_string_new(NULL);
    g_autoptr(GError) local = NULL;

    if (!e->pending->len)
        return true;
    for (guint i = 0; i < e->pending->len; i++) {
        change *c = e->pending->pdata[i];
        g_autoptr(GError) why = NULL;
        if (apply_change(e, c, &why)) {
            g_hash_table_remove(e->bad, c->folder->name);
            record_part(e, c, PART_GOOD, NULL);
            health_note_success(e, c->folder->name);
            health_watch(e, c);
            report_good(c);
            continue;
        }
        apply_turn_back(e, c, why->message);
        record_part(e, c, PART_FAILED, why->message);
        g_string_append_printf(failures, "%s%s: %s", failures->len ? "; " : "", c->folder->name, why->message);
    }
    g_ptr_array_set_size(e->pending, 0);
    bool ok = history_write(&e->store, e->record, &local) && intent_clear(&e->store, &local);
    g_clear_pointer(&e->record, history_record_free);
    history_prune(&e->store, e->plan);
    if (!ok) {
        engine_unwritable(e, local->message);
        g_string_append_printf(failures, "%s%s", failures->len ? "; " : "", local->message);
    }
    if (failures->len)
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_FAILED, "%s", failures->str);
    return !failures->len;
}
