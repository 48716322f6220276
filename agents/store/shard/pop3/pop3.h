/* POP3 sessions in a shard's loop (RFC 1939, RFC 2449): the Inbox as it was at
 * login. Nothing is locked: a message that another session removes meanwhile
 * answers -ERR; UIDs make a wrong deletion impossible. */
#ifndef MAILSTEAD_STORE_POP3_H
#define MAILSTEAD_STORE_POP3_H

#include <stdbool.h>

#include "agents/store/shard/mailbox.h"
#include "agents/store/shard/session/work.h"
#include "agents/store/wire/wire.h"

typedef struct pop3_server pop3_server;
/* SHARD and WORK must outlive it. IDLE_SECONDS: RFC 1939 §3 asks for 600 at least. */
pop3_server *pop3_server_new(sd_event *event, shard *s, work_pool *work, unsigned idle_seconds);
void pop3_server_free(pop3_server *p);
/* Takes M when it is a POP3 session's hand-over; false: not for us. */
bool pop3_server_message(pop3_server *p, wire_message *m);
/* The table of commands, for statistics; NULL past the end. */
const char *pop3_command_name(unsigned i);

#endif
