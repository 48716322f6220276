/* What zmauthd is made of, and the way of a question through it: caches, then a
 * worker, then audit record and, for a refused login, a delay. */
#ifndef MAILSTEAD_AGENTS_AUTH_MANAGER_H
#define MAILSTEAD_AGENTS_AUTH_MANAGER_H

#include <systemd/sd-event.h>

#include "agents/auth/question.h"
#include "lib/statpage/statpage.h"

typedef struct manager manager;

/* Values of the statistics page (lib/statpage). */
enum { NUMBER_OK, NUMBER_DENIED, NUMBER_TEMPFAIL, NUMBER_CACHED, NUMBER_TICKETS, NUMBER_OPEN_DESCRIPTORS, NUMBERS };
extern const statpage_def manager_numbers[NUMBERS];

typedef struct {
    const char *host;          /* this server's name in the directory */
    unsigned threads;
    unsigned denied_delay_ms;
    const char *changes_path;  /* NULL: the default */
    statpage *numbers;         /* NULL: nobody counts */
} manager_settings;

manager *manager_new(sd_event *event, const manager_settings *settings, GError **error);
void manager_free(manager *m);   /* everything asked gets its answer first */

typedef void (*manager_done_fn)(const answer *a, void *data);   /* A is borrowed */
/* Takes Q. DONE is called exactly once, perhaps from within. */
void manager_ask(manager *m, question *q, manager_done_fn done, void *data);

#endif
