/* Under TLS the client's bytes pass through here for the life of the session: a
 * socket pair stands between OpenSSL and the shard. Each direction holds at most
 * what the other side did not take yet, and is not read meanwhile. */
#include "agents/store/login/login.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024 };   /* a whole TLS record: nothing stays inside OpenSSL unseen by epoll */

int relay_prepare(client *c, int *ret_fd)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    if (c->pair >= 0)
        close(c->pair);
    c->pair = fds[0];
    *ret_fd = fds[1];
    return 0;
}

/* Pending bytes out by SEND; 1 all gone, 0 more to go, negative: broken. */
static int drain(client *c, GByteArray *pending, bool to_client)
{
    while (pending->len > 0) {
        ssize_t n = to_client ? transport_write(c, pending->data, pending->len) : send(c->pair, pending->data, pending->len, MSG_NOSIGNAL);
        if (n < 0 && !to_client)
            n = -errno;
        if (n < 0)
            return n == -EAGAIN ? 0 : (int) n;
        g_byte_array_remove_range(pending, 0, (guint) n);
    }
    return 1;
}

static int fill(client *c, GByteArray *pending, bool from_client, bool *eof)
{
    guint8 bytes[CHUNK];
    ssize_t n = from_client ? transport_read(c, bytes, sizeof bytes) : read(c->pair, bytes, sizeof bytes);
    if (n < 0 && !from_client)
        n = -errno;
    if (n > 0)
        g_byte_array_append(pending, bytes, (guint) n);
    *eof = n == 0;
    return n < 0 ? (int) n : 0;
}

/* One direction, a few chunks at most; the loop calls again for the rest. */
static int pump(client *c, GByteArray *pending, bool from_client, bool *eof)
{
    for (unsigned i = 0; i < 8; i++) {
        int r = drain(c, pending, !from_client);
        if (r <= 0)
            return r;
        if (*eof)
            return 0;
        r = fill(c, pending, from_client, eof);
        if (r < 0)
            return r == -EAGAIN ? 0 : r;
    }
    return drain(c, pending, !from_client) < 0 ? -EPIPE : 0;
}

int relay_run(client *c)
{
    bool had_eof = c->client_eof;
    int r = pump(c, c->in, true, &c->client_eof);
    if (r == 0)
        r = pump(c, c->out, false, &c->pair_eof);
    if (r < 0)
        return r;
    if (c->client_eof && !had_eof && c->in->len == 0)
        (void) shutdown(c->pair, SHUT_WR);   /* the shard sees the end and closes */
    if (c->pair_eof && c->out->len == 0)
        return -ECONNRESET;
    (void) sd_event_source_set_io_events(c->io, transport_events(c, !c->client_eof && c->in->len == 0, c->out->len > 0));
    (void) sd_event_source_set_io_events(c->pair_io, (c->in->len > 0 ? (uint32_t) EPOLLOUT : 0) |
                                                     (c->out->len == 0 && !c->pair_eof ? (uint32_t) EPOLLIN : 0));
    return 0;
}

static int on_pair(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    client *c = data;
    if (relay_run(c) < 0)
        client_free(c);
    return 0;
}

int relay_start(client *c)
{
    c->state = CLIENT_RELAY;
    statpage_dec(c->login->numbers, NUMBER_WAITING);
    statpage_inc(c->login->numbers, c->protocol->wire == WIRE_IMAP ? NUMBER_IMAP_RELAYS : NUMBER_POP3_RELAYS);
    c->timer = sd_event_source_disable_unref(c->timer);   /* the shard watches for idleness */
    g_byte_array_set_size(c->in, 0);                      /* went along with the hand-over */
    imap_reader_done(&c->reader);
    int r = sd_event_add_io(c->login->event, &c->pair_io, c->pair, EPOLLIN, on_pair, c);
    return r < 0 ? r : relay_run(c);
}
