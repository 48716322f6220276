/* Puts the parts together: facts and alerts become the tree that requests are
 * answered from, alerts become notifications. */
#ifndef MAILSTEAD_SNMP_MANAGER_H
#define MAILSTEAD_SNMP_MANAGER_H

#include <glib.h>
#include <systemd/sd-event.h>

enum { MANAGER_ALERTS = 100 };  /* rows of zmAlertTable */

typedef struct {
    const char *config, *agentx_socket, *feed_socket, *sent_file;
} manager_paths;

typedef struct manager manager;

manager *manager_new(sd_event *event, const manager_paths *paths, GError **error);
void manager_free(manager *m);

#endif
