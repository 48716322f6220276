/* Change notices for the other daemons' caches: /run/zimbra/configd/changes,
 * SOCK_SEQPACKET, one datagram a change: "<csn> <dn>", or "*": forget all. */
#ifndef MAILSTEAD_CONFIGD_PUBLISH_H
#define MAILSTEAD_CONFIGD_PUBLISH_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct publisher publisher;

publisher *publisher_new(sd_event *event, const char *path, GError **error);
void publisher_free(publisher *p);

/* A change of DN. A subscriber that does not keep up is dropped: it reconnects
 * and forgets all. */
void publisher_send(publisher *p, const char *csn, const char *dn);
void publisher_send_gap(publisher *p);

#endif
