/* Connections of lib/auth's clients. A connection counts its outstanding
 * questions and is not read while there are too many; a peer that breaks the
 * protocol, or asks what its user may not, is closed. Each question holds a
 * reference to its connection; an answer for a closed one is dropped. */
#include "agents/auth/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/auth/peer.h"
#include "lib/auth/wire.h"
#include "lib/journal/journal.h"
#include "lib/localsocket/localsocket.h"

#define CONNECTIONS_MAX 256
#define OUTSTANDING_MAX 1024

struct server {
    manager *m;
    sd_event *event;
    int fd;
    sd_event_source *source;
    GHashTable *open;        /* set of connection */
};

typedef struct {
    unsigned refs;
    server *s;               /* NULL once closed */
    int fd;
    char *peer;
    guint rights;
    sd_event_source *io;
    unsigned outstanding;
    GQueue out;              /* of GByteArray */
} connection;

typedef struct { connection *c; uint64_t id; auth_op op; } asked;

static void connection_unref(connection *c)
{
    if (--c->refs > 0)
        return;
    g_free(c->peer);
    g_free(c);
}

static void connection_close(connection *c, const char *why)
{
    if (!c->s)
        return;
    if (why)
        journal_warning("connection of %s closed: %s", c->peer, why);
    g_hash_table_remove(c->s->open, c);
    c->s = NULL;
    sd_event_source_disable_unref(c->io);
    close(c->fd);
    for (GByteArray *b; (b = g_queue_pop_head(&c->out)) != NULL; )
        auth_wire_free(b);
    connection_unref(c);
}

static void update_events(connection *c)
{
    uint32_t in = c->outstanding < OUTSTANDING_MAX ? EPOLLIN : 0;
    (void) sd_event_source_set_io_events(c->io, in | (g_queue_is_empty(&c->out) ? 0 : EPOLLOUT));   /* own source */
}

static void send_out(connection *c)
{
    GByteArray *b;
    while ((b = g_queue_peek_head(&c->out)) != NULL) {
        if (send(c->fd, b->data, b->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            if (errno == EAGAIN || errno == EINTR)
                break;
            connection_close(c, NULL);
            return;
        }
        auth_wire_free(g_queue_pop_head(&c->out));
    }
    update_events(c);
}

static GByteArray *encode(const asked *q, const answer *a)
{
    g_autofree char *quota = g_strdup_printf("%" G_GINT64_FORMAT, a->quota_bytes);
    g_autofree char *imap = g_strdup_printf("%u", a->imap_port);
    g_autofree char *pop3 = g_strdup_printf("%u", a->pop3_port);
    g_autofree char *reason = a->reason ? g_strndup(a->reason, auth_wire_limit(AUTH_F_REASON)) : NULL;
    auth_message m = { .op = q->op, .id = q->id, .status = (uint8_t) a->status };
    m.field[AUTH_F_NAME] = a->name;
    m.field[AUTH_F_REASON] = reason;
    m.field[AUTH_F_LIST] = a->list;
    if (a->status == AUTH_OK) {
        m.field[AUTH_F_ACCOUNT_ID] = a->account_id;
        m.field[AUTH_F_ACCOUNT_STATUS] = a->account_status;
        m.field[AUTH_F_MAIL_HOST] = a->mail_host;
        m.field[AUTH_F_MAIL_TRANSPORT] = a->mail_transport;
        m.field[AUTH_F_QUOTA] = quota;
        m.field[AUTH_F_IMAP_PORT] = imap;
        m.field[AUTH_F_POP3_PORT] = pop3;
        m.field[AUTH_F_TICKET] = a->ticket;
        m.field[AUTH_F_ROUTE_KEY] = a->route_key;
    }
    GByteArray *bytes = auth_wire_encode(&m);
    if (bytes)
        return bytes;
    journal_error("%s: an attribute of the account is too long for an answer", a->name ? a->name : "?");
    auth_message short_one = { .op = q->op, .id = q->id, .status = AUTH_TEMPFAIL };
    return auth_wire_encode(&short_one);
}

static void on_answer(const answer *a, void *data)
{
    asked *q = data;
    connection *c = q->c;
    if (c->s) {
        c->outstanding--;
        g_queue_push_tail(&c->out, encode(q, a));
        send_out(c);
    }
    connection_unref(c);
    g_free(q);
}

static char *field(const auth_message *m, auth_field f)
{
    return g_strdup(m->field[f] ? m->field[f] : "");
}

static void ask(connection *c, const auth_message *m)
{
    question *q = question_new(m->op);
    if (m->op == AUTH_OP_LOGIN || m->op == AUTH_OP_TICKET) {
        q->protocol = field(m, AUTH_F_PROTOCOL);
        q->user = field(m, AUTH_F_USER);
        q->password = field(m, AUTH_F_PASSWORD);
        q->client_ip = field(m, AUTH_F_CLIENT_IP);
    } else {
        q->address = field(m, AUTH_F_ADDRESS);
        q->sender = field(m, AUTH_F_SENDER);
        q->logged_in = m->field[AUTH_F_LOGGED_IN] != NULL;
    }
    asked *a = g_new0(asked, 1);
    *a = (asked) { .c = c, .id = m->id, .op = m->op };
    c->refs++;
    c->outstanding++;
    manager_ask(c->s->m, q, on_answer, a);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    connection *c = data;
    uint8_t bytes[AUTH_WIRE_MAX + 1];
    auth_message m;
    if (revents & EPOLLOUT) {
        send_out(c);
        return 0;
    }
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        connection_close(c, NULL);
    } else if (auth_wire_decode(bytes, (size_t) n, &m) < 0 || m.status != AUTH_WIRE_REQUEST) {
        connection_close(c, "malformed request");
    } else if (!(c->rights & PEER_OP(m.op))) {
        connection_close(c, "its user may not ask this");
    } else {
        c->refs++;   /* an answer at once may close it */
        ask(c, &m);
        if (c->s)
            update_events(c);
        connection_unref(c);
    }
    explicit_bzero(bytes, n > 0 ? (size_t) n : 0);
    return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    server *s = data;
    g_autofree char *peer = NULL;
    int peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer_fd < 0)
        return 0;
    guint rights = peer_rights(peer_fd, &peer);
    if (!(rights & ~PEER_SASL) || g_hash_table_size(s->open) >= CONNECTIONS_MAX) {
        journal_warning("connection of %s refused: %s", peer ? peer : "?",
                        rights ? "too many connections" : "its user may ask nothing here");
        close(peer_fd);
        return 0;
    }
    connection *c = g_new0(connection, 1);
    *c = (connection) { .refs = 1, .s = s, .fd = peer_fd, .peer = g_steal_pointer(&peer), .rights = rights };
    g_queue_init(&c->out);
    g_hash_table_add(s->open, c);
    if (sd_event_add_io(s->event, &c->io, peer_fd, EPOLLIN, on_io, c) < 0)
        connection_close(c, "no memory");
    return 0;
}

server *server_new(sd_event *event, manager *m, const char *path, GError **error)
{
    int fd = localsocket_listen(path, SOCK_SEQPACKET, 0666, NULL, error);   /* users are told apart by credentials */
    if (fd < 0)
        return NULL;
    server *s = g_new0(server, 1);
    *s = (server) { .m = m, .event = event, .fd = fd, .open = g_hash_table_new(NULL, NULL) };
    int r = sd_event_add_io(event, &s->source, fd, EPOLLIN, on_connection, s);
    g_assert(r >= 0);
    return s;
}

void server_free(server *s)
{
    if (!s)
        return;
    g_autoptr(GList) all = g_hash_table_get_keys(s->open);
    for (GList *l = all; l; l = l->next)
        connection_close(l->data, NULL);
    g_hash_table_unref(s->open);
    sd_event_source_disable_unref(s->source);
    close(s->fd);
    g_free(s);
}
