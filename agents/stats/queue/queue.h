/* Counts of Postfix's queue folders, and the packet they travel in: a line a queue,
 * "NAME MESSAGES BYTES OLDEST-SECONDS". */
#ifndef MAILSTEAD_STATS_QUEUE_H
#define MAILSTEAD_STATS_QUEUE_H

#include <glib.h>
#include <stdbool.h>

#define QUEUE_SOCKET "/run/zimbra/stats/queue"
enum { QUEUE_KINDS = 6, QUEUE_ANSWER_MAX = 1024 };
extern const char *const queue_names[QUEUE_KINDS];    /* incoming, active, deferred, hold, corrupt, maildrop */

typedef struct { guint64 messages, bytes, oldest_s; } queue_count;

/* Walks SPOOL/NAME, hashed folders included; messages that go away meanwhile are
 * not counted. Negative errno: the folder cannot be read. */
int queue_walk(const char *spool, const char *name, gint64 now, queue_count *ret);

char *queue_format(const queue_count counts[QUEUE_KINDS]);
/* False: not such a packet. */
bool queue_parse(const char *text, queue_count ret[QUEUE_KINDS]);

#endif
