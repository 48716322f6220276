/* The thread that owns collector and engine. Jobs go in, one at a time is done,
 * and its answer comes back on the main thread. */
#ifndef MAILSTEAD_CONFIGD_WORKER_H
#define MAILSTEAD_CONFIGD_WORKER_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "configd/engine.h"
#include "configd/request.h"

typedef enum {
    JOB_START,      /* recover, first update: up to the turned links */
    JOB_APPLY,      /* act on the units of what is turned */
    JOB_UPDATE,     /* read all facts, update, apply */
    JOB_TEMPLATES,  /* the same after reading templates again */
    JOB_REQUEST,    /* what an administrator asked */
} job_kind;

typedef struct job {
    job_kind kind;
    const char *trigger;      /* of updates: constant */
    request req;              /* JOB_REQUEST: taken over */
    /* result */
    bool ok;
    bool unavailable;         /* the directory could not be read */
    bool has_live;            /* there is something to run on */
    char *text;               /* answer, or what went wrong */
    void (*done)(struct job *j, void *data);   /* main thread; the job is freed after */
    void *data;
} job;

typedef struct worker worker;

worker *worker_new(sd_event *event, engine *e, const char *localconfig_path, GError **error);
/* Ends after the job under way. */
void worker_free(worker *w);

/* DONE may be NULL. */
void worker_post(worker *w, job_kind kind, const char *trigger, void (*done)(job *, void *), void *data);
/* REQ is taken over. */
void worker_post_request(worker *w, request *req, void (*done)(job *, void *), void *data);

/* Seconds the present job has been running; 0 when idle. */
unsigned worker_busy_seconds(worker *w);
/* State of all folders after the last job; caller frees. */
char *worker_status(worker *w);

#endif
