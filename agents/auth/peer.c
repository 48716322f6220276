/* Peer credentials: see peer.h. Users are looked up by name each time (a
 * connection lives long), so that no number stands here. */
#include "agents/auth/peer.h"

#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/auth/wire.h"

static const struct { const char *user; guint rights; } table[] = {
    { "zmlogin", PEER_OP(AUTH_OP_LOGIN) | PEER_OP(AUTH_OP_RESOLVE) },
    { "zmintake", PEER_OP(AUTH_OP_RESOLVE) },
    { "zmstore", PEER_OP(AUTH_OP_LOGIN) | PEER_OP(AUTH_OP_RESOLVE) },   /* LOGIN: relayed sessions' tickets */
    { "zmroute", PEER_OP(AUTH_OP_TICKET) },
    { "zmmilter", PEER_OP(AUTH_OP_MAY_SEND) },
    { "postfix", PEER_SASL },
};

guint peer_rights(int fd, char **ret_name)
{
    struct ucred peer;      /* the pid too, for the journal */
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return 0;
    if (ret_name)
        *ret_name = g_strdup_printf("uid %u, pid %d", (unsigned) peer.uid, (int) peer.pid);
    if (peer.uid == 0)
        return ~0u;
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct passwd entry, *found = NULL;
        char buffer[4096];
        if (getpwnam_r(table[i].user, &entry, buffer, sizeof buffer, &found) == 0 && found && found->pw_uid == peer.uid)
            return table[i].rights;
    }
    return 0;
}
