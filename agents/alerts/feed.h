/* /run/zimbra/alerts/feed: alerts for other programs, by number.
 *
 * SOCK_SEQPACKET. The client sends the number of the last alert it has (0: all
 * that are kept), in decimal. From then on each packet is one alert:
 *   NUMBER \n ID \n SEVERITY \n SUBJECT \n BODY \n FIELD=VALUE \n …
 * SEVERITY is a word of syslog; in body and values newline is \n and backslash
 * \\. Besides the alert's own fields there are TIME (seconds since the epoch),
 * TRAP, MESSAGE_ID, CONDITION and LEVEL as far as they exist. */
#ifndef MAILSTEAD_ALERTS_FEED_H
#define MAILSTEAD_ALERTS_FEED_H

#include <systemd/sd-event.h>
#include "agents/alerts/keep.h"

typedef struct feed feed;

feed *feed_new(sd_event *event, const char *path, keep *k, GError **error);
void feed_free(feed *f);
/* There is a new alert in KEEP. */
void feed_publish(feed *f);
/* One packet; caller frees. */
char *feed_packet(guint64 number, const alert *a);

#endif
