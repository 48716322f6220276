/* A few threads that ask the directory, each with its own connections. Questions
 * wait in one queue; answers come back in the event loop. */
#ifndef MAILSTEAD_AGENTS_AUTH_WORKERS_H
#define MAILSTEAD_AGENTS_AUTH_WORKERS_H

#include <systemd/sd-event.h>

#include "agents/auth/decide.h"
#include "agents/auth/keys.h"
#include "agents/auth/question.h"

typedef struct workers workers;
typedef void (*workers_done_fn)(answer *a, void *data);   /* A is borrowed */

/* N threads; each reads localconfig for itself. K and FRESH are shared and stay. */
workers *workers_new(sd_event *event, unsigned n, keys *k, const freshness *fresh, GError **error);
/* Q stays with the caller until DONE. Never calls DONE from within. */
void workers_submit(workers *w, const question *q, workers_done_fn done, void *data);
/* Waits for what is being asked; what still waits is answered AUTH_TEMPFAIL. */
void workers_free(workers *w);

#endif
