/* One alert of zmalertd's feed (agents/alerts describes its form) as a row of
 * zmAlertTable. */
#ifndef MAILSTEAD_SNMP_PACKET_H
#define MAILSTEAD_SNMP_PACKET_H

#include "agents/snmp/mib.h"

enum { PACKET_MAX = 64 * 1024, PACKET_FIELDS_MAX = 64 };

/* NULL when the bytes are no alert. The row has the fields of the feed, and those
 * that the notification's objects show with "" or 0 where the alert has none. */
record *packet_parse(const char *bytes, gsize len);

/* The notification this alert is told by; NULL: it has none. */
const notification *packet_notification(const record *row);

#endif
