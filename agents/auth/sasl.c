/* Dovecot's authentication protocol towards Postfix's smtpd: handshake, then AUTH
 * and CONT from the client, CONT, OK and FAIL from us; PLAIN and LOGIN.
 *
 * smtpd knows no temporary failure in this protocol: any FAIL is "535
 * authentication failed", on which mail programs forget the password. It answers
 * "454 Temporary authentication failure" only when its connection to us ends
 * before an answer, and connects again for the next client. So that is how a
 * temporary failure is told (docs/decisions/sasl-temporary-failure.md). */
#include "agents/auth/sasl.h"

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/auth/peer.h"
#include "agents/auth/sasl-line.h"
#include "lib/journal/journal.h"
#include "lib/localsocket/localsocket.h"

#define CONNECTIONS_MAX 2000
#define EXCHANGES_MAX 16
#define OUT_MAX (64 * 1024)
#define VERSION_MAJOR 1
#define PROTOCOL "smtp"

struct sasl {
    manager *m;
    sd_event *event;
    int fd;
    unsigned greeted;        /* connections so far */
    sd_event_source *source;
    GHashTable *open;        /* set of connection */
};

typedef enum { NEEDS_PLAIN, NEEDS_USER, NEEDS_PASSWORD, ASKED } step;

typedef struct {
    uint32_t id;
    step step;
    char *client_ip, *user;
} exchange;

typedef struct {
    unsigned refs;
    sasl *s;                 /* NULL once closed */
    int fd;
    char *peer;
    sd_event_source *io;
    GHashTable *exchanges;   /* id -> exchange, owned */
    GByteArray *in;
    GByteArray *out;
    bool greeted;            /* VERSION was right */
} connection;

typedef struct { connection *c; uint32_t id; } asked;

static const struct { const char *name; step first; const char *prompt; } mechs[] = {
    { "PLAIN", NEEDS_PLAIN, "" },
    { "LOGIN", NEEDS_USER, "VXNlcm5hbWU6" },       /* "Username:" */
};
#define PASSWORD_PROMPT "UGFzc3dvcmQ6"             /* "Password:" */

static void exchange_free(void *p)
{
    exchange *x = p;
    g_free(x->client_ip);
    g_free(x->user);
    g_free(x);
}

/* ---- connection ---- */

static void connection_unref(connection *c)
{
    if (--c->refs > 0)
        return;
    g_hash_table_unref(c->exchanges);
    explicit_bzero(c->in->data, c->in->len);
    g_byte_array_unref(c->in);
    g_byte_array_unref(c->out);
    g_free(c->peer);
    g_free(c);
}

static void connection_close(connection *c, const char *why)
{
    if (!c->s)
        return;
    if (why)
        journal_warning("SASL connection of %s closed: %s", c->peer, why);
    g_hash_table_remove(c->s->open, c);
    c->s = NULL;
    sd_event_source_disable_unref(c->io);
    close(c->fd);
    connection_unref(c);
}

static void send_out(connection *c)
{
    while (c->out->len > 0) {
        ssize_t n = send(c->fd, c->out->data, c->out->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            connection_close(c, NULL);
            return;
        }
        g_byte_array_remove_range(c->out, 0, (guint) n);
    }
    (void) sd_event_source_set_io_events(c->io, c->out->len ? EPOLLIN | EPOLLOUT : EPOLLIN);   /* own source */
}

static G_GNUC_PRINTF(2, 3) void say(connection *c, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *line = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (!c->s)
        return;
    g_byte_array_append(c->out, (const guint8 *) line, (guint) strlen(line));
    if (c->out->len > OUT_MAX)
        connection_close(c, "does not read its answers");
    else
        send_out(c);
}

static void fail(connection *c, uint32_t id)
{
    g_hash_table_remove(c->exchanges, &id);
    say(c, "FAIL\t%u\n", id);
}

/* ---- asking ---- */

static void on_answer(const answer *a, void *data)
{
    asked *q = data;
    connection *c = q->c;
    if (c->s && g_hash_table_contains(c->exchanges, &q->id)) {
        g_hash_table_remove(c->exchanges, &q->id);
        if (a->status == AUTH_OK)
            say(c, "OK\t%u\tuser=%s\n", q->id, a->name);
        else if (a->status == AUTH_TEMPFAIL)
            connection_close(c, NULL);
        else
            say(c, "FAIL\t%u\n", q->id);
    }
    connection_unref(c);
    g_free(q);
}

/* Takes USER and PASSWORD. */
static void ask(connection *c, exchange *x, char *user, char *password)
{
    question *q = question_new(AUTH_OP_LOGIN);
    q->protocol = g_strdup(PROTOCOL);
    q->user = user;
    q->password = password;
    q->client_ip = g_strdup(x->client_ip);
    x->step = ASKED;
    asked *a = g_new0(asked, 1);
    *a = (asked) { .c = c, .id = x->id };
    c->refs++;
    manager_ask(c->s->m, q, on_answer, a);
}

static void take_response(connection *c, exchange *x, const char *response)
{
    char *user = NULL, *password = NULL;
    int r = -EBADMSG;
    switch (x->step) {
    case NEEDS_PLAIN:
        r = sasl_decode_plain(response, &user, &password);
        break;
    case NEEDS_USER:
        r = sasl_decode_text(response, &x->user);
        if (r == 0) {
            x->step = NEEDS_PASSWORD;
            say(c, "CONT\t%u\t" PASSWORD_PROMPT "\n", x->id);
            return;
        }
        break;
    case NEEDS_PASSWORD:
        r = sasl_decode_text(response, &password);
        if (r == 0)
            user = g_steal_pointer(&x->user);
        break;
    case ASKED:
        connection_close(c, "CONT after the end of an exchange");
        return;
    }
    if (r < 0)
        fail(c, x->id);
    else
        ask(c, x, user, password);
}

static void start_exchange(connection *c, const sasl_line *l)
{
    size_t i = 0;
    while (i < G_N_ELEMENTS(mechs) && g_ascii_strcasecmp(l->mech, mechs[i].name) != 0)
        i++;
    if (g_hash_table_contains(c->exchanges, &l->number)) {
        connection_close(c, "AUTH with a number in use");
        return;
    }
    if (i == G_N_ELEMENTS(mechs) || g_hash_table_size(c->exchanges) >= EXCHANGES_MAX) {
        fail(c, l->number);
        return;
    }
    exchange *x = g_new0(exchange, 1);
    *x = (exchange) { .id = l->number, .step = mechs[i].first, .client_ip = g_strndup(l->client_ip, 64) };
    g_hash_table_insert(c->exchanges, &x->id, x);
    if (l->response)
        take_response(c, x, l->response);
    else
        say(c, "CONT\t%u\t%s\n", x->id, mechs[i].prompt);
}

/* ---- reading ---- */

static void take_line(connection *c, char *text)
{
    sasl_line l;
    exchange *x;
    int r = sasl_line_parse(text, &l);
    if (r == -ENOENT)
        return;
    if (r < 0 || (l.verb != SASL_VERSION && !c->greeted)) {
        connection_close(c, "malformed line");
        return;
    }
    switch (l.verb) {
    case SASL_VERSION:
        c->greeted = l.number == VERSION_MAJOR;
        if (!c->greeted)
            connection_close(c, "speaks another version of the protocol");
        break;
    case SASL_CPID:
        break;
    case SASL_AUTH:
        start_exchange(c, &l);
        break;
    case SASL_CONT:
        x = g_hash_table_lookup(c->exchanges, &l.number);
        if (x)
            take_response(c, x, l.response ? l.response : "");
        else
            fail(c, l.number);
        break;
    case SASL_CANCEL:
        g_hash_table_remove(c->exchanges, &l.number);
        break;
    }
}

static void take_lines(connection *c)
{
    guint8 *end;
    while (c->s && (end = memchr(c->in->data, '\n', c->in->len)) != NULL) {
        guint len = (guint) (end - c->in->data);
        char *line = g_strndup((const char *) c->in->data, len);
        explicit_bzero(c->in->data, len);
        g_byte_array_remove_range(c->in, 0, len + 1);
        take_line(c, line);
        explicit_bzero(line, len);
        g_free(line);
    }
    if (c->s && c->in->len > SASL_LINE_MAX)
        connection_close(c, "line too long");
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    connection *c = data;
    guint8 bytes[4096];
    if (revents & EPOLLOUT) {
        send_out(c);
        return 0;
    }
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        connection_close(c, NULL);
        return 0;
    }
    g_byte_array_append(c->in, bytes, (guint) n);
    explicit_bzero(bytes, (size_t) n);
    c->refs++;   /* a line may close it */
    take_lines(c);
    connection_unref(c);
    return 0;
}

static void greet(connection *c)
{
    uint8_t cookie[16];
    GString *hex = g_string_new(NULL);
    int random = RAND_bytes(cookie, sizeof cookie);
    g_assert(random == 1);
    for (size_t i = 0; i < sizeof cookie; i++)
        g_string_append_printf(hex, "%02x", cookie[i]);
    say(c, "VERSION\t%d\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t%d\nCUID\t%u\nCOOKIE\t%s\nDONE\n",
        VERSION_MAJOR, (int) getpid(), ++c->s->greeted, hex->str);
    g_string_free(hex, TRUE);
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    sasl *s = data;
    g_autofree char *peer = NULL;
    int peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer_fd < 0)
        return 0;
    bool may = peer_rights(peer_fd, &peer) & PEER_SASL;
    if (!may || g_hash_table_size(s->open) >= CONNECTIONS_MAX) {
        journal_warning("SASL connection of %s refused: %s", peer ? peer : "?",
                        may ? "too many connections" : "it is not Postfix");
        close(peer_fd);
        return 0;
    }
    connection *c = g_new0(connection, 1);
    *c = (connection) { .refs = 1, .s = s, .fd = peer_fd, .peer = g_steal_pointer(&peer),
                        .exchanges = g_hash_table_new_full(g_int_hash, g_int_equal, NULL, exchange_free),
                        .in = g_byte_array_new(), .out = g_byte_array_new() };
    g_hash_table_add(s->open, c);
    if (sd_event_add_io(s->event, &c->io, peer_fd, EPOLLIN, on_io, c) < 0)
        connection_close(c, "no memory");
    else
        greet(c);
    return 0;
}

sasl *sasl_new(sd_event *event, manager *m, const char *path, const char *group, GError **error)
{
    int fd = localsocket_listen(path, SOCK_STREAM, 0660, group, error);
    if (fd < 0)
        return NULL;
    sasl *s = g_new0(sasl, 1);
    *s = (sasl) { .m = m, .event = event, .fd = fd, .open = g_hash_table_new(NULL, NULL) };
    int r = sd_event_add_io(event, &s->source, fd, EPOLLIN, on_connection, s);
    g_assert(r >= 0);
    return s;
}

void sasl_free(sasl *s)
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
