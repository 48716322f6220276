/* Alerts in the journal: those that came by datagram too, those that did not
 * because zmalertd was away, and those of journal_alert(). */
#ifndef MAILSTEAD_ALERTS_RECORDS_H
#define MAILSTEAD_ALERTS_RECORDS_H

#include "agents/alerts/manager.h"

typedef struct records records;

records *records_new(manager *m);
void records_free(records *r);

#endif
