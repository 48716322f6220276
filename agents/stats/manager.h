/* zmstatd at work: the clock that samples, and what SIGHUP asks for. */
#ifndef MAILSTEAD_STATS_MANAGER_H
#define MAILSTEAD_STATS_MANAGER_H

#include <systemd/sd-event.h>

#include "agents/stats/sampler.h"

typedef struct manager manager;
manager *manager_new(sd_event *event, const char *config_path, const stats_paths *paths, guint16 port, GError **error);
void manager_free(manager *m);

#endif
