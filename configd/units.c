/* Units over lib/service, with the bus opened when it is first needed: zmconfigd
 * renders and falls back before, and without, any bus. */
#include "configd/units.h"

#define CONVERGE_TIMEOUT_MS 120000

typedef struct {
    service_bus *bus;
} systemd_units;

static service_bus *bus_of(systemd_units *u, GError **error)
{
    if (!u->bus)
        u->bus = service_bus_open(error);
    return u->bus;
}

/* A broken connection is dropped, so that the next call opens a new one. */
static void check_bus(systemd_units *u, bool ok, GError **error)
{
    if (!ok && error && g_error_matches(*error, SERVICE_ERROR, SERVICE_ERROR_BUS))
        g_clear_pointer(&u->bus, service_bus_free);
}

static char *systemd_state(void *data, const char *unit, GError **error)
{
    service_bus *bus = bus_of(data, error);
    char *state = bus ? service_unit_state(bus, unit, error) : NULL;
    check_bus(data, state, error);
    return state;
}

static bool systemd_restarts(void *data, const char *unit, unsigned *ret, GError **error)
{
    service_bus *bus = bus_of(data, error);
    bool ok = bus && service_unit_restarts(bus, unit, ret, error);
    check_bus(data, ok, error);
    return ok;
}

static bool systemd_stopping(void *data)
{
    service_bus *bus = bus_of(data, NULL);
    return bus && service_system_is_stopping(bus);
}

static bool systemd_act(void *data, const char *unit, service_action action, int timeout_ms, GError **error)
{
    service_bus *bus = bus_of(data, error);
    bool ok = bus && service_unit_do(bus, unit, action, timeout_ms, error);
    check_bus(data, ok, error);
    return ok;
}

static char **systemd_enabled(void *data, GError **error)
{
    return service_get_enabled(error);
}

static bool systemd_enable(void *data, const char *const *names, GError **error)
{
    service_bus *bus = bus_of(data, error);
    bool ok = bus && service_set_enabled(bus, names, error);
    check_bus(data, ok, error);
    return ok;
}

static bool systemd_converge(void *data, GError **error)
{
    service_bus *bus = bus_of(data, error);
    bool ok = bus && service_converge(bus, CONVERGE_TIMEOUT_MS, error);
    check_bus(data, ok, error);
    return ok;
}

static void systemd_done(void *data)
{
    systemd_units *u = data;
    service_bus_free(u->bus);
    g_free(u);
}

unit_driver units_systemd(void)
{
    return (unit_driver) {
        .state = systemd_state, .restarts = systemd_restarts, .stopping = systemd_stopping, .act = systemd_act, .enabled = systemd_enabled, .enable = systemd_enable,
        .converge = systemd_converge, .done = systemd_done, .data = g_new0(systemd_units, 1),
    };
}

static char *no_state(void *data, const char *unit, GError **error)
{
    return g_strdup("inactive");
}

static bool no_restarts(void *data, const char *unit, unsigned *ret, GError **error)
{
    *ret = 0;
    return true;
}

static bool not_stopping(void *data)
{
    return false;
}

static bool no_act(void *data, const char *unit, service_action action, int timeout_ms, GError **error)
{
    return true;
}

static char **no_enabled(void *data, GError **error)
{
    return g_new0(char *, 1);
}

static bool no_enable(void *data, const char *const *names, GError **error)
{
    return true;
}

static bool no_converge(void *data, GError **error)
{
    return true;
}

static void no_done(void *data)
{
}

unit_driver units_none(void)
{
    return (unit_driver) { .state = no_state, .restarts = no_restarts, .stopping = not_stopping, .act = no_act, .enabled = no_enabled, .enable = no_enable,
                           .converge = no_converge, .done = no_done };
}
