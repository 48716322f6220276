/* Private to lib/service: what its files share about the manager's bus. */
#ifndef MAILSTEAD_SERVICE_BUS_H
#define MAILSTEAD_SERVICE_BUS_H

#include <systemd/sd-bus.h>
#include "lib/service/service.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD_NAME ".Manager"
#define SYSTEMD_UNIT SYSTEMD_NAME ".Unit"
#define SYSTEMD_SERVICE SYSTEMD_NAME ".Service"

struct service_bus {
    sd_bus *bus;
    sd_bus_slot *removed_slot;
    /* The job being waited for, and how it ended (NULL: not yet). */
    char *job_path;
    char *job_result;
};

/* Sets ERROR from a failed call: WHAT, the bus's own words or errno's. False. */
bool bus_fail(GError **error, const char *what, const char *unit, const sd_bus_error *bus_error, int r);

/* A string property of UNIT; caller frees. NULL and ERROR on failure. */
char *unit_property(service_bus *bus, const char *unit, const char *interface, const char *property, GError **error);

#endif
