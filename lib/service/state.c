/* States of units and services, and the enabled set as the manager sees it. */
#include "lib/service/bus.h"

#include "lib/service/enabled.h"

static char *unit_path(const char *unit)
{
    char *path = NULL;
    int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
    g_assert(r >= 0);
    char *copy = g_strdup(path);
    free(path);
    return copy;
}

char *unit_property(service_bus *bus, const char *unit, const char *interface, const char *property, GError **error)
{
    g_autofree char *path = unit_path(unit);
    sd_bus_error e = SD_BUS_ERROR_NULL;
    char *value = NULL, *copy = NULL;
    int r = sd_bus_get_property_string(bus->bus, SYSTEMD_NAME, path, interface, property, &e, &value);
    if (r < 0)
        bus_fail(error, "read its state", unit, &e, r);
    else
        copy = g_strdup(value);
    free(value);
    sd_bus_error_free(&e);
    return copy;
}

char *service_unit_state(service_bus *bus, const char *unit, GError **error)
{
    return unit_property(bus, unit, SYSTEMD_UNIT, "ActiveState", error);
}

bool service_unit_restarts(service_bus *bus, const char *unit, unsigned *ret, GError **error)
{
    g_autofree char *path = unit_path(unit);
    uint32_t n = 0;
    int rc = sd_bus_get_property_trivial(bus->bus, SYSTEMD_NAME, path, SYSTEMD_SERVICE, "NRestarts", NULL, 'u', &n);
    if (rc < 0) {
        g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_BUS, "%s: %s", unit, g_strerror(-rc));
        return false;
    }
    *ret = n;
    return true;
}

bool service_system_is_stopping(service_bus *bus)
{
    char *state = NULL;
    int rc = sd_bus_get_property_string(bus->bus, SYSTEMD_NAME, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                                        "SystemState", NULL, &state);
    bool stopping = rc >= 0 && g_str_equal(state, "stopping");
    free(state);
    return stopping;
}

/* Units that TARGET wants; empty when it cannot be asked. */
static char **target_wants(service_bus *bus, const char *target)
{
    g_autofree char *path = unit_path(target);
    char **wants = NULL;
    if (sd_bus_get_property_strv(bus->bus, SYSTEMD_NAME, path, SYSTEMD_UNIT, "Wants", NULL, &wants) < 0)
        return g_new0(char *, 1);
    /* sd-bus gives NULL for an empty list. */
    char **copy = wants ? g_strdupv(wants) : g_new0(char *, 1);
    for (size_t i = 0; wants && wants[i]; i++)
        free(wants[i]);
    free(wants);
    return copy;
}

static bool kept_off_by_condition(service_bus *bus, const char *unit, const char *state)
{
    if (!g_str_equal(state, "inactive") || !g_str_has_suffix(unit, ".service"))
        return false;
    g_autofree char *result = unit_property(bus, unit, SYSTEMD_SERVICE, "Result", NULL);
    return result && g_str_equal(result, "exec-condition");
}

static bool part_is_active(service_bus *bus, const char *unit, GString *detail, bool *ret_active, GError **error)
{
    g_autofree char *state = service_unit_state(bus, unit, error);
    if (!state)
        return false;
    /* A unit that reloads keeps serving meanwhile. */
    *ret_active = g_str_equal(state, "active") || g_str_equal(state, "reloading") ||
        kept_off_by_condition(bus, unit, state);
    if (!*ret_active && detail)
        g_string_append_printf(detail, "%s: %s\n", unit, state);
    return true;
}

bool service_is_running(service_bus *bus, const service_def *service, GString *detail, GError **error)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new();
    g_auto(GStrv) wants = target_wants(bus, service->unit);
    g_ptr_array_add(units, (gpointer) service->unit);
    for (size_t i = 0; service->parts[i]; i++)
        if (!g_ptr_array_find_with_equal_func(units, service->parts[i], g_str_equal, NULL))
            g_ptr_array_add(units, (gpointer) service->parts[i]);
    bool target = g_str_has_suffix(service->unit, ".target");
    for (size_t i = 0; target && wants[i]; i++)
        if (g_str_has_prefix(wants[i], "zimbra-") &&
            !g_ptr_array_find_with_equal_func(units, wants[i], g_str_equal, NULL))
            g_ptr_array_add(units, wants[i]);
    bool all = true;
    for (guint i = 0; i < units->len; i++) {
        bool active;
        if (!part_is_active(bus, units->pdata[i], detail, &active, error))
            return false;
        all = all && active;
    }
    return all;
}

bool service_set_enabled(service_bus *bus, const char *const *names, GError **error)
{
    if (!enabled_write(SERVICE_ENABLED_PATH, names, error))
        return false;
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = sd_bus_call_method(bus->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Reload", &e, NULL, NULL);
    if (r < 0)
        bus_fail(error, "reload its units", "systemd", &e, r);
    sd_bus_error_free(&e);
    return r >= 0;
}

char **service_get_enabled(GError **error)
{
    return enabled_read(SERVICE_ENABLED_PATH, error);
}

/* A unit that an enabled service has as a part stays, whatever its own row says
 * (the milter, which belongs to the MTA). */
static bool is_part_of_enabled(const char *unit, const char *const *enabled)
{
    for (size_t i = 0; enabled[i]; i++) {
        const service_def *s = service_find(enabled[i]);
        if (s && (g_str_equal(s->unit, unit) || g_strv_contains(s->parts, unit)))
            return true;
    }
    return false;
}

bool service_converge(service_bus *bus, int timeout_ms, GError **error)
{
    g_auto(GStrv) enabled = service_get_enabled(error);
    if (!enabled)
        return false;
    size_t n;
    const service_def *table = service_table(&n);
    for (size_t i = n; i-- > 0; ) {
        const service_def *s = &table[i];
        if (s->always || is_part_of_enabled(s->unit, (const char *const *) enabled))
            continue;
        g_autofree char *state = service_unit_state(bus, s->unit, error);
        if (!state)
            return false;
        if (!g_str_equal(state, "inactive") && !service_unit_do(bus, s->unit, SERVICE_STOP, timeout_ms, error))
            return false;
    }
    return service_unit_do(bus, "zimbra.target", SERVICE_START, 0, error);
}
