/* How long the host's and the CA's certificates are still good. */
#ifndef MAILSTEAD_ALERTS_CERTIFICATES_H
#define MAILSTEAD_ALERTS_CERTIFICATES_H

#include "agents/alerts/manager.h"

typedef struct certificates certificates;

certificates *certificates_new(manager *m);
void certificates_free(certificates *c);
/* Now, not only once a day. */
void certificates_check(certificates *c);

/* 0 more than 30 days, 1 up to 30, 2 up to 14, 3 up to 7, 4 up to 1, 9 expired. */
enum { CERTIFICATES_EXPIRED = 9 };
int certificates_stage(gint64 expires_s, gint64 now_s);

#endif
