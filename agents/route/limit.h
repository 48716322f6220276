/* At most so many logins of one key (client address, user) in a span of time. */
#ifndef MAILSTEAD_AGENTS_ROUTE_LIMIT_H
#define MAILSTEAD_AGENTS_ROUTE_LIMIT_H

#include <glib.h>
#include <stdbool.h>

typedef struct limit limit;
/* MAX 0: no limit. */
limit *limit_new(unsigned max, unsigned span_sec);
void limit_free(limit *l);
/* Counts a login of KEY; false when it is one too many. */
bool limit_take(limit *l, const char *key, gint64 now_usec);

#endif
