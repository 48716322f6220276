/* Unix sockets zmconfigd listens on. */
#ifndef MAILSTEAD_CONFIGD_LISTEN_H
#define MAILSTEAD_CONFIGD_LISTEN_H

#include <glib.h>
#include <sys/types.h>

/* A non-blocking listening socket of TYPE at PATH (an old one is replaced); -1
 * with error. */
int listen_unix(const char *path, int type, mode_t mode, GError **error);

#endif
