/* The services enabled on this host: whether they run by lib/service, since when
 * and how often restarted by their units' properties. */
#include "agents/snmp/facts.h"

#include <string.h>
#include <systemd/sd-bus.h>
#include "lib/service/service.h"

#define SYSTEMD "org.freedesktop.systemd1"

enum { STATE_RUNNING = 1, STATE_STARTING, STATE_STOPPED, STATE_FAILED, CALL_USEC = 3000000 };

static guint64 number_of(sd_bus *bus, const char *unit, const char *interface, const char *property, char type)
{
    char *path = NULL;
    guint64 wide = 0;
    guint32 narrow = 0;
    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) < 0)
        return 0;
    int r = sd_bus_get_property_trivial(bus, SYSTEMD, path, interface, property, NULL, type,
                                        type == 't' ? (void *) &wide : (void *) &narrow);
    free(path);
    return r < 0 ? 0 : type == 't' ? wide : narrow;
}

/* When UNIT came into a state: 0 never. */
static gint64 since(sd_bus *bus, const char *unit, bool active)
{
    return (gint64) (number_of(bus, unit, SYSTEMD ".Unit", active ? "ActiveEnterTimestamp" : "InactiveEnterTimestamp", 't') /
                     G_USEC_PER_SEC);
}

static int state_of(bool running, const char *detail)
{
    if (running)
        return STATE_RUNNING;
    if (strstr(detail, ": failed"))
        return STATE_FAILED;
    return strstr(detail, ": activating") ? STATE_STARTING : STATE_STOPPED;
}

static void add_service(facts *f, service_bus *services, sd_bus *bus, const service_def *s)
{
    g_autoptr(GString) detail = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool running = service_is_running(services, s, detail, &error);
    if (error)
        return;                 /* not known: no row */
    gint64 when = since(bus, s->unit, running), restarts = 0;
    for (size_t i = 0; s->parts[i]; i++) {
        when = MAX(when, since(bus, s->parts[i], running));
        if (g_str_has_suffix(s->parts[i], ".service"))
            restarts += (gint64) number_of(bus, s->parts[i], SYSTEMD ".Service", "NRestarts", 'u');
    }
    record *r = record_new();
    record_set(r, "NAME", s->name);
    record_set_number(r, "STATE", state_of(running, detail->str));
    if (when > 0)
        record_set_number(r, "SINCE", when);
    record_set_number(r, "RESTARTS", restarts);
    record_set_number(r, "SNMPD_SINCE", since(bus, SNMPD_UNIT, true));
    facts_add(f, GROUP_SERVICE, r);
}

void services_collect(facts *f)
{
    g_auto(GStrv) enabled = service_get_enabled(NULL);
    g_autoptr(service_bus) services = enabled ? service_bus_open(NULL) : NULL;
    sd_bus *bus = NULL;
    if (!services || sd_bus_open_system(&bus) < 0)
        return;                 /* no rows; zmalertd says that services cannot be watched */
    (void) sd_bus_set_method_call_timeout(bus, CALL_USEC);      /* else the default one */
    size_t n;
    const service_def *table = service_table(&n);
    for (size_t i = 0; i < n; i++)
        if (table[i].always || g_strv_contains((const char *const *) enabled, table[i].name))
            add_service(f, services, bus, &table[i]);
    sd_bus_flush_close_unref(bus);
}
