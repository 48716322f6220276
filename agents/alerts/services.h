/* Whether the services enabled on this host run; a change is an alert. */
#ifndef MAILSTEAD_ALERTS_SERVICES_H
#define MAILSTEAD_ALERTS_SERVICES_H

#include "agents/alerts/manager.h"

typedef struct services services;

services *services_new(manager *m);
void services_free(services *s);

#endif
