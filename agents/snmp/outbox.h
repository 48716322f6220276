/* Alerts on their way to snmpd, in order, each until it was taken. The last one that
 * was is remembered in a file, so that nothing is told twice after a restart and
 * what was raised while snmpd was away is told when it is back. */
#ifndef MAILSTEAD_SNMP_OUTBOX_H
#define MAILSTEAD_SNMP_OUTBOX_H

#include <systemd/sd-event.h>
#include "agents/snmp/mib.h"

enum { OUTBOX_MAX = 1000, OUTBOX_FIRST_AGE_S = 600 };

typedef struct outbox outbox;
/* Hands ROW over; false: it cannot now. Else outbox_taken() is called later. */
typedef bool (*outbox_send)(const record *row, void *data);

/* PATH: the file. */
outbox *outbox_new(sd_event *event, const char *path, outbox_send send, void *data);
void outbox_free(outbox *o);
/* An alert that was seen before is left out; with NOTIFY off it only counts as seen. */
void outbox_add(outbox *o, record *row, bool notify);
/* What became of the one under way. */
void outbox_taken(outbox *o, bool taken);
/* It may be possible to send now. */
void outbox_kick(outbox *o);
guint outbox_waiting(const outbox *o);
guint outbox_sent(const outbox *o);

#endif
