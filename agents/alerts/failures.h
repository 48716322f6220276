/* Authentication failures: zmauthd's audit records, counted in sliding windows
 * (Guide ch. 12). */
#ifndef MAILSTEAD_ALERTS_FAILURES_H
#define MAILSTEAD_ALERTS_FAILURES_H

#include "agents/alerts/manager.h"

typedef struct failures failures;

failures *failures_new(manager *m);
/* The configuration is another. */
void failures_configure(failures *f);
void failures_start(failures *f);
void failures_free(failures *f);

#endif
