/* The AgentX session with snmpd (RFC 2741), by net-snmp's agent library.
 *
 * It is made again within a second when snmpd comes back. Requests are answered
 * from the tree that the caller keeps up to date; nothing waits for anything but
 * snmpd. One object a process: net-snmp's state is global. */
#ifndef MAILSTEAD_SNMP_AGENTX_H
#define MAILSTEAD_SNMP_AGENTX_H

#include <systemd/sd-event.h>
#include "agents/snmp/mib.h"

#define SNMPD_AGENTX_SOCKET "/run/zimbra/snmp/agentx"

typedef struct agentx agentx;

/* CHANGED is called whenever the session comes or goes. */
agentx *agentx_new(sd_event *event, const char *socket, void (*changed)(void *data), void *data);
void agentx_free(agentx *a);
/* Owns T from now on. */
void agentx_show(agentx *a, tree *t);
bool agentx_is_connected(const agentx *a);

/* Hands NOTIFICATION with the values of ROW (of GROUP_ALERT) to snmpd; DONE hears
 * whether it took it. False: not connected, DONE is not called. One at a time. */
typedef void (*agentx_done)(bool taken, void *data);
bool agentx_notify(agentx *a, const notification *n, const record *row, agentx_done done, void *data);

#endif
