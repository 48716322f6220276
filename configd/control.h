/* The control socket: /run/zimbra/configd/control, one request line, one answer
 * ("SUCCESS …" or "ERROR …", then text), then end of file. root and zimbra only. */
#ifndef MAILSTEAD_CONFIGD_CONTROL_H
#define MAILSTEAD_CONFIGD_CONTROL_H

#include "configd/worker.h"

typedef struct control control;

/* DIRECTORY_STATE gives one line on the connection to the directory. */
control *control_new(sd_event *event, const char *path, worker *w,
                     const char *(*directory_state)(void *data), void *data, GError **error);
void control_free(control *c);

#endif
