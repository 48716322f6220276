/* The objects of MAILSTEAD-MIB (and of MTA-MIB, RFC 2789, and
 * NETWORK-SERVICES-MIB, RFC 2788) as tables: an object is a row with its number,
 * its type and the field of a record it shows. tests/unit/agents/snmp compares them
 * with the modules' text. */
#ifndef MAILSTEAD_SNMP_MIB_H
#define MAILSTEAD_SNMP_MIB_H

#include "agents/snmp/record.h"
#include "agents/snmp/tree.h"
#include "mibs/enterprise.h"

#define OID_MAILSTEAD 1, 3, 6, 1, 4, 1, MAILSTEAD_ENTERPRISE
#define OID_MODULE    OID_MAILSTEAD, 1, 1
#define OID_MIB_2     1, 3, 6, 1, 2, 1

typedef enum {
    AS_INTEGER, AS_GAUGE, AS_COUNTER, AS_COUNTER64, AS_TICKS,
    AS_STRING,                /* SnmpAdminString: UTF-8, cut at 255 bytes */
    AS_TEXT,                  /* ZmText: cut at 1024 */
    AS_DATE,                  /* field: seconds since the epoch */
} object_type;

typedef struct {
    const char *name;
    guint32 id;
    object_type type;
    const char *field;
} object;

typedef enum {
    INDEX_NONE,                 /* scalars: one record, instance 0 */
    INDEX_NUMBER, INDEX_NUMBERS /* two numbers */, INDEX_NAME, /* IMPLIED */
} index_kind;

typedef struct {
    const char *name;
    const guint32 *base;
    guint base_len;
    index_kind index;
    const char *index_fields[2];
    const object *objects;
    guint n;
} group;

typedef enum {
    GROUP_HOST, GROUP_SERVICE, GROUP_QUEUE, GROUP_TRAFFIC, GROUP_STORE, GROUP_DISK, GROUP_CERT, GROUP_ALERT,
    GROUP_APPL, GROUP_MTA, GROUP_MTA_GROUP, GROUPS
} group_id;

const group *mib_group(group_id id);

/* Adds the instances of one record; what it has no value for has none. */
void mib_add(tree *t, group_id id, const record *r);

typedef struct {
    const char *name;           /* as lib/alert's catalogue calls it */
    guint32 id;                 /* below zmNotifications */
    const char *const *objects; /* its own, behind mib_common_objects; NULL-terminated */
} notification;

extern const char *const mib_common_objects[];
const notification *mib_notifications(size_t *ret_n);
/* The one of that name, else the one for any other alert. */
const notification *mib_notification(const char *name);
const object *mib_object(group_id id, const char *name);       /* NULL none */
/* The bytes of a date (DateAndTime of SNMPv2-TC, in UTC). */
enum { DATE_LEN = 11 };
bool mib_date(gint64 seconds, guint8 ret[DATE_LEN]);

#endif
