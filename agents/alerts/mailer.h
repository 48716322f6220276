/* Alerts out as mail: oldest first, each once, retried until the server takes it.
 * Singly while they are few; when they come too fast, many in one message. */
#ifndef MAILSTEAD_ALERTS_MAILER_H
#define MAILSTEAD_ALERTS_MAILER_H

#include <systemd/sd-event.h>
#include "agents/alerts/config.h"
#include "agents/alerts/keep.h"

typedef struct mailer mailer;

/* KEEP is borrowed. */
mailer *mailer_new(sd_event *event, keep *k);
void mailer_free(mailer *m);
/* CONFIG is borrowed until the next call. */
void mailer_configure(mailer *m, const alerts_config *config);
/* There may be something to send, or the server may be back. */
void mailer_kick(mailer *m);

#endif
