/* One message to one SMTP server, without blocking. Names are looked up by
 * getaddrinfo(), which may block for the resolver's time limit. */
#ifndef MAILSTEAD_ALERTS_SMTP_H
#define MAILSTEAD_ALERTS_SMTP_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct smtp smtp;

/* PROBLEM NULL: the server has taken the message. Called once, never from within
 * smtp_send(); the smtp is gone then. */
typedef void (*smtp_done_fn)(const char *problem, void *data);

/* TEXT is a complete message with CRLF line ends. Ownership: the connection frees
 * itself before DONE; smtp_cancel() ends it without DONE. */
smtp *smtp_send(sd_event *event, const char *host, const char *port, const char *helo, const char *from,
                const char *to, const char *text, smtp_done_fn done, void *data);
void smtp_cancel(smtp *s);

#endif
