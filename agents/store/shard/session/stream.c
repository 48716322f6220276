/* See stream.h. Callbacks are called from the loop, never from a call of the
 * session, so that a session may free its stream in any of them. An idle stream
 * holds no buffers worth naming. */
#include "agents/store/shard/session/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_CHUNK = 16 * 1024, KEEP = 1024, IDLE_ACCURACY_US = 5 * 1000 * 1000 };

struct stream {
    sd_event *event;
    int fd;
    sd_event_source *io, *again, *timer;
    const stream_ops *ops;
    void *data;
    GByteArray *in;
    GString *out;
    size_t sent;              /* of out */
    bool want_input, closing, lost;
    bool eof;                 /* the peer sends no more; what it sent is still worked on */
    guint eof_left;           /* input that was there when it was last offered after the end */
    unsigned idle_seconds;
};

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data);
static int on_again(sd_event_source *source, void *data);

static void call_again(stream *s)
{
    (void) sd_event_source_set_enabled(s->again, SD_EVENT_ONESHOT);   /* our own source: cannot fail */
}

stream *stream_new(sd_event *event, int fd, const stream_ops *ops, void *data)
{
    stream *s = g_new0(stream, 1);
    *s = (stream) { .event = sd_event_ref(event), .fd = fd, .ops = ops, .data = data, .want_input = true,
                    .in = g_byte_array_new(), .out = g_string_sized_new(64) };
    (void) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    g_assert(sd_event_add_defer(event, &s->again, on_again, s) >= 0);
    if (sd_event_add_io(event, &s->io, fd, EPOLLIN, on_io, s) < 0)
        s->lost = true;   /* told by on_again */
    return s;
}

/* Closing over unread input would reset the connection, and the last answer might
 * be lost with it. */
static void discard_input(int fd)
{
    char bytes[4096];
    (void) shutdown(fd, SHUT_WR);
    for (unsigned i = 0; i < 64 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0; i++)
        ;
}

void stream_free(stream *s)
{
    if (!s)
        return;
    if (s->closing)
        discard_input(s->fd);
    sd_event_source_disable_unref(s->io);
    sd_event_source_disable_unref(s->again);
    sd_event_source_disable_unref(s->timer);
    close(s->fd);
    g_byte_array_unref(s->in);
    g_string_free(s->out, TRUE);
    sd_event_unref(s->event);
    g_free(s);
}

static void update_events(stream *s)
{
    bool reads = s->want_input && !s->closing && !s->eof && s->in->len < STREAM_INPUT_MAX;
    if (s->io)
        (void) sd_event_source_set_io_events(s->io, (reads ? (uint32_t) EPOLLIN : 0) | (s->sent < s->out->len ? (uint32_t) EPOLLOUT : 0));
}

/* ---- input ---- */

GByteArray *stream_input(stream *s)
{
    return s->in;
}

void stream_consume(stream *s, size_t n)
{
    g_byte_array_remove_range(s->in, 0, (guint) n);
}

void stream_want_input(stream *s, bool want)
{
    if (s->want_input == want)
        return;
    s->want_input = want;
    if (want)
        call_again(s);
    update_events(s);
}

void stream_feed(stream *s, const void *bytes, size_t n)
{
    g_byte_array_append(s->in, bytes, (guint) n);
    call_again(s);
}

static void shrink_input(stream *s)
{
    if (s->in->len == 0) {
        g_byte_array_unref(s->in);
        s->in = g_byte_array_new();
    }
}

static int read_some(stream *s)
{
    char bytes[READ_CHUNK];
    ssize_t n = read(s->fd, bytes, sizeof bytes);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0) {
        s->eof = true;
        return 0;
    }
    g_byte_array_append(s->in, (const guint8 *) bytes, (guint) n);
    return 1;
}

/* ---- output ---- */

GString *stream_output(stream *s)
{
    call_again(s);   /* whoever appends need not think of flushing */
    return s->out;
}

bool stream_full(const stream *s)
{
    return s->out->len - s->sent >= STREAM_HIGH;
}

static int write_some(stream *s)
{
    while (s->sent < s->out->len) {
        ssize_t n = send(s->fd, s->out->str + s->sent, s->out->len - s->sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n < 0) {
            g_string_erase(s->out, 0, (gssize) s->sent);
            s->sent = 0;
            return 0;
        }
        s->sent += (size_t) n;
    }
    s->sent = 0;
    if (s->out->allocated_len > KEEP) {
        g_string_free(s->out, TRUE);
        s->out = g_string_sized_new(64);
    } else {
        g_string_truncate(s->out, 0);
    }
    return 0;
}

void stream_flush(stream *s)
{
    if (s->lost)
        return;
    if (write_some(s) < 0) {
        s->lost = true;
        call_again(s);
    }
    update_events(s);
}

void stream_close_after_flush(stream *s)
{
    s->closing = true;
    call_again(s);
}

/* ---- the loop ---- */

static int on_idle(sd_event_source *source, uint64_t usec, void *data)
{
    stream *s = data;
    s->ops->idle(s->data);
    return 0;
}

static void restart_idle(stream *s)
{
    s->timer = sd_event_source_disable_unref(s->timer);
    if (s->idle_seconds > 0)
        (void) sd_event_add_time_relative(s->event, &s->timer, CLOCK_MONOTONIC, s->idle_seconds * 1000000ULL, IDLE_ACCURACY_US, on_idle, s);
}

void stream_set_idle(stream *s, unsigned seconds)
{
    s->idle_seconds = seconds;
    restart_idle(s);
}

/* Sends, then calls at most one callback: any of them may free the stream. */
static void settle(stream *s)
{
    if (!s->lost && write_some(s) < 0)
        s->lost = true;
    bool sent_all = s->sent == s->out->len;
    bool over = s->eof && s->want_input && (s->in->len == 0 || s->in->len == s->eof_left);
    if (s->lost || (over && sent_all) || (s->closing && sent_all)) {
        s->io = sd_event_source_disable_unref(s->io);
        s->ops->lost(s->data);
        return;
    }
    update_events(s);
    if (s->closing)
        return;
    s->eof_left = s->eof ? s->in->len : 0;
    if (s->want_input && s->in->len > 0)
        s->ops->input(s->data);
    else if (!s->want_input && !stream_full(s))
        s->ops->drain(s->data);
    else if (s->in->len == 0)
        shrink_input(s);
}

static int on_again(sd_event_source *source, void *data)
{
    settle(data);
    return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    stream *s = data;
    if (revents & EPOLLERR)
        s->lost = true;
    if (!s->lost && (revents & (EPOLLIN | EPOLLHUP)) && s->want_input) {
        int r = read_some(s);
        if (r < 0)
            s->lost = true;
        else if (r > 0)
            restart_idle(s);
    } else if (revents & EPOLLHUP) {
        s->lost = true;   /* both ends shut while the session works: nobody will read the rest */
    }
    settle(s);
    return 0;
}
