/* Private to the IMAP sessions: their birth and end, for the server. */
#ifndef MAILSTEAD_STORE_IMAP_START_H
#define MAILSTEAD_STORE_IMAP_START_H

#include "agents/store/shard/imap/session.h"

void session_start(imap_server *i, int fd, const wire_handoff *h);   /* takes FD */
void session_end(session *s, const char *reason);                    /* BYE now */

#endif
