/* Who is at the other end of a Unix socket, and what he may ask. */
#ifndef MAILSTEAD_AGENTS_AUTH_PEER_H
#define MAILSTEAD_AGENTS_AUTH_PEER_H

#include <glib.h>

#define PEER_SASL (1u << 31)
#define PEER_OP(op) (1u << (op))

/* What the user at the other end of FD may: bits of PEER_OP(auth_op), PEER_SASL;
 * 0 nothing. NAME (may be NULL) gets "uid N" for the log; caller frees. */
guint peer_rights(int fd, char **ret_name);

#endif
