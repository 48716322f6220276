/* A listening Unix socket of zmauthd: the path is replaced, mode and group set
 * before anybody can connect. */
#ifndef MAILSTEAD_AGENTS_AUTH_LISTEN_H
#define MAILSTEAD_AGENTS_AUTH_LISTEN_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* TYPE: SOCK_STREAM or SOCK_SEQPACKET. GROUP NULL: as the process. The descriptor,
 * or -1 with ERROR. */
int listen_unix(const char *path, int type, mode_t mode, const char *group, GError **error);

#endif
