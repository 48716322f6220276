/* The whole of zmloggerd behind one handle. */
#ifndef MAILSTEAD_LOGGER_MANAGER_H
#define MAILSTEAD_LOGGER_MANAGER_H

#include <glib.h>
#include <systemd/sd-event.h>

typedef struct {
    const char *config, *database, *counts;
    const char *journal;        /* folder; NULL: this host's */
    const char *log_root;       /* put before the log files' folders; NULL: "" */
} manager_paths;

typedef struct manager manager;

manager *manager_new(sd_event *event, const manager_paths *paths, GError **error);
void manager_free(manager *m);

#endif
