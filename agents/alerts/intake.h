/* The socket that lib/alert sends to: one datagram, one alert. */
#ifndef MAILSTEAD_ALERTS_INTAKE_H
#define MAILSTEAD_ALERTS_INTAKE_H

#include "agents/alerts/manager.h"

typedef struct intake intake;

intake *intake_new(manager *m, const char *path, GError **error);
void intake_free(intake *i);

/* Only root and the users of services (ids below 1000) may raise alerts. */
bool intake_may_raise(uid_t uid);

#endif
