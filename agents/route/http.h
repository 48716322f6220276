/* The HTTP side of the route lookup, inside the caller's event loop. */
#ifndef MAILSTEAD_AGENTS_ROUTE_HTTP_H
#define MAILSTEAD_AGENTS_ROUTE_HTTP_H

#include <systemd/sd-event.h>

#include "agents/route/config.h"
#include "agents/route/lookup.h"

typedef struct http http;
http *http_new(sd_event *event, const config *c, const lookup_services *s, GError **error);
/* After the auth client and the finder are gone: every lookup is complete then. */
void http_free(http *h);

#endif
