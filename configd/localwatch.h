/* Hears of changes of this host's own files: localconfig and the templates an
 * administrator overrides. */
#ifndef MAILSTEAD_CONFIGD_LOCALWATCH_H
#define MAILSTEAD_CONFIGD_LOCALWATCH_H

#include <glib.h>
#include <systemd/sd-event.h>

#include "configd/layout.h"

typedef struct localwatch localwatch;

localwatch *localwatch_new(sd_event *event, const layout *l, const char *localconfig_path,
                           void (*localconfig_changed)(void *data), void (*templates_changed)(void *data),
                           void *data, GError **error);
void localwatch_free(localwatch *w);

#endif
