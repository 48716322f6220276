/* zmauthd's client for many threads: a thread of its own runs the event loop. */
#ifndef MAILSTEAD_AGENTS_MILTER_ASKER_H
#define MAILSTEAD_AGENTS_MILTER_ASKER_H

#include <glib.h>
#include <stdbool.h>

#include "lib/auth/auth.h"

typedef struct asker asker;

/* Starts the thread; it also keeps the unit's watchdog content. PATH NULL: zmauthd's
 * own socket. */
asker *asker_new(const char *path, GError **error);
void asker_free(asker *a);   /* no thread may be asking any more */

/* May SENDER send to ADDRESS? Blocks up to about 30 seconds; AUTH_TEMPFAIL when
 * zmauthd does not know. *RET_LIST: the list's name (caller frees), NULL when none. */
auth_status asker_may_send(asker *a, const char *address, const char *sender, bool logged_in, char **ret_list);

#endif
