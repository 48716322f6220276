/* zmconfigd's parts put together: who tells whom what. */
#ifndef MAILSTEAD_CONFIGD_MANAGER_H
#define MAILSTEAD_CONFIGD_MANAGER_H

#include <systemd/sd-event.h>

#include "configd/engine.h"

typedef struct manager manager;

/* LOCALCONFIG_PATH: the file in use. The engine is used by the manager's worker
 * until manager_free(). */
manager *manager_new(sd_event *event, const layout *l, engine *e, const char *localconfig_path, GError **error);
void manager_free(manager *m);

#endif
