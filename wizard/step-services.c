/* Enables this host's services, starts them and waits until all run. */
#include <time.h>

#include "wizard/setup.h"

#define CONFIGD_UNIT "zimbra-configd.service"
#define TARGET       "zimbra.target"

enum { CONFIGD_MS = 600 * 1000, TARGET_MS = 600 * 1000, RUNNING_S = 600 };

bool services_enable(setup *s, GError **error)
{
    service_bus *bus = setup_bus(s, error);
    return bus && service_set_enabled(bus, (const char *const *) s->answers->services, error);
}

bool configd_start(setup *s, GError **error)
{
    service_bus *bus = setup_bus(s, error);
    return bus && service_unit_do(bus, CONFIGD_UNIT, SERVICE_START, CONFIGD_MS, error);
}

/* Waits for NAME till END; a service that failed ends the waiting. */
static bool wait_running(service_bus *bus, const char *name, gint64 end, GError **error)
{
    const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
    const service_def *service = service_find(name);
    for (;;) {
        g_autoptr(GString) detail = g_string_new(NULL);
        g_autoptr(GError) reason = NULL;
        if (service_is_running(bus, service, detail, &reason))
            return true;
        bool failed = strstr(detail->str, ": failed") != NULL;
        if (!reason && !failed && g_get_monotonic_time() < end) {
            (void) nanosleep(&pause, NULL);    /* a shorter pause only asks more often */
            continue;
        }
        g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "%s does not run (%s); see journalctl -u %s", name,
                    reason ? reason->message : g_strchomp(detail->str), service->unit);
        return false;
    }
}

bool services_start(setup *s, GError **error)
{
    service_bus *bus = setup_bus(s, error);
    if (!bus || !service_unit_do(bus, TARGET, SERVICE_START, TARGET_MS, error))
        return false;
    gint64 end = g_get_monotonic_time() + RUNNING_S * (gint64) G_USEC_PER_SEC;
    for (char **name = s->answers->services; *name; name++) {
        if (!wait_running(bus, *name, end, error))
            return false;
        setup_tell(s, *name);
    }
    return true;
}
