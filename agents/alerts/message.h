/* The mail that an alert, or many of them, become (RFC 5322). Pure. */
#ifndef MAILSTEAD_ALERTS_MESSAGE_H
#define MAILSTEAD_ALERTS_MESSAGE_H

#include <glib.h>
#include "lib/alert/alert.h"

/* CRLF text with headers; caller frees. */
char *message_of_alert(const alert *a, const char *from, const char *to);
/* ALERTS: array of alert *, oldest first; OMITTED more are not in it. */
char *message_of_many(GPtrArray *alerts, guint64 omitted, const char *host, const char *from, const char *to);

#endif
