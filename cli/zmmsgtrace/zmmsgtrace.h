/* zmmsgtrace's parts: what is looked for, a message with all that belongs to it,
 * how it is printed. */
#ifndef MAILSTEAD_ZMMSGTRACE_H
#define MAILSTEAD_ZMMSGTRACE_H

#include "lib/maillog/maillog.h"

/* NULL: not asked for. Regular expressions, any case. */
typedef struct {
    GRegex *message_id, *sender, *recipient, *source, *destination;
    char *queue_id;
    gint64 since, until;        /* microseconds */
} criteria;

/* One stay in the queue. */
typedef struct {
    gint64 id, time, size, done;
    maillog_door door;
    char *queue_id, *client, *user, *sender, *message_id;
} stay;

typedef struct {
    gint64 stay, time, code;
    maillog_kind kind;
    double delay;
    char *person, *peer, *dsn, *text;
} happening;

/* A message: its first stay in the queue, those that came of it, and what happened,
 * in order. */
typedef struct {
    GPtrArray *stays;           /* stay */
    GPtrArray *events;          /* happening */
} traced;

/* Calls FOUND for each message that fits, oldest first. */
typedef void (*traced_fn)(const traced *t, void *data);
bool trace_search(sqlite3 *db, const criteria *c, traced_fn found, void *data, GError **error);

void print_traced(const traced *t, const char *host);

#endif
