/* Bytes of an LMTP session: reads while nothing is outstanding, hands lines to
 * commands.c and text to transaction.c, writes replies. A pipelined group is
 * answered in one write where nothing must be waited for. */
#include "agents/store/intake/session.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/journal/journal.h"

#define OUTPUT_MAX (256 * 1024)      /* a client that does not read its replies */

static void close_now(session *s)
{
    if (s->fd < 0)
        return;
    if (s->auth_request)
        auth_cancel(s->in->auth, s->auth_request);
    s->io = sd_event_source_disable_unref(s->io);
    s->timer = sd_event_source_disable_unref(s->timer);
    close(s->fd);
    s->fd = -1;
    statpage_dec(s->in->numbers, NUMBER_SESSIONS);
    g_hash_table_remove(s->in->sessions, s);
    if (s->in->stopping && g_hash_table_size(s->in->sessions) == 0)
        (void) sd_event_exit(s->in->event, 0);   /* fails only outside a loop */
    bool resolving = s->auth_request != 0;
    s->auth_request = 0;
    if (resolving)
        session_unref(s);            /* the reference of the cancelled request */
    session_unref(s);
}

session *session_ref(session *s)
{
    s->refs++;
    return s;
}

void session_unref(session *s)
{
    if (--s->refs)
        return;
    transaction_reset(&s->t);
    g_array_unref(s->t.recipients);
    lmtp_line_done(&s->line);
    g_string_free(s->output, TRUE);
    g_free(s->client);
    g_free(s);
}

void session_free(session *s)
{
    close_now(s);
}

/* Writes what it can; waits for room for the rest. False: the session is gone. */
static bool flush(session *s)
{
    while (s->output->len) {
        ssize_t n = send(s->fd, s->output->str, s->output->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && s->output->len < OUTPUT_MAX)
            break;
        if (n < 0) {
            close_now(s);
            return false;
        }
        g_string_erase(s->output, 0, n);
    }
    s->writing = s->output->len > 0;
    if (!s->writing && s->closing) {
        close_now(s);
        return false;
    }
    return true;
}

/* Reading is off while a command is outstanding or replies wait. */
static void set_events(session *s)
{
    uint32_t events = s->writing ? EPOLLOUT : EPOLLIN;
    bool on = s->writing || !s->busy;
    (void) sd_event_source_set_io_events(s->io, events);   /* own source, valid arguments */
    (void) sd_event_source_set_enabled(s->io, on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void touch(session *s)
{
    (void) sd_event_source_set_time_relative(s->timer, s->in->config.idle_timeout * G_USEC_PER_SEC);
    (void) sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

void session_reply(session *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_string_append_vprintf(s->output, format, ap);
    va_end(ap);
    g_string_append(s->output, "\r\n");
}

void session_busy(session *s)
{
    s->busy = true;
}

static void take_line(session *s)
{
    size_t used;
    int r = lmtp_line_feed(&s->line, s->input + s->input_at, s->input_len - s->input_at, &used);
    s->input_at += used;
    if (r == -EMSGSIZE) {
        s->errors++;
        session_reply(s, "500 5.5.2 Line too long");
    } else if (r > 0) {
        session_command(s, s->line.text->str, s->line.text->len);
        lmtp_line_next(&s->line);
    }
    if (s->errors >= SESSION_MAX_ERRORS && !s->closing) {
        session_reply(s, "421 4.7.0 Too many errors");
        s->closing = true;
    }
}

static void take_text(session *s)
{
    size_t used;
    int r = lmtp_data_feed(&s->data, s->input + s->input_at, s->input_len - s->input_at, &used, transaction_text, s);
    s->input_at += used;
    if (r > 0) {
        s->in_data = false;
        transaction_deliver(s);
    } else {
        transaction_spool(s);
    }
}

/* Works off the input until something must be waited for. */
static void process(session *s)
{
    session_ref(s);
    while (s->fd >= 0 && !s->busy && !s->closing && s->input_at < s->input_len) {
        if (s->in_data)
            take_text(s);
        else
            take_line(s);
    }
    if (s->fd >= 0 && s->stop && !s->busy && !s->in_data && !s->closing) {
        session_reply(s, "421 4.3.2 %s is stopping", s->in->config.advertised_name);
        s->closing = true;
    }
    if (s->fd >= 0 && flush(s))
        set_events(s);
    session_unref(s);
}

void session_resume(session *s)
{
    s->busy = false;
    process(s);
}

void session_close(session *s)
{
    s->closing = true;
}

void session_stop(session *s)
{
    s->stop = true;
    if (!s->busy && !s->in_data)
        process(s);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    session *s = data;
    touch(s);
    if (s->writing) {
        process(s);
        return 0;
    }
    ssize_t n = recv(fd, s->input, sizeof s->input, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        close_now(s);
        return 0;
    }
    s->input_at = 0;
    s->input_len = (size_t) n;
    process(s);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *data)
{
    session *s = data;
    session_reply(s, "421 4.4.2 %s timeout", s->in->config.advertised_name);
    s->closing = true;
    if (flush(s))
        close_now(s);
    return 0;
}

void session_start(intake *in, int fd, const char *client)
{
    session *s = g_new0(session, 1);
    s->refs = 1;
    s->in = in;
    s->fd = fd;
    s->client = g_strdup(client);
    s->output = g_string_new(NULL);
    lmtp_line_init(&s->line, in->config.max_line);
    transaction_init(&s->t);
    statpage_inc(in->numbers, NUMBER_SESSIONS);
    g_hash_table_add(in->sessions, s);
    if (sd_event_add_io(in->event, &s->io, fd, EPOLLIN, on_io, s) < 0 ||
        sd_event_add_time_relative(in->event, &s->timer, CLOCK_MONOTONIC,
                                   in->config.idle_timeout * G_USEC_PER_SEC, G_USEC_PER_SEC, on_timeout, s) < 0) {
        journal_error("cannot watch a connection: out of descriptors or memory");
        close_now(s);
        return;
    }
    bool full = g_hash_table_size(in->sessions) > in->config.max_sessions;
    if (full || in->stopping) {
        session_reply(s, "421 4.3.2 %s %s", in->config.advertised_name, full ? "has too many connections" : "is stopping");
        s->closing = true;
    } else {
        session_reply(s, "220 %s LMTP Mailstead", in->config.advertised_name);
    }
    process(s);
}
