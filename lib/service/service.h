/* The appliance's services and their systemd units (design §3, principle 5): one
 * table of service names with units, start order and Guide names; control and
 * status over sd-bus. Read-only calls need no privilege; the others root or the
 * zimbra login (polkit rule). */
#ifndef MAILSTEAD_SERVICE_H
#define MAILSTEAD_SERVICE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;          /* as in zimbraServiceEnabled: ldap, mta, mailbox… */
    const char *unit;          /* unit that stands for it: zimbra-mta.target… */
    const char *const *parts;  /* units that must be active for "Running"; NULL-terminated */
    int order;                 /* start order, ascending */
    bool always;               /* on every host whatever is enabled (zmconfigd) */
    bool counted;              /* counts in zmcontrol's exit status */
} service_def;

const service_def *service_table(size_t *ret_n);
const service_def *service_find(const char *name);

typedef struct service_bus service_bus;
service_bus *service_bus_open(GError **error);
void service_bus_free(service_bus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(service_bus, service_bus_free)

typedef enum { SERVICE_START, SERVICE_STOP, SERVICE_RESTART, SERVICE_RELOAD, SERVICE_RELOAD_OR_RESTART } service_action;
/* Runs a job on UNIT and waits up to TIMEOUT_MS for it (0: only queues it); the
 * error has the unit's own result and its last journal line. */
bool service_unit_do(service_bus *bus, const char *unit, service_action action, int timeout_ms, GError **error);
/* ActiveState: "active", "inactive", "failed", "activating"…; caller frees. */
char *service_unit_state(service_bus *bus, const char *unit, GError **error);
/* How often systemd has restarted the service UNIT by itself since its start. */
bool service_unit_restarts(service_bus *bus, const char *unit, unsigned *ret, GError **error);
/* The host is going down. */
bool service_system_is_stopping(service_bus *bus);
/* The unit and all parts active (what a target wants counts as a part; a part
 * that its own condition keeps off does not). DETAIL (may be NULL) gets "unit:
 * state" lines of those that are not. */
bool service_is_running(service_bus *bus, const service_def *service, GString *detail, GError **error);

/* Writes the enabled set (what the generator turns into zimbra.target's wants)
 * and reloads the manager; names not in the table are an error. Starts and stops
 * nothing: service_converge() does. */
#define SERVICE_ENABLED_PATH PREFIX "/conf/enabled-services"
bool service_set_enabled(service_bus *bus, const char *const *names, GError **error);
char **service_get_enabled(GError **error);
/* Makes the running units follow the enabled set: stops services that are not in
 * it, then queues a start of zimbra.target, which starts what is missing and
 * leaves what runs alone. */
bool service_converge(service_bus *bus, int timeout_ms, GError **error);

#define SERVICE_ERROR (service_error_quark())
GQuark service_error_quark(void);
/* CANCELED: another job (a stop, somebody's restart) took the place of ours. */
enum { SERVICE_ERROR_BUS, SERVICE_ERROR_JOB, SERVICE_ERROR_UNKNOWN, SERVICE_ERROR_TIMEOUT, SERVICE_ERROR_CANCELED };

#endif
