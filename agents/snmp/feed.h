/* The client of zmalertd's feed: all alerts it keeps, then each new one. The
 * connection is made again whenever it is lost. */
#ifndef MAILSTEAD_SNMP_FEED_H
#define MAILSTEAD_SNMP_FEED_H

#include <systemd/sd-event.h>
#include "agents/snmp/record.h"

typedef struct feed feed;
/* ROW is borrowed. */
typedef void (*feed_fn)(record *row, void *data);

feed *feed_new(sd_event *event, const char *path, feed_fn take, void *data);
void feed_free(feed *f);

#endif
