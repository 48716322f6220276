/* A client from accept to hand-over: buffers, states, timers, the login itself.
 *
 * Invariant: a client is freed only at the end of an event (client_settle), so
 * that protocol code may end it at any point by client_close_after_flush().
 * Commands are the protocols' business (imap.c, pop3.c), bytes transport.c's. */
#include "agents/store/login/login.h"

#include <errno.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "agents/store/login/proxy.h"
#include "lib/journal/journal.h"

enum {
    HEADER_GRACE_MS = 300,   /* a trusted peer that sends no PROXY header is greeted after this */
    HEADER_PEEK_MS = 50,
    TIMER_ACCURACY_US = 50000,
};

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data);
static int on_deferred(sd_event_source *s, uint64_t usec, void *data);
static void client_settle(client *c);

void client_log(const client *c, int priority, const char *event, const char *detail)
{
    g_autofree char *message = g_strdup_printf("%s from %s: %s", event, c->address, detail);
    journal_fields(priority, message, "PROTOCOL", c->protocol->name, "CLIENT", c->address, NULL);
}

/* ---- counting ---- */

static unsigned count_of(const login *l, const char *address)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(l->per_address, address));
}

static void count_address(client *c, int delta)
{
    unsigned n = (unsigned) ((int) count_of(c->login, c->address) + delta);
    if (n > 0)
        g_hash_table_insert(c->login->per_address, g_strdup(c->address), GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(c->login->per_address, c->address);
    c->counted = delta > 0;
}

/* False when the address has too many connections. */
static bool admit(client *c)
{
    bool room = count_of(c->login, c->address) < c->login->config->max_per_address;
    count_address(c, 1);
    return room;
}

/* ---- timers ---- */

static void set_timer(client *c, sd_event_source **timer, unsigned ms, sd_event_time_handler_t fn)
{
    *timer = sd_event_source_disable_unref(*timer);
    (void) sd_event_add_time_relative(c->login->event, timer, CLOCK_MONOTONIC, ms * 1000ULL, TIMER_ACCURACY_US, fn, c);
}

static int on_idle(sd_event_source *s, uint64_t usec, void *data)
{
    client *c = data;
    if (c->greeted && c->state != CLIENT_CLOSING)
        c->protocol->bye(c, "no login in time");
    client_close_after_flush(c);
    if (c->out->len > 0)
        (void) transport_write(c, c->out->data, c->out->len);   /* a last try; the client is dropped either way */
    client_free(c);
    return 0;
}

static void restart_idle_timer(client *c)
{
    set_timer(c, &c->timer, c->login->config->timeout_seconds * 1000, on_idle);
}

/* ---- output and states ---- */

void client_printf(client *c, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *s = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_byte_array_append(c->out, (const guint8 *) s, (guint) strlen(s));
}

void client_close_after_flush(client *c)
{
    c->state = CLIENT_CLOSING;
}

bool client_is_private(const client *c)
{
    return c->ssl || c->proxied || c->login->config->cleartext_login;
}

bool client_may_start_tls(const client *c)
{
    return c->login->tls && !c->ssl;
}

static int flush(client *c)
{
    while (c->out->len > 0) {
        ssize_t n = transport_write(c, c->out->data, c->out->len);
        if (n < 0)
            return n == -EAGAIN ? 0 : (int) n;
        g_byte_array_remove_range(c->out, 0, (guint) n);
    }
    return 0;
}

void client_update(client *c)
{
    bool reads = c->state == CLIENT_HEADER || c->state == CLIENT_HANDSHAKE || c->state == CLIENT_TALK;
    bool room = c->in->len < CLIENT_INPUT_MAX && c->out->len < CLIENT_INPUT_MAX;
    (void) sd_event_source_set_io_events(c->io, transport_events(c, reads && room, c->out->len > 0));
}

/* The end of every event of a client before its relay. */
static void client_settle(client *c)
{
    int r = c->state == CLIENT_HANDSHAKE ? 0 : flush(c);
    if (r < 0 || (c->state == CLIENT_CLOSING && c->out->len == 0))
        client_free(c);
    else
        client_update(c);
}

/* ---- talking ---- */

static void greet(client *c)
{
    if (c->greeted)
        return;
    c->greeted = true;
    if (c->login->clients && g_hash_table_size(c->login->clients) > c->login->config->max_connections) {
        c->protocol->bye(c, "too many connections");
        client_close_after_flush(c);
    } else {
        c->protocol->greet(c);
    }
}

static void process(client *c)
{
    while (c->state == CLIENT_TALK && c->in->len > 0) {
        guint before = c->in->len;
        if (c->protocol->input(c) < 0)
            client_close_after_flush(c);
        if (c->start_tls) {
            /* What came in plain text after the command is not believed (RFC 9051 §11.1). */
            c->start_tls = false;
            g_byte_array_set_size(c->in, 0);
            if (flush(c) < 0 || c->out->len > 0 || transport_start_tls(c) < 0)
                client_close_after_flush(c);
            else
                c->state = CLIENT_HANDSHAKE;
        }
        if (c->in->len == before)
            break;
    }
}

static void begin_protocol(client *c)
{
    if (!c->counted && (c->proxied || !c->trusted) && !admit(c)) {
        client_log(c, LOG_NOTICE, "connection refused", "too many from this address");
        c->greeted = true;
        if (!c->implicit_tls)
            c->protocol->bye(c, "too many connections from your address");
        client_close_after_flush(c);
        return;
    }
    if (c->implicit_tls && !c->ssl) {
        c->state = transport_start_tls(c) < 0 ? CLIENT_CLOSING : CLIENT_HANDSHAKE;
        return;
    }
    c->state = CLIENT_TALK;
    greet(c);
    process(c);
}

static void take_header_address(client *c, const char *address)
{
    c->proxied = true;
    if (*address) {
        g_free(c->address);
        c->address = g_strdup(address);
    }
}

/* A trusted peer's first bytes: a PROXY header or the client's own. */
static void read_header(client *c)
{
    char address[PROXY_ADDRESS_MAX];
    size_t used = 0;
    int r = proxy_header(c->in->data, c->in->len, address, &used);
    if (r == 0)
        return;
    if (r == -EBADMSG) {
        client_log(c, LOG_WARNING, "connection refused", "broken PROXY header");
        client_close_after_flush(c);
        return;
    }
    c->deferred = sd_event_source_disable_unref(c->deferred);
    if (r > 0) {
        g_byte_array_remove_range(c->in, 0, (guint) used);
        take_header_address(c, address);
    }
    begin_protocol(c);
}

/* Before implicit TLS the bytes after the header are OpenSSL's to read. */
static int peek_header(client *c)
{
    char bytes[PROXY_HEADER_MAX], address[PROXY_ADDRESS_MAX];
    size_t used = 0;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_PEEK);
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : -ECONNRESET;
    int r = proxy_header(bytes, (size_t) n, address, &used);
    if (r == -EBADMSG)
        return r;
    if (r == 0) {   /* part of one: look again in a moment instead of spinning */
        (void) sd_event_source_set_io_events(c->io, 0);
        set_timer(c, &c->deferred, HEADER_PEEK_MS, on_deferred);
        return 1;
    }
    if (r > 0) {
        if (recv(c->fd, bytes, used, 0) != (ssize_t) used)
            return -ECONNRESET;
        take_header_address(c, address);
    }
    begin_protocol(c);
    return 0;
}

static int on_deferred(sd_event_source *s, uint64_t usec, void *data)
{
    client *c = data;
    c->deferred = sd_event_source_disable_unref(c->deferred);
    if (c->state == CLIENT_WAIT) {           /* a refusal's delay is over */
        auth_result refusal = { .status = c->failure };
        c->state = CLIENT_TALK;
        c->protocol->refused(c, &refusal);
        if (c->failures >= LOGIN_TRIES) {
            c->protocol->bye(c, "too many failed logins");
            client_close_after_flush(c);
        }
        process(c);
    } else if (c->state == CLIENT_HEADER && !c->implicit_tls) {
        greet(c);                            /* the header may still come */
    }
    client_settle(c);
    return 0;
}

/* ---- events ---- */

static int read_input(client *c)
{
    guint8 bytes[4096];
    for (;;) {
        size_t room = CLIENT_INPUT_MAX - MIN(c->in->len, (guint) CLIENT_INPUT_MAX);
        if (room == 0 || (c->state != CLIENT_TALK && c->state != CLIENT_HEADER))
            return 0;
        ssize_t n = transport_read(c, bytes, MIN(room, sizeof bytes));
        if (n <= 0)
            return n == -EAGAIN ? 0 : -ECONNRESET;
        g_byte_array_append(c->in, bytes, (guint) n);
        explicit_bzero(bytes, sizeof bytes);
        if (c->state == CLIENT_HEADER)
            read_header(c);
        else
            process(c);
    }
}

static int handshake(client *c)
{
    int r = transport_handshake(c);
    if (r < 0)
        return r == -EAGAIN ? 0 : r;
    c->state = CLIENT_TALK;
    if (c->implicit_tls)
        greet(c);
    return 0;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    client *c = data;
    if (c->state == CLIENT_RELAY) {
        if (relay_run(c) < 0)
            client_free(c);
        return 0;
    }
    int r = revents & EPOLLERR || (revents & EPOLLHUP && c->state == CLIENT_WAIT) ? -ECONNRESET : 0;
    restart_idle_timer(c);
    if (r == 0 && c->state == CLIENT_HEADER && c->implicit_tls) {
        r = peek_header(c);
        if (r > 0)
            return 0;
    }
    if (r == 0 && c->state == CLIENT_HANDSHAKE)
        r = handshake(c);
    if (r == 0 && (c->state == CLIENT_TALK || c->state == CLIENT_HEADER) && !(c->state == CLIENT_HEADER && c->implicit_tls))
        r = read_input(c);
    if (r < 0)
        client_free(c);
    else
        client_settle(c);
    return 0;
}

/* ---- login ---- */

static void delay_failure(client *c, auth_status status)
{
    c->failure = status;
    if (status == AUTH_DENIED)
        c->failures++;
    unsigned ms = c->login->config->failure_delay_ms;
    set_timer(c, &c->deferred, status == AUTH_DENIED ? ms * MIN(c->failures, 3U) : ms / 4, on_deferred);
}

static int hand_over(client *c, const auth_result *account)
{
    int fd = c->fd, r = flush(c);
    if (r < 0 || c->out->len > 0)
        return r < 0 ? r : -EAGAIN;
    if (c->ssl && (r = relay_prepare(c, &fd)) < 0)
        return r;
    r = handoff_session(c->login, c, fd, account);
    if (c->ssl)
        close(fd);
    return r;
}

static void logged_in(client *c, const auth_result *account)
{
    const char *host = c->login->config->hostname;
    if (*host && *account->mail_host && g_ascii_strcasecmp(host, account->mail_host) != 0) {
        client_log(c, LOG_NOTICE, "login refused", "the mailbox is on another server");
        c->state = CLIENT_TALK;
        c->protocol->elsewhere(c, account->mail_host);
        client_settle(c);
        return;
    }
    int r = hand_over(c, account);
    if (r < 0) {
        client_log(c, LOG_ERR, "login failed, cannot hand the session to its shard (is zimbra-mailbox-shard@ up?)", g_strerror(-r));
        delay_failure(c, AUTH_TEMPFAIL);
        client_update(c);
        return;
    }
    client_log(c, LOG_INFO, "login", account->name);
    statpage_inc(c->login->numbers, NUMBER_LOGINS);
    if (!c->ssl || relay_start(c) < 0)
        client_free(c);
}

static void on_answer(const auth_result *result, void *data)
{
    client *c = data;
    c->auth_id = 0;
    if (result->status == AUTH_OK) {
        logged_in(c, result);
        return;
    }
    statpage_inc(c->login->numbers, NUMBER_FAILURES);
    client_log(c, LOG_NOTICE, "login refused", result->reason ? result->reason : "denied");
    delay_failure(c, result->status == AUTH_TEMPFAIL ? AUTH_TEMPFAIL : AUTH_DENIED);
    client_settle(c);
}

void client_login(client *c, const char *user, const char *password)
{
    c->state = CLIENT_WAIT;
    c->auth_id = auth_login(c->login->auth, c->protocol->name, user, password, c->address, on_answer, c);
}

/* Acting for another is not offered, and looks like a wrong password. */
static void refuse_other(client *c)
{
    client_log(c, LOG_NOTICE, "login refused", "acting for another user");
    c->state = CLIENT_WAIT;
    delay_failure(c, AUTH_DENIED);
}

bool client_login_plain(client *c, const char *base64)
{
    gsize len = 0;
    g_autofree char *copy = g_strdup(base64);
    guchar *bytes = *copy ? g_base64_decode_inplace(copy, &len) : (guchar *) copy;
    char *end = (char *) bytes + len, *authorise = (char *) bytes;
    char *user = len > 0 ? memchr(authorise, 0, len) : NULL;
    char *password = user ? memchr(user + 1, 0, (size_t) (end - user - 1)) : NULL;
    bool whole = password && !memchr(password + 1, 0, (size_t) (end - password - 1));
    if (whole) {
        g_autofree char *secret = g_strndup(password + 1, (gsize) (end - password - 1));
        if (*authorise && g_ascii_strcasecmp(authorise, user + 1) != 0)
            refuse_other(c);
        else
            client_login(c, user + 1, secret);
        explicit_bzero(secret, strlen(secret));
    }
    explicit_bzero(copy, strlen(base64));
    return whole;
}

/* ---- making and ending ---- */

void client_accept(login *l, int fd, const char *address, const protocol *p, bool implicit_tls)
{
    static const imap_limits limits = { .max_command = 8 * 1024, .max_skip = 64 * 1024 };
    client *c = g_new0(client, 1);
    *c = (client) { .login = l, .protocol = p, .fd = fd, .address = g_strdup(address), .implicit_tls = implicit_tls,
                    .in = g_byte_array_new(), .out = g_byte_array_new(), .pair = -1,
                    .trusted = login_network_matches(l->config->trusted_proxies, address) };
    imap_reader_init(&c->reader, &limits);
    g_hash_table_add(l->clients, c);
    statpage_inc(l->numbers, NUMBER_WAITING);
    if (sd_event_add_io(l->event, &c->io, fd, 0, on_io, c) < 0) {
        client_free(c);
        return;
    }
    restart_idle_timer(c);
    if (c->trusted && !implicit_tls)
        set_timer(c, &c->deferred, HEADER_GRACE_MS, on_deferred);
    if (!c->trusted)
        begin_protocol(c);
    client_settle(c);
}

/* Takes what the client has sent already: closing over it would reset the
 * connection, and the last answer might be lost with it. */
static void discard_input(int fd)
{
    char bytes[4096];
    (void) shutdown(fd, SHUT_WR);
    for (unsigned i = 0; i < 64 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0; i++)
        ;
}

static void wipe(GByteArray *b)
{
    if (b->len > 0)
        explicit_bzero(b->data, b->len);
    g_byte_array_unref(b);
}

static void uncount(const client *c)
{
    unsigned relays = c->protocol->wire == WIRE_IMAP ? NUMBER_IMAP_RELAYS : NUMBER_POP3_RELAYS;
    statpage_dec(c->login->numbers, c->state == CLIENT_RELAY ? relays : NUMBER_WAITING);
}

void client_free(client *c)
{
    if (c->auth_id)
        auth_cancel(c->login->auth, c->auth_id);
    if (c->counted)
        count_address(c, -1);
    g_hash_table_remove(c->login->clients, c);
    uncount(c);
    sd_event_source_disable_unref(c->io);
    sd_event_source_disable_unref(c->pair_io);
    sd_event_source_disable_unref(c->timer);
    sd_event_source_disable_unref(c->deferred);
    if (c->ssl) {
        if (SSL_is_init_finished(c->ssl))
            (void) SSL_shutdown(c->ssl);   /* close_notify, if the socket takes it */
        SSL_free(c->ssl);
    }
    if (c->state == CLIENT_CLOSING)
        discard_input(c->fd);
    close(c->fd);
    if (c->pair >= 0)
        close(c->pair);
    wipe(c->in);
    wipe(c->out);
    imap_reader_done(&c->reader);
    g_free(c->address);
    g_free(c->tag);
    g_free(c->user);
    g_free(c);
}
