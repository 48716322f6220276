/* Collects facts every SAMPLER_S seconds in a thread of its own, because systemd,
 * Postfix and disks may keep it waiting, and hands them to the loop. */
#ifndef MAILSTEAD_SNMP_SAMPLER_H
#define MAILSTEAD_SNMP_SAMPLER_H

#include <systemd/sd-event.h>
#include "agents/snmp/facts.h"

enum { SAMPLER_S = 10 };

typedef struct sampler sampler;
/* Owns F. */
typedef void (*sampler_fn)(facts *f, void *data);

/* CONFIG must live as long as the process. There is no way to end a sampler: its
 * thread may be waiting for another program, and the process ends without it. */
sampler *sampler_new(sd_event *event, const snmpagent_config *config, sampler_fn take, void *data, GError **error);
/* Something changed: collect now. */
void sampler_kick(sampler *s);

#endif
