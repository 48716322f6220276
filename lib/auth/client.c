/* The client of zmauthd: requests go out in order on one SOCK_SEQPACKET
 * connection, replies come back in any order and find their request by its id.
 *
 * A request lives in `requests` (by id) and `order` (by age, so the first has the
 * earliest deadline) until its callback was called or it was cancelled. `unsent`
 * holds what the socket has not taken yet. A connection that breaks after it has
 * answered something (zmauthd restarted) is opened again once and what is
 * outstanding is sent again: a check of a password can be repeated, a ticket that
 * was redeemed by the lost answer is refused and the user logs in again. When
 * there is no connection to be had, everything outstanding fails at once.
 *
 * Each dispatch calls at most one callback, as its last act: a callback may call
 * any function of auth.h. */
#include "lib/auth/auth.h"
#include "lib/auth/wire.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

#define TIMEOUT_USEC (30 * G_USEC_PER_SEC)

typedef struct {
    uint64_t id;
    auth_op op;
    GByteArray *bytes;
    uint64_t deadline_usec;
    bool done;                  /* result decided here, waits for the defer source */
    auth_status early;
    const char *early_reason;
    auth_callback cb;
    auth_ticket_callback ticket_cb;
    void *data;
} request;

struct auth_client {
    sd_event *event;
    char *path;
    int fd;
    bool answered;              /* this connection has brought an answer */
    uint64_t last_id;
    sd_event_source *io, *timer, *defer;
    GHashTable *requests;       /* id -> request, owned */
    GQueue order, unsent;       /* of request */
};

static void request_free(void *p)
{
    request *r = p;
    auth_wire_free(r->bytes);
    g_free(r);
}

static void remove_request(auth_client *c, request *r)
{
    g_queue_remove(&c->order, r);
    g_queue_remove(&c->unsent, r);
    g_hash_table_steal(c->requests, &r->id);
}

/* Takes R out and calls its callback; C may be gone afterwards. */
static void deliver(auth_client *c, request *r, const auth_result *result, const char *ticket)
{
    remove_request(c, r);
    if (r->ticket_cb)
        r->ticket_cb(result, ticket, r->data);
    else if (r->cb)
        r->cb(result, r->data);
    request_free(r);
}

static void deliver_early(auth_client *c, request *r)
{
    auth_result result = { .status = r->early, .reason = r->early_reason };
    deliver(c, r, &result, NULL);
}

static void finish_early(auth_client *c, request *r, auth_status status, const char *reason)
{
    r->done = true;
    r->early = status;
    r->early_reason = reason;
    g_queue_remove(&c->unsent, r);
    (void) sd_event_source_set_enabled(c->defer, SD_EVENT_ON);   /* own source: cannot fail */
}

static void fail_all(auth_client *c, const char *reason)
{
    for (GList *l = c->order.head; l; l = l->next)
        if (!((request *) l->data)->done)
            finish_early(c, l->data, AUTH_TEMPFAIL, reason);
}

static int on_defer(sd_event_source *s, void *data)
{
    auth_client *c = data;
    request *first = NULL;
    bool more = false;
    for (GList *l = c->order.head; l && !more; l = l->next) {
        request *r = l->data;
        if (r->done && first)
            more = true;
        else if (r->done)
            first = r;
    }
    (void) sd_event_source_set_enabled(s, more ? SD_EVENT_ON : SD_EVENT_OFF);
    if (first)
        deliver_early(c, first);
    return 0;
}

static void arm_timer(auth_client *c)
{
    request *oldest = g_queue_peek_head(&c->order);
    if (oldest)
        (void) sd_event_source_set_time(c->timer, oldest->deadline_usec);
    (void) sd_event_source_set_enabled(c->timer, oldest ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    auth_client *c = data;
    for (GList *l = c->order.head; l; l = l->next) {
        request *r = l->data;
        if (r->deadline_usec > usec)
            break;
        if (!r->done)
            finish_early(c, r, AUTH_TEMPFAIL, "zmauthd did not answer in time");
    }
    /* Those just finished leave in on_defer; look at the next in a moment. */
    (void) sd_event_source_set_time(s, usec + G_USEC_PER_SEC);
    (void) sd_event_source_set_enabled(s, g_queue_is_empty(&c->order) ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
    return 0;
}

/* ---- connection ---- */

static void disconnect(auth_client *c)
{
    c->io = sd_event_source_disable_unref(c->io);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data);

static int open_connection(auth_client *c)
{
    int fd = localsocket_connect(c->path, SOCK_SEQPACKET | SOCK_NONBLOCK);
    if (fd < 0)
        return fd;
    int r = sd_event_add_io(c->event, &c->io, fd, EPOLLIN, on_io, c);
    if (r < 0) {
        close(fd);
        return r;
    }
    c->fd = fd;
    c->answered = false;
    return 0;
}

/* 1 all sent, 0 the socket is full, negative errno. */
static int send_unsent(auth_client *c)
{
    request *r;
    while ((r = g_queue_peek_head(&c->unsent)) != NULL) {
        if (send(c->fd, r->bytes->data, r->bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return 0;
            if (errno != EINTR)
                return -errno;
            continue;
        }
        g_queue_pop_head(&c->unsent);
    }
    return 1;
}

/* Connects when needed and sends what waits; without a connection all fail. */
static void flush(auth_client *c)
{
    if (c->fd < 0 && open_connection(c) < 0) {
        fail_all(c, "zmauthd is away");
        return;
    }
    int sent = send_unsent(c);
    if (sent < 0) {
        bool again = c->answered;
        disconnect(c);
        if (!again || open_connection(c) < 0 || (sent = send_unsent(c)) < 0) {
            disconnect(c);
            fail_all(c, "connection to zmauthd lost");
            return;
        }
    }
    (void) sd_event_source_set_io_events(c->io, sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

static void connection_lost(auth_client *c)
{
    bool again = c->answered;
    disconnect(c);
    if (!again) {
        fail_all(c, "connection to zmauthd lost");
        return;
    }
    g_queue_clear(&c->unsent);
    for (GList *l = c->order.head; l; l = l->next)
        if (!((request *) l->data)->done)
            g_queue_push_tail(&c->unsent, l->data);
    if (!g_queue_is_empty(&c->unsent))
        flush(c);
}

static int64_t number(const char *s, int64_t max)
{
    guint64 v = 0;
    return s && g_ascii_string_to_unsigned(s, 10, 0, (guint64) max, &v, NULL) ? (int64_t) v : 0;
}

static void handle_reply(auth_client *c, const auth_message *m)
{
    request *r = g_hash_table_lookup(c->requests, &m->id);
    if (!r || r->done)
        return;
    auth_result result = {
        .status = m->status <= AUTH_NO_SUCH ? (auth_status) m->status : AUTH_TEMPFAIL,
        .account_id = m->field[AUTH_F_ACCOUNT_ID],
        .name = m->field[AUTH_F_NAME],
        .account_status = m->field[AUTH_F_ACCOUNT_STATUS],
        .mail_host = m->field[AUTH_F_MAIL_HOST],
        .mail_transport = m->field[AUTH_F_MAIL_TRANSPORT],
        .quota_bytes = number(m->field[AUTH_F_QUOTA], INT64_MAX),
        .reason = m->field[AUTH_F_REASON],
        .imap_port = (uint16_t) number(m->field[AUTH_F_IMAP_PORT], UINT16_MAX),
        .pop3_port = (uint16_t) number(m->field[AUTH_F_POP3_PORT], UINT16_MAX),
        .list = m->field[AUTH_F_LIST],
        .route_key = m->field[AUTH_F_ROUTE_KEY],
    };
    deliver(c, r, &result, m->field[AUTH_F_TICKET]);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    auth_client *c = data;
    if (revents & EPOLLOUT) {
        flush(c);
        return 0;
    }
    uint8_t bytes[AUTH_WIRE_MAX];
    auth_message m;
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0 || auth_wire_decode(bytes, (size_t) n, &m) < 0) {
        connection_lost(c);
        return 0;
    }
    c->answered = true;
    handle_reply(c, &m);
    return 0;
}

/* ---- requests ---- */

static request *submit(auth_client *c, auth_message *m, void *data)
{
    uint64_t now = 0;
    request *r = g_new0(request, 1);
    (void) sd_event_now(c->event, CLOCK_MONOTONIC, &now);
    *r = (request) { .id = ++c->last_id, .op = m->op, .data = data, .deadline_usec = now + TIMEOUT_USEC };
    m->id = r->id;
    m->status = AUTH_WIRE_REQUEST;
    r->bytes = auth_wire_encode(m);
    g_hash_table_insert(c->requests, &r->id, r);
    g_queue_push_tail(&c->order, r);
    arm_timer(c);
    if (!r->bytes) {
        finish_early(c, r, m->op == AUTH_OP_RESOLVE ? AUTH_NO_SUCH : AUTH_DENIED, "a value is too long");
        return r;
    }
    g_queue_push_tail(&c->unsent, r);
    flush(c);
    return r;
}

static void set_login(auth_message *m, auth_op op, const char *protocol, const char *user,
                      const char *password, const char *client_ip)
{
    *m = (auth_message) { .op = op };
    m->field[AUTH_F_PROTOCOL] = protocol;
    m->field[AUTH_F_USER] = user;
    m->field[AUTH_F_PASSWORD] = password;
    m->field[AUTH_F_CLIENT_IP] = client_ip;
}

uint64_t auth_login(auth_client *c, const char *protocol, const char *user, const char *password,
                    const char *client_ip, auth_callback cb, void *data)
{
    auth_message m;
    set_login(&m, AUTH_OP_LOGIN, protocol, user, password, client_ip);
    request *r = submit(c, &m, data);
    r->cb = cb;
    return r->id;
}

uint64_t auth_login_ticket(auth_client *c, const char *protocol, const char *user, const char *password,
                           const char *client_ip, auth_ticket_callback cb, void *data)
{
    auth_message m;
    set_login(&m, AUTH_OP_TICKET, protocol, user, password, client_ip);
    request *r = submit(c, &m, data);
    r->ticket_cb = cb;
    return r->id;
}

uint64_t auth_resolve(auth_client *c, const char *address, auth_callback cb, void *data)
{
    auth_message m = { .op = AUTH_OP_RESOLVE };
    m.field[AUTH_F_ADDRESS] = address;
    request *r = submit(c, &m, data);
    r->cb = cb;
    return r->id;
}

uint64_t auth_may_send(auth_client *c, const char *address, const char *sender, bool logged_in,
                       auth_callback cb, void *data)
{
    auth_message m = { .op = AUTH_OP_MAY_SEND };
    m.field[AUTH_F_ADDRESS] = address;
    m.field[AUTH_F_SENDER] = sender;
    m.field[AUTH_F_LOGGED_IN] = logged_in ? "1" : NULL;
    request *r = submit(c, &m, data);
    r->cb = cb;
    return r->id;
}

void auth_cancel(auth_client *c, uint64_t id)
{
    request *r = g_hash_table_lookup(c->requests, &id);
    if (!r)
        return;
    remove_request(c, r);
    request_free(r);
}

auth_client *auth_client_new(sd_event *event, const char *path)
{
    auth_client *c = g_new0(auth_client, 1);
    c->event = sd_event_ref(event);
    c->path = g_strdup(path ? path : AUTH_SOCKET);
    c->fd = -1;
    c->requests = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, request_free);
    g_queue_init(&c->order);
    g_queue_init(&c->unsent);
    int r = sd_event_add_defer(event, &c->defer, on_defer, c);
    if (r >= 0)
        r = sd_event_add_time(event, &c->timer, CLOCK_MONOTONIC, 0, 100 * 1000, on_timer, c);
    g_assert(r >= 0);
    (void) sd_event_source_set_enabled(c->defer, SD_EVENT_OFF);
    (void) sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
    return c;
}

void auth_client_free(auth_client *c)
{
    if (!c)
        return;
    disconnect(c);
    fail_all(c, "shutting down");
    for (request *r; (r = g_queue_peek_head(&c->order)) != NULL; )
        deliver_early(c, r);
    sd_event_source_disable_unref(c->defer);
    sd_event_source_disable_unref(c->timer);
    g_hash_table_unref(c->requests);
    g_queue_clear(&c->unsent);
    sd_event_unref(c->event);
    g_free(c->path);
    g_free(c);
}
