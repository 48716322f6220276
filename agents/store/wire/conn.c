/* Connections between the store's processes: SOCK_SEQPACKET in the caller's loop.
 *
 * A datagram is sent whole or queued whole (its descriptors duplicated); order is
 * kept. Payloads above WIRE_DATAGRAM_MAX travel in a memfd, so that a datagram
 * always fits the default socket buffer. A peer that breaks the format loses its
 * connection. What messages mean is left to the callers. */
#include "agents/store/wire/wire.h"
#include "agents/store/wire/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

enum { READ_BATCH = 32, ALL_FDS = WIRE_MAX_FDS + 1 };

typedef struct { GByteArray *bytes; int fds[ALL_FDS]; unsigned n_fds; } packet;
typedef struct { wire_handler reply; void *data; } call;

struct wire_conn {
    unsigned refs;
    int fd;
    bool lost;
    sd_event_source *io;
    wire_handler handler;
    void *data;
    GQueue queue;            /* of packet */
    GHashTable *calls;       /* id -> call */
    uint32_t last_id;
};

static void packet_free(packet *p)
{
    for (unsigned i = 0; i < p->n_fds; i++)
        close(p->fds[i]);
    g_byte_array_unref(p->bytes);
    g_free(p);
}

/* ---- losing ---- */

static void conn_close(wire_conn *c)
{
    c->lost = true;
    c->io = sd_event_source_disable_unref(c->io);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    g_queue_clear_full(&c->queue, (GDestroyNotify) packet_free);
}

static void conn_lost(wire_conn *c)
{
    if (c->lost)
        return;
    wire_conn_ref(c);
    conn_close(c);
    g_autoptr(GHashTable) calls = g_steal_pointer(&c->calls);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, calls);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        ((call *) value)->reply(c, NULL, ((call *) value)->data);
    if (c->handler)
        c->handler(c, NULL, c->data);
    wire_conn_unref(c);
}

/* ---- sending ---- */

static int transmit(int fd, const GByteArray *bytes, const int *fds, unsigned n_fds)
{
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int) * ALL_FDS)]; } control = { 0 };
    struct iovec iov = { .iov_base = bytes->data, .iov_len = bytes->len };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (n_fds > 0) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
        *cm = (struct cmsghdr) { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * n_fds) };
        memcpy(CMSG_DATA(cm), fds, sizeof(int) * n_fds);
    }
    ssize_t n = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? -errno : 0;
}

/* Moves the payload of BYTES into a memfd, leaving the header. */
static int payload_to_memfd(GByteArray *bytes)
{
    int fd = memfd_create("wire", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t left = bytes->len - sizeof(wire_header);
    const guint8 *p = bytes->data + sizeof(wire_header);
    while (left > 0) {
        ssize_t n = write(fd, p, left);
        if (n < 0) {
            int r = -errno;
            close(fd);
            return r;
        }
        p += n;
        left -= (size_t) n;
    }
    uint16_t flags = WIRE_FLAG_PAYLOAD_FD;
    memcpy(bytes->data + offsetof(wire_header, flags), &flags, sizeof flags);
    g_byte_array_set_size(bytes, sizeof(wire_header));
    return fd;
}

static int enqueue(wire_conn *c, GByteArray *bytes, const int *fds, unsigned n_fds)
{
    if (c->queue.length >= WIRE_QUEUE_MAX)
        return -ENOBUFS;
    packet *p = g_new0(packet, 1);
    p->bytes = g_byte_array_ref(bytes);
    for (unsigned i = 0; i < n_fds; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
            int r = -errno;
            packet_free(p);
            return r;
        }
        p->fds[p->n_fds++] = fd;
    }
    g_queue_push_tail(&c->queue, p);
    return sd_event_source_set_io_events(c->io, EPOLLIN | EPOLLOUT);
}

int wire_send(wire_conn *c, const wire_message *m)
{
    if (c->lost)
        return -ENOTCONN;
    g_assert(m->n_fds <= WIRE_MAX_FDS);
    g_autoptr(GByteArray) bytes = wire_encode(m);
    if (!bytes)
        return -EMSGSIZE;
    int fds[ALL_FDS], memfd = -1;
    unsigned n_fds = m->n_fds;
    memcpy(fds, m->fds, sizeof m->fds);
    if (bytes->len > WIRE_DATAGRAM_MAX) {
        memfd = payload_to_memfd(bytes);
        if (memfd < 0)
            return memfd;
        fds[n_fds++] = memfd;
    }
    int r = -EAGAIN;
    if (g_queue_is_empty(&c->queue))
        r = transmit(c->fd, bytes, fds, n_fds);
    if (r == -EAGAIN)
        r = enqueue(c, bytes, fds, n_fds);
    if (memfd >= 0)
        close(memfd);
    return r == -EPIPE || r == -ECONNRESET ? -ENOTCONN : r;
}

int wire_call(wire_conn *c, wire_message *m, wire_handler reply, void *data)
{
    do
        m->id = ++c->last_id;
    while (m->id == 0 || (c->calls && g_hash_table_contains(c->calls, GUINT_TO_POINTER(m->id))));
    int r = wire_send(c, m);
    if (r < 0)
        return r;
    call *k = g_new(call, 1);
    *k = (call) { .reply = reply, .data = data };
    g_hash_table_insert(c->calls, GUINT_TO_POINTER(m->id), k);
    return 0;
}

static int send_queued(wire_conn *c)
{
    packet *p;
    while ((p = g_queue_peek_head(&c->queue)) != NULL) {
        int r = transmit(c->fd, p->bytes, p->fds, p->n_fds);
        if (r == -EAGAIN)
            return 0;
        if (r < 0)
            return r;
        packet_free(g_queue_pop_head(&c->queue));
    }
    return sd_event_source_set_io_events(c->io, EPOLLIN);
}

/* ---- receiving ---- */

static unsigned take_rights(struct msghdr *mh, int *fds)
{
    unsigned n = 0;
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof fd);
            if (n < ALL_FDS)
                fds[n++] = fd;
            else
                close(fd);
        }
    }
    return n;
}

static int read_memfd(int fd, const wire_header *h, wire_message *ret)
{
    size_t total = sizeof *h + h->length, at = sizeof *h;
    g_autofree char *bytes = g_malloc(total);
    memcpy(bytes, h, sizeof *h);
    while (at < total) {
        ssize_t n = pread(fd, bytes + at, total - at, (off_t) (at - sizeof *h));
        if (n <= 0)
            return -EBADMSG;
        at += (size_t) n;
    }
    return wire_decode(bytes, total, ret);
}

static int unpack(const void *bytes, size_t len, int *fds, unsigned *n_fds, wire_message *ret)
{
    wire_header h;
    int r = wire_header_decode(bytes, len, &h);
    if (r < 0)
        return r;
    if (!(h.flags & WIRE_FLAG_PAYLOAD_FD))
        return wire_decode(bytes, len, ret);
    if (*n_fds == 0 || len != sizeof h)
        return -EBADMSG;
    int memfd = fds[--*n_fds];
    r = read_memfd(memfd, &h, ret);
    close(memfd);
    return r;
}

/* One datagram: 1 and *RET, 0 nothing there, negative errno: lost. */
static int receive(wire_conn *c, wire_message *ret)
{
    char bytes[WIRE_DATAGRAM_MAX];
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int) * ALL_FDS)]; } control;
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    ssize_t n = recvmsg(c->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    int fds[ALL_FDS];
    unsigned n_fds = take_rights(&mh, fds);
    int r = n == 0 ? -ECONNRESET : mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EBADMSG : unpack(bytes, (size_t) n, fds, &n_fds, ret);
    if (r >= 0 && n_fds > WIRE_MAX_FDS) {
        wire_message_clear(ret);
        r = -EBADMSG;
    }
    if (r < 0) {
        for (unsigned i = 0; i < n_fds; i++)
            close(fds[i]);
        return r;
    }
    memcpy(ret->fds, fds, sizeof(int) * n_fds);
    ret->n_fds = n_fds;
    return 1;
}

static void dispatch(wire_conn *c, wire_message *m)
{
    gpointer key = GUINT_TO_POINTER(m->id), value;
    bool answer = m->type == WIRE_RCPT_VERDICT || m->type == WIRE_DELIVERED || m->type == WIRE_PARSED;
    if (answer && m->id != 0 && g_hash_table_steal_extended(c->calls, key, NULL, &value)) {
        g_autofree call *k = value;
        k->reply(c, m, k->data);
    } else if (c->handler) {
        c->handler(c, m, c->data);
    }
    wire_message_clear(m);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    wire_conn *c = wire_conn_ref(data);
    int r = 0;
    if (revents & EPOLLOUT)
        r = send_queued(c);
    for (unsigned i = 0; r >= 0 && i < READ_BATCH && !c->lost; i++) {
        wire_message m;
        r = receive(c, &m);
        if (r <= 0)
            break;
        dispatch(c, &m);
    }
    if (r < 0)
        conn_lost(c);
    wire_conn_unref(c);
    return 0;
}

/* ---- making ---- */

int wire_conn_new(sd_event *event, int fd, wire_handler handler, void *data, wire_conn **ret)
{
    wire_conn *c = g_new0(wire_conn, 1);
    *c = (wire_conn) { .refs = 1, .fd = fd, .handler = handler, .data = data };
    g_queue_init(&c->queue);
    c->calls = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    int r = sd_event_add_io(event, &c->io, fd, EPOLLIN, on_io, c);
    if (r < 0) {
        c->fd = -1;
        wire_conn_unref(c);
        return r;
    }
    *ret = c;
    return 0;
}

int wire_connect(sd_event *event, const char *path, wire_handler handler, void *data, wire_conn **ret)
{
    int fd = localsocket_connect(path, SOCK_SEQPACKET | SOCK_NONBLOCK);
    if (fd < 0)
        return fd;
    int r = wire_conn_new(event, fd, handler, data, ret);
    if (r < 0)
        close(fd);
    return r;
}

wire_conn *wire_conn_ref(wire_conn *c)
{
    c->refs++;
    return c;
}

void wire_conn_unref(wire_conn *c)
{
    if (!c || --c->refs > 0)
        return;
    conn_close(c);
    if (c->calls)
        g_hash_table_unref(c->calls);
    g_free(c);
}

void wire_conn_set_data(wire_conn *c, wire_handler handler, void *data)
{
    c->handler = handler;
    c->data = data;
}
