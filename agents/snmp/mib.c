/* See mib.h. Columns of notifications and tables alike are filled by mib_add(). */
#include "agents/snmp/mib.h"

#include <string.h>

static const object host_objects[] = {
    { "zmHostName", 1, AS_STRING, "NAME" },
    { "zmHostSampleTime", 2, AS_DATE, "SAMPLE_TIME" },
    { "zmHostAlertsSent", 3, AS_COUNTER, "SENT" },
    { "zmHostAlertsWaiting", 4, AS_GAUGE, "WAITING" },
};

static const object service_objects[] = {
    { "zmServiceState", 2, AS_INTEGER, "STATE" },
    { "zmServiceSince", 3, AS_DATE, "SINCE" },
    { "zmServiceRestarts", 4, AS_COUNTER, "RESTARTS" },
};

static const object queue_objects[] = {
    { "zmQueueMessages", 2, AS_GAUGE, "MESSAGES" },
    { "zmQueueVolume", 3, AS_GAUGE, "VOLUME" },
    { "zmQueueOldestAge", 4, AS_GAUGE, "OLDEST_AGE" },
};

static const object traffic_objects[] = {
    { "zmTrafficMessages", 1, AS_COUNTER64, "mta:messages" },
    { "zmTrafficBytes", 2, AS_COUNTER64, "mta:bytes" },
    { "zmTrafficReceived", 3, AS_COUNTER64, "mta:received" },
    { "zmTrafficDelivered", 4, AS_COUNTER64, "mta:delivered" },
    { "zmTrafficSpam", 5, AS_COUNTER64, "mta:spam" },
    { "zmTrafficVirus", 6, AS_COUNTER64, "mta:virus" },
    { "zmTrafficDeferred", 7, AS_COUNTER64, "mta:deferred" },
    { "zmTrafficBounced", 8, AS_COUNTER64, "mta:bounced" },
    { "zmTrafficRejected", 9, AS_COUNTER64, "mta:rejected" },
};

static const object store_objects[] = {
    { "zmStoreMailboxes", 1, AS_GAUGE, "mailboxd:mbox_count" },
    { "zmStoreReceivedMessages", 2, AS_COUNTER64, "mailboxd:lmtp_rcvd_msgs" },
    { "zmStoreReceivedBytes", 3, AS_COUNTER64, "mailboxd:lmtp_rcvd_bytes" },
    { "zmStoreDeliveredMessages", 4, AS_COUNTER64, "mailboxd:lmtp_dlvd_msgs" },
    { "zmStoreDeliveredBytes", 5, AS_COUNTER64, "mailboxd:lmtp_dlvd_bytes" },
    { "zmStoreAddedMessages", 6, AS_COUNTER64, "mailboxd:mbox_add_msg_count" },
    { "zmStoreImapSessions", 7, AS_GAUGE, "mailboxd:imap_conn" },
    { "zmStorePopSessions", 8, AS_GAUGE, "mailboxd:pop_conn" },
    { "zmStoreLmtpSessions", 9, AS_GAUGE, "mailboxd:lmtp_conn" },
    { "zmStoreImapCommands", 10, AS_COUNTER64, "mailboxd:imap_count" },
    { "zmStorePopCommands", 11, AS_COUNTER64, "mailboxd:pop_count" },
    { "zmStoreRedoBytes", 12, AS_COUNTER64, "mailboxd:redo_bytes" },
    { "zmStoreRedoFlushes", 13, AS_COUNTER64, "mailboxd:redo_commits" },
    { "zmStoreRedoUnapplied", 14, AS_GAUGE, "mailboxd:redo_unapplied_bytes" },
    { "zmStoreCheckpoints", 15, AS_COUNTER64, "mailboxd:checkpoints" },
};

static const object disk_objects[] = {
    { "zmDiskPath", 2, AS_STRING, "PATH" },
    { "zmDiskDevice", 3, AS_STRING, "DEVICE" },
    { "zmDiskSize", 4, AS_GAUGE, "SIZE" },
    { "zmDiskFree", 5, AS_GAUGE, "FREE" },
    { "zmDiskUsedPercent", 6, AS_GAUGE, "USED_PERCENT" },
    { "zmDiskState", 7, AS_INTEGER, "STATE" },
};

static const object cert_objects[] = {
    { "zmCertFile", 2, AS_STRING, "FILE" },
    { "zmCertSubject", 3, AS_STRING, "SUBJECT" },
    { "zmCertNotAfter", 4, AS_DATE, "NOT_AFTER" },
    { "zmCertDaysLeft", 5, AS_INTEGER, "DAYS_LEFT" },
    { "zmCertState", 6, AS_INTEGER, "STATE" },
};

static const object alert_objects[] = {
    { "zmAlertName", 2, AS_STRING, "ID" },
    { "zmAlertSeverity", 3, AS_INTEGER, "SEVERITY" },
    { "zmAlertTime", 4, AS_DATE, "TIME" },
    { "zmAlertHost", 5, AS_STRING, "HOST" },
    { "zmAlertSubject", 6, AS_STRING, "SUBJECT" },
    { "zmAlertBody", 7, AS_TEXT, "BODY" },
    { "zmAlertLevel", 8, AS_GAUGE, "LEVEL" },
    { "zmAlertCondition", 9, AS_STRING, "CONDITION" },
    { "zmAlertService", 10, AS_STRING, "SERVICE" },
    { "zmAlertServiceState", 11, AS_INTEGER, "SERVICE_STATE" },
    { "zmAlertVolume", 12, AS_STRING, "VOLUME" },
    { "zmAlertDevice", 13, AS_STRING, "DEVICE" },
    { "zmAlertPercent", 14, AS_GAUGE, "PERCENT" },
    { "zmAlertFile", 15, AS_STRING, "FILE" },
    { "zmAlertCertificate", 16, AS_STRING, "NAME" },
    { "zmAlertExpires", 17, AS_STRING, "EXPIRES" },
    { "zmAlertDays", 18, AS_GAUGE, "DAYS" },
    { "zmAlertAccount", 19, AS_STRING, "ACCOUNT" },
    { "zmAlertClient", 20, AS_STRING, "CLIENT_IP" },
    { "zmAlertProtocol", 21, AS_STRING, "PROTOCOL" },
    { "zmAlertCount", 22, AS_GAUGE, "COUNT" },
    { "zmAlertThreshold", 23, AS_GAUGE, "THRESHOLD" },
    { "zmAlertWindow", 24, AS_GAUGE, "SECONDS" },
    { "zmAlertShard", 25, AS_STRING, "SHARD" },
    { "zmAlertOwnerPid", 26, AS_GAUGE, "OWNER_PID" },
    { "zmAlertDuplicatePid", 27, AS_GAUGE, "DUPLICATE_PID" },
    { "zmAlertMessage", 28, AS_TEXT, "MESSAGE" },
    { "zmAlertUnit", 29, AS_STRING, "UNIT" },
    { "zmAlertResult", 30, AS_STRING, "RESULT" },
    { "zmAlertOutput", 31, AS_TEXT, "OUTPUT" },
    { "zmAlertQueue", 32, AS_STRING, "QUEUE" },
    { "zmAlertAge", 33, AS_STRING, "AGE" },
    { "zmAlertCommand", 34, AS_STRING, "COMMAND" },
    { "zmAlertError", 35, AS_STRING, "ERROR" },
};

/* NETWORK-SERVICES-MIB: the services as applications. */
static const object appl_objects[] = {
    { "applName", 2, AS_STRING, "NAME" },
    { "applUptime", 5, AS_TICKS, "UPTIME" },
    { "applOperStatus", 6, AS_INTEGER, "STATUS" },
    { "applLastChange", 7, AS_TICKS, "UPTIME" },
    { "applInboundAssociations", 8, AS_GAUGE, "INBOUND" },
};

/* MTA-MIB: Postfix, and each of its queues as a group. */
static const object mta_objects[] = {
    { "mtaReceivedMessages", 1, AS_COUNTER, "RECEIVED" },
    { "mtaStoredMessages", 2, AS_GAUGE, "MESSAGES" },
    { "mtaTransmittedMessages", 3, AS_COUNTER, "DELIVERED" },
    { "mtaReceivedVolume", 4, AS_COUNTER, "RECEIVED_VOLUME" },
    { "mtaStoredVolume", 5, AS_GAUGE, "VOLUME" },
};

static const object mta_group_objects[] = {
    { "mtaGroupStoredMessages", 4, AS_GAUGE, "MESSAGES" },
    { "mtaGroupStoredVolume", 7, AS_GAUGE, "VOLUME" },
    { "mtaGroupOldestMessageStored", 12, AS_INTEGER, "OLDEST_TICKS" },
    { "mtaGroupName", 25, AS_STRING, "NAME" },
};

#define AT(...) .base = (const guint32[]) { __VA_ARGS__ }, \
                .base_len = sizeof((const guint32[]) { __VA_ARGS__ }) / sizeof(guint32)
#define SHOWS(list) .objects = (list), .n = G_N_ELEMENTS(list)

static const group groups[GROUPS] = {
    [GROUP_HOST] = { "zmHost", AT(OID_MODULE, 1, 1), .index = INDEX_NONE, SHOWS(host_objects) },
    [GROUP_SERVICE] = { "zmServiceTable", AT(OID_MODULE, 1, 2, 1), .index = INDEX_NAME, .index_fields = { "NAME" }, SHOWS(service_objects) },
    [GROUP_QUEUE] = { "zmQueueTable", AT(OID_MODULE, 1, 3, 1), .index = INDEX_NAME, .index_fields = { "NAME" }, SHOWS(queue_objects) },
    [GROUP_TRAFFIC] = { "zmTraffic", AT(OID_MODULE, 1, 4), .index = INDEX_NONE, SHOWS(traffic_objects) },
    [GROUP_STORE] = { "zmStore", AT(OID_MODULE, 1, 5), .index = INDEX_NONE, SHOWS(store_objects) },
    [GROUP_DISK] = { "zmDiskTable", AT(OID_MODULE, 1, 6, 1), .index = INDEX_NUMBER, .index_fields = { "INDEX" }, SHOWS(disk_objects) },
    [GROUP_CERT] = { "zmCertTable", AT(OID_MODULE, 1, 7, 1), .index = INDEX_NUMBER, .index_fields = { "INDEX" }, SHOWS(cert_objects) },
    [GROUP_ALERT] = { "zmAlertTable", AT(OID_MODULE, 1, 8, 1), .index = INDEX_NUMBER, .index_fields = { "NUMBER" }, SHOWS(alert_objects) },
    [GROUP_APPL] = { "applTable", AT(OID_MIB_2, 27, 1, 1), .index = INDEX_NUMBER, .index_fields = { "APPL" }, SHOWS(appl_objects) },
    [GROUP_MTA] = { "mtaTable", AT(OID_MIB_2, 28, 1, 1), .index = INDEX_NUMBER, .index_fields = { "APPL" }, SHOWS(mta_objects) },
    [GROUP_MTA_GROUP] = { "mtaGroupTable", AT(OID_MIB_2, 28, 2, 1), .index = INDEX_NUMBERS, .index_fields = { "APPL", "GROUP" }, SHOWS(mta_group_objects) },
};

const char *const mib_common_objects[] = {
    "zmAlertName", "zmAlertSeverity", "zmAlertTime", "zmAlertHost", "zmAlertSubject", NULL
};

#define OBJECTS(...) (const char *const[]) { __VA_ARGS__, NULL }
static const notification notifications[] = {
    { "zmServiceStatusTrap", 1, OBJECTS("zmAlertService", "zmAlertServiceState") },
    { "zmDiskTrap", 2, OBJECTS("zmAlertVolume", "zmAlertDevice", "zmAlertPercent", "zmAlertLevel") },
    { "zmCertificateTrap", 3, OBJECTS("zmAlertFile", "zmAlertCertificate", "zmAlertExpires", "zmAlertDays", "zmAlertLevel") },
    { "zmAuthFailuresTrap", 4, OBJECTS("zmAlertAccount", "zmAlertClient", "zmAlertProtocol", "zmAlertCount", "zmAlertThreshold", "zmAlertWindow", "zmAlertLevel") },
    { "zmStoreTrap", 5, OBJECTS("zmAlertShard", "zmAlertOwnerPid", "zmAlertDuplicatePid", "zmAlertMessage") },
    { "zmConfigTrap", 6, OBJECTS("zmAlertMessage") },
    { "zmJobTrap", 7, OBJECTS("zmAlertUnit", "zmAlertResult", "zmAlertOutput", "zmAlertLevel") },
    { "zmQueueTrap", 8, OBJECTS("zmAlertQueue", "zmAlertAge", "zmAlertCount", "zmAlertLevel") },
    { "zmDatabaseTrap", 9, OBJECTS("zmAlertCommand", "zmAlertOutput", "zmAlertError", "zmAlertLevel") },
    { "zmAlertTrap", 10, OBJECTS("zmAlertMessage", "zmAlertLevel") },
};

const notification *mib_notifications(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(notifications);
    return notifications;
}

const notification *mib_notification(const char *name)
{
    for (size_t i = 0; name && i < G_N_ELEMENTS(notifications); i++)
        if (g_str_equal(notifications[i].name, name))
            return &notifications[i];
    return &notifications[G_N_ELEMENTS(notifications) - 1];
}

const group *mib_group(group_id id)
{
    return &groups[id];
}

const object *mib_object(group_id id, const char *name)
{
    for (guint i = 0; i < groups[id].n; i++)
        if (g_str_equal(groups[id].objects[i].name, name))
            return &groups[id].objects[i];
    return NULL;
}

/* ---- instances ---- */

bool mib_date(gint64 seconds, guint8 ret[DATE_LEN])
{
    g_autoptr(GDateTime) d = g_date_time_new_from_unix_utc(seconds);
    if (!d)
        return false;
    int year = g_date_time_get_year(d);
    const guint8 bytes[DATE_LEN] = {
        (guint8) (year >> 8), (guint8) year, (guint8) g_date_time_get_month(d), (guint8) g_date_time_get_day_of_month(d),
        (guint8) g_date_time_get_hour(d), (guint8) g_date_time_get_minute(d), (guint8) g_date_time_get_second(d), 0, '+', 0, 0,
    };
    memcpy(ret, bytes, sizeof bytes);
    return true;
}

/* The instance's part of the OID; false when the record has none. */
static bool append_index(oid_path *at, const group *g, const record *r)
{
    const guint32 scalar = 0;
    if (g->index == INDEX_NONE)
        return oid_append(at, &scalar, 1);
    if (g->index == INDEX_NAME) {
        const char *name = record_get(r, g->index_fields[0]);
        for (const char *p = name; p && *p; p++) {
            guint32 id = (guint8) *p;
            if (!oid_append(at, &id, 1))
                return false;
        }
        return name && *name;
    }
    for (int i = 0; i < (g->index == INDEX_NUMBERS ? 2 : 1); i++) {
        gint64 number;
        if (!record_number(r, g->index_fields[i], &number) || number < 0 || number > G_MAXUINT32)
            return false;
        guint32 id = (guint32) number;
        if (!oid_append(at, &id, 1))
            return false;
    }
    return true;
}

static void add_text(tree *t, const oid_path *at, const char *text, gsize max)
{
    gsize len = strlen(text);
    if (len > max)
        len = (gsize) (g_utf8_find_prev_char(text, text + max + 1) - text);
    tree_add_bytes(t, at, text, len);
}

static void add_number(tree *t, const oid_path *at, object_type type, gint64 n)
{
    switch (type) {
    case AS_INTEGER:
        return tree_add_number(t, at, VALUE_INTEGER, CLAMP(n, G_MININT32, G_MAXINT32));
    case AS_GAUGE:            /* sticks at its ends, RFC 2578 §7.1.7 */
        return tree_add_number(t, at, VALUE_GAUGE, CLAMP(n, 0, G_MAXUINT32));
    case AS_COUNTER:          /* goes round */
        return tree_add_number(t, at, VALUE_COUNTER, n & G_MAXUINT32);
    case AS_TICKS:
        return tree_add_number(t, at, VALUE_TICKS, n & G_MAXUINT32);
    default:
        return tree_add_number(t, at, VALUE_COUNTER64, n);
    }
}

static void add_object(tree *t, const oid_path *at, const object *o, const record *r)
{
    guint8 date[DATE_LEN];
    gint64 number;
    const char *text = record_get(r, o->field);
    if (o->type == AS_STRING || o->type == AS_TEXT) {
        if (text)
            add_text(t, at, text, o->type == AS_TEXT ? 1024 : 255);
    } else if (!record_number(r, o->field, &number))
        return;
    else if (o->type != AS_DATE)
        add_number(t, at, o->type, number);
    else if (mib_date(number, date))
        tree_add_bytes(t, at, date, sizeof date);
}

void mib_add(tree *t, group_id id, const record *r)
{
    const group *g = &groups[id];
    for (guint i = 0; i < g->n; i++) {
        oid_path at = { .n = 0 };
        if (oid_append(&at, g->base, g->base_len) && oid_append(&at, &g->objects[i].id, 1) && append_index(&at, g, r))
            add_object(t, &at, &g->objects[i], r);
    }
}
