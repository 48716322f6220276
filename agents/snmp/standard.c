/* The rows of NETWORK-SERVICES-MIB (RFC 2788) and MTA-MIB (RFC 2789): the services
 * are the applications, applIndex the start order in lib/service's table + 1, which
 * never changes; Postfix's queues are the groups of the application mta. */
#include "agents/snmp/facts.h"

#include "lib/service/service.h"

enum { APPL_UP = 1, APPL_DOWN = 2, APPL_RESTARTING = 5, TICKS_S = 100, KILOBYTE = 1024 };

static void add_application(facts *f, const record *service)
{
    const service_def *def = service_find(record_get(service, "NAME"));
    gint64 state = 0, since = 0, snmpd = 0;
    if (!def)
        return;
    record *r = record_new();
    (void) record_number(service, "STATE", &state);     /* 0: without one it is down */
    record_set_number(r, "APPL", def->order + 1);
    record_set(r, "NAME", def->name);
    record_set_number(r, "STATUS", state == 1 ? APPL_UP : state == 2 ? APPL_RESTARTING : APPL_DOWN);
    /* sysUpTime then; 0 when it was before snmpd came up (TimeStamp of RFC 2579). */
    if (record_number(service, "SINCE", &since) && record_number(service, "SNMPD_SINCE", &snmpd) && snmpd > 0)
        record_set_number(r, "UPTIME", MAX(since - snmpd, 0) * TICKS_S);
    facts_add(f, GROUP_APPL, r);
}

static gint64 number_or_0(const record *r, const char *field)
{
    gint64 n = 0;
    return r && record_number(r, field, &n) ? n : 0;
}

static void add_group(facts *f, const record *queue, gint64 appl, guint index)
{
    record *r = record_new();
    record_set_number(r, "APPL", appl);
    record_set_number(r, "GROUP", index);
    record_set(r, "NAME", record_get(queue, "NAME"));
    record_set(r, "MESSAGES", record_get(queue, "MESSAGES"));
    record_set(r, "VOLUME", record_get(queue, "VOLUME"));
    record_set_number(r, "OLDEST_TICKS", number_or_0(queue, "OLDEST_AGE") * TICKS_S);
    facts_add(f, GROUP_MTA_GROUP, r);
}

void standard_collect(facts *f)
{
    const service_def *mta = service_find("mta");
    const GPtrArray *queues = f->rows[GROUP_QUEUE], *traffic = f->rows[GROUP_TRAFFIC];
    for (guint i = 0; i < f->rows[GROUP_SERVICE]->len; i++)
        add_application(f, f->rows[GROUP_SERVICE]->pdata[i]);
    if (!mta || queues->len == 0)
        return;
    gint64 appl = mta->order + 1, messages = 0, volume = 0;
    for (guint i = 0; i < queues->len; i++) {
        messages += number_or_0(queues->pdata[i], "MESSAGES");
        volume += number_or_0(queues->pdata[i], "VOLUME");
        add_group(f, queues->pdata[i], appl, i + 1);
    }
    record *r = record_new();
    record_set_number(r, "APPL", appl);
    record_set_number(r, "MESSAGES", messages);
    record_set_number(r, "VOLUME", volume);
    if (traffic->len > 0) {
        record_set(r, "RECEIVED", record_get(traffic->pdata[0], "mta:received"));
        record_set(r, "DELIVERED", record_get(traffic->pdata[0], "mta:delivered"));
        record_set_number(r, "RECEIVED_VOLUME", number_or_0(traffic->pdata[0], "mta:bytes") / KILOBYTE);
    }
    facts_add(f, GROUP_MTA, r);
}
