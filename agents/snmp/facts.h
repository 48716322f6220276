/* What was found out about the host at one moment: records by group. */
#ifndef MAILSTEAD_SNMP_FACTS_H
#define MAILSTEAD_SNMP_FACTS_H

#include "agents/snmp/config.h"
#include "agents/snmp/mib.h"

typedef struct {
    GPtrArray *rows[GROUPS];    /* record *; the alerts' and the host's stay empty */
} facts;

facts *facts_new(void);
void facts_free(facts *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(facts, facts_free)
/* Takes the reference. */
void facts_add(facts *f, group_id id, record *r);

/* What was measured; each adds rows to its group and may take its time. */
void services_collect(facts *f);
void queues_collect(facts *f, const char *socket);
void disks_collect(facts *f, const char *mountinfo, const snmpagent_config *c);
void certificates_collect(facts *f);
/* FOLDER: /run/zimbra/stats. */
void samples_collect(facts *f, const char *folder);
/* The standard modules' rows, made of the others. */
void standard_collect(facts *f);

/* The records of this host's services have SINCE; the AgentX master's own is needed
 * for times in ticks. */
#define SNMPD_UNIT "zimbra-snmpd.service"

#endif
