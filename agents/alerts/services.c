/* See services.h. systemd's signals say that something changed; lib/service says
 * what. A look every LOOK_S catches what a signal did not bring. lib/service's bus
 * is opened for each look, because nobody would read its signals between. */
#include "agents/alerts/services.h"

#include <string.h>
#include <systemd/sd-bus.h>
#include "agents/alerts/debounce.h"
#include "lib/journal/journal.h"
#include "lib/service/service.h"

enum { LOOK_S = 15, SOON_USEC = 500000 };

struct services {
    manager *m;
    sd_bus *bus;
    sd_event_source *timer;
    GHashTable *states;         /* name -> debounce */
    gint64 born_usec;
    bool soon, complained;
};

static void wake(services *s, uint64_t usec)
{
    int r = sd_event_source_set_time_relative(s->timer, usec);
    if (r >= 0)
        r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

/* DETAIL: lines "unit: state" of the parts that are not active. */
static debounce_seen what_is_seen(bool running, const char *detail)
{
    if (running)
        return SEEN_RUNNING;
    return strstr(detail, "activating") ? SEEN_ON_ITS_WAY : SEEN_STOPPED;
}

static void say(services *s, const char *name, debounce_verdict verdict)
{
    g_autofree char *condition = g_strdup_printf("service %s", name);
    bool down = manager_level(s->m, condition) > 0;
    if (verdict == SAID_STOPPED && !down)
        manager_raise(s->m, "service-stopped", "SERVICE", name, NULL);
    if (verdict == SAID_RUNNING && down) {
        manager_raise(s->m, "service-started", "SERVICE", name, NULL);
        manager_kick_mail(s->m);
    }
}

/* True when it is at rest and nothing is to be said later. */
static bool look_at(services *s, service_bus *bus, const service_def *service)
{
    g_autoptr(GString) detail = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool running = service_is_running(bus, service, detail, &error);
    if (error)
        return true;            /* not known is neither */
    debounce *d = g_hash_table_lookup(s->states, service->name);
    if (!d) {
        d = g_new0(debounce, 1);
        g_hash_table_insert(s->states, (gpointer) service->name, d);
    }
    debounce_verdict verdict = debounce_see(d, what_is_seen(running, detail->str), g_get_monotonic_time(), s->born_usec);
    say(s, service->name, verdict);
    return verdict != SAID_NOTHING;
}

static bool is_watched(const service_def *service, char **enabled)
{
    /* This program's own row: it cannot say that it does not run. */
    return !g_str_equal(service->name, "alerts") &&
        (service->always || g_strv_contains((const char *const *) enabled, service->name));
}

/* True when all are at rest. */
static bool look(services *s)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) enabled = service_get_enabled(&error);
    if (!enabled)
        return true;            /* not set up */
    g_autoptr(service_bus) bus = service_bus_open(&error);
    if (!bus) {
        if (!s->complained)
            journal_error("services cannot be watched: %s", error->message);
        s->complained = true;
        return true;
    }
    s->complained = false;
    size_t n;
    bool rest = true;
    const service_def *table = service_table(&n);
    for (size_t i = 0; i < n; i++) {
        if (is_watched(&table[i], enabled)) {
            rest = look_at(s, bus, &table[i]) && rest;
            continue;
        }
        /* Switched off on purpose: its condition ends without a word. */
        g_autofree char *condition = g_strdup_printf("service %s", table[i].name);
        g_hash_table_remove(s->states, table[i].name);
        if (conditions_take(manager_conditions(s->m), condition, 0, 0, 0))
            manager_state_changed(s->m);
    }
    return rest;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    services *s = data;
    s->soon = false;
    wake(s, look(s) ? LOOK_S * UINT64_C(1000000) : 1000000);
    return 0;
}

static int on_signal(sd_bus_message *message, void *data, sd_bus_error *error)
{
    services *s = data;
    const char *path = sd_bus_message_get_path(message);
    if (!s->soon && path && strstr(path, "/unit/zimbra_2d")) {
        s->soon = true;
        wake(s, SOON_USEC);
    }
    return 0;
}

static int subscribe(services *s)
{
    int r = sd_bus_open_system(&s->bus);
    if (r >= 0)
        r = sd_bus_match_signal_async(s->bus, NULL, "org.freedesktop.systemd1", NULL, "org.freedesktop.DBus.Properties",
                                      "PropertiesChanged", on_signal, NULL, s);
    if (r >= 0)
        r = sd_bus_call_method_async(s->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                     "org.freedesktop.systemd1.Manager", "Subscribe", NULL, NULL, NULL);
    return r < 0 ? r : sd_bus_attach_event(s->bus, manager_event(s->m), SD_EVENT_PRIORITY_NORMAL);
}

services *services_new(manager *m)
{
    services *s = g_new0(services, 1);
    *s = (services) { .m = m, .born_usec = g_get_monotonic_time() };
    s->states = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    int r = subscribe(s);
    if (r < 0)
        journal_warning("systemd's signals do not come (%s); services are looked at every %d s", g_strerror(-r), LOOK_S);
    r = sd_event_add_time(manager_event(m), &s->timer, CLOCK_MONOTONIC, 0, 0, on_timer, s);
    g_assert(r >= 0);
    return s;
}

void services_free(services *s)
{
    if (!s)
        return;
    if (s->bus) {
        (void) sd_bus_detach_event(s->bus);     /* it is closed anyway */
        sd_bus_flush_close_unref(s->bus);
    }
    sd_event_source_disable_unref(s->timer);
    g_hash_table_unref(s->states);
    g_free(s);
}
