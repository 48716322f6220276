/* The way of an alert through zmalertd: known already? news of its condition? then
 * it is numbered, kept, offered on the feed and mailed. */
#ifndef MAILSTEAD_ALERTS_MANAGER_H
#define MAILSTEAD_ALERTS_MANAGER_H

#include <systemd/sd-event.h>
#include "agents/alerts/conditions.h"
#include "agents/alerts/config.h"
#include "agents/alerts/keep.h"
#include "lib/alert/alert.h"

typedef struct manager manager;

typedef struct {
    const char *config, *folder;        /* alerts.conf, what is kept */
    const char *raise_socket, *feed_socket;
} manager_paths;

manager *manager_new(sd_event *event, const manager_paths *paths, GError **error);
void manager_free(manager *m);

sd_event *manager_event(manager *m);
const alerts_config *manager_config(manager *m);
/* Level of a condition, 0 when all is well: watchers ask before they raise. */
int manager_level(manager *m, const char *condition);
conditions *manager_conditions(manager *m);
keep *manager_keep(manager *m);

/* An alert from outside, by whichever way. */
void manager_take(manager *m, alert *a);
/* One of zmalertd's own: recorded in the journal, then taken. Fields are pairs. */
void manager_raise(manager *m, const char *id, ...) G_GNUC_NULL_TERMINATED;
/* Mail may go again. */
void manager_kick_mail(manager *m);
/* The state file is written soon. */
void manager_state_changed(manager *m);

#endif
