/* The socket of lib/auth's clients (lib/auth/wire.h). */
#ifndef MAILSTEAD_AGENTS_AUTH_SERVER_H
#define MAILSTEAD_AGENTS_AUTH_SERVER_H

#include "agents/auth/manager.h"

typedef struct server server;
server *server_new(sd_event *event, manager *m, const char *path, GError **error);
/* Closes the connections; the manager may still hold questions of theirs. */
void server_free(server *s);

#endif
