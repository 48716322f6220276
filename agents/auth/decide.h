/* The decisions, made in a worker thread with its own connections to the
 * directory: questions in, answers out, blocking. */
#ifndef MAILSTEAD_AGENTS_AUTH_DECIDE_H
#define MAILSTEAD_AGENTS_AUTH_DECIDE_H

#include "agents/auth/bind.h"
#include "agents/auth/keys.h"
#include "agents/auth/question.h"
#include "lib/directory/directory.h"

/* What the main thread hears of changes; atomic. */
typedef struct {
    gint noticed;            /* changes are announced */
    gint changes;            /* so many were */
} freshness;

typedef struct {
    localconfig *lc;         /* this thread's own */
    directory *dir;          /* opened when needed, NULL after it failed */
    directory *dir_write;
    binder *bind;
    keys *keys;              /* shared */
    const freshness *fresh;  /* shared */
    gint changes_seen;
} decider;

decider *decider_new(localconfig *lc, keys *k, const freshness *fresh);   /* takes LC */
void decider_free(decider *d);

/* Never NULL. */
answer *decide(decider *d, const question *q);

/* The read connection, or NULL with ERROR (DIRECTORY_ERROR_UNAVAILABLE). */
directory *decider_directory(decider *d, GError **error);
/* What an ERROR of lib/directory makes of a question: TEMPFAIL unless the object
 * is not there (then ABSENT). */
answer *decider_failed(const GError *error, auth_status absent, const char *absent_reason);
/* The domain that ADDRESS belongs to; NULL without error when there is none. */
entry *decider_domain_of(directory *d, const char *address, GError **error);

/* listright.c */
answer *decide_may_send(decider *d, const question *q);

#endif
