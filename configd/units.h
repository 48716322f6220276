/* What the engine does to units, as a table of functions, so that a test can
 * stand in for systemd. units_systemd() is the real one (lib/service). */
#ifndef MAILSTEAD_CONFIGD_UNITS_H
#define MAILSTEAD_CONFIGD_UNITS_H

#include <glib.h>
#include <stdbool.h>
#include "lib/service/service.h"

typedef struct {
    char *(*state)(void *data, const char *unit, GError **error);
    /* How often the manager has restarted UNIT by itself since it was started. */
    bool (*restarts)(void *data, const char *unit, unsigned *ret, GError **error);
    /* The host is going down. */
    bool (*stopping)(void *data);
    bool (*act)(void *data, const char *unit, service_action action, int timeout_ms, GError **error);
    /* The enabled set as it is, and a new one. */
    char **(*enabled)(void *data, GError **error);
    bool (*enable)(void *data, const char *const *names, GError **error);
    /* Makes what runs follow the enabled set. */
    bool (*converge)(void *data, GError **error);
    void (*done)(void *data);
    void *data;
} unit_driver;

/* Opens the bus at first use and again after it broke. */
unit_driver units_systemd(void);
/* Knows no unit: --render-only. */
unit_driver units_none(void);

#endif
