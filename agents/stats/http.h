/* GET /metrics on the loopback: the text of the last sample, kept ready. */
#ifndef MAILSTEAD_STATS_HTTP_H
#define MAILSTEAD_STATS_HTTP_H

#include <glib.h>
#include <systemd/sd-event.h>

enum { METRICS_PORT = 9105 };

typedef struct http http;
http *http_new(sd_event *event, guint16 port, GError **error);
void http_free(http *h);
/* Takes TEXT over. */
void http_set(http *h, char *text);

#endif
