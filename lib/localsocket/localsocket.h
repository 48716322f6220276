/* Sockets in the file system (unix(7)): how our daemons meet on one host. */
#ifndef MAILSTEAD_LOCALSOCKET_H
#define MAILSTEAD_LOCALSOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* A non-blocking, bound socket of TYPE (SOCK_STREAM, SOCK_SEQPACKET, listening;
 * SOCK_DGRAM, with the sender's credentials on every message). What an earlier run
 * left at PATH is replaced; mode and GROUP (NULL: the process's) stand before
 * anybody can connect. The caller closes it; negative errno, with ERROR. */
int localsocket_listen(const char *path, int type, mode_t mode, const char *group, GError **error);

/* A connection to PATH; TYPE may carry SOCK_NONBLOCK. The caller closes it.
 * Negative errno. */
int localsocket_connect(const char *path, int type);

/* Who is at the other end, by the kernel's word (SO_PEERCRED). */
bool localsocket_peer(int fd, uid_t *ret);

#endif
