/* See smtp.h. The steps are a table: what is said, and what the answer must begin
 * with. Answers are limited to 4 KiB a line-group; anything longer is an error. */
#include "agents/alerts/smtp.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/journal/journal.h"

enum { REPLY_MAX = 4096, TIMEOUT_S = 120 };
enum { GREETING, HELO, MAIL, RCPT, DATA, TEXT, QUIT, STEPS };

struct smtp {
    sd_event *event;
    sd_event_source *io, *timer, *later;
    int fd;
    int step;
    char *said[STEPS];          /* what is sent at each step */
    size_t sent;                /* of said[step] */
    GString *reply;
    char *server;
    char *problem;
    smtp_done_fn done;
    void *data;
};

static const struct { char expected; const char *name; } steps[STEPS] = {
    [GREETING] = { '2', "the greeting" }, [HELO] = { '2', "EHLO" }, [MAIL] = { '2', "MAIL FROM" },
    [RCPT] = { '2', "RCPT TO" }, [DATA] = { '3', "DATA" }, [TEXT] = { '2', "the message" }, [QUIT] = { '2', "QUIT" },
};

void smtp_cancel(smtp *s)
{
    if (!s)
        return;
    sd_event_source_disable_unref(s->io);
    sd_event_source_disable_unref(s->timer);
    sd_event_source_disable_unref(s->later);
    if (s->fd >= 0)
        close(s->fd);
    for (int i = 0; i < STEPS; i++)
        g_free(s->said[i]);
    g_string_free(s->reply, TRUE);
    g_free(s->server);
    g_free(s->problem);
    sd_event_unref(s->event);
    g_free(s);
}

static int finish(smtp *s)
{
    smtp_done_fn done = s->done;
    void *data = s->data;
    g_autofree char *problem = g_steal_pointer(&s->problem);
    smtp_cancel(s);
    done(problem, data);
    return 0;
}

static int fail(smtp *s, const char *what, const char *why)
{
    s->problem = g_strdup_printf("%s: %s: %s", s->server, what, why);
    return finish(s);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *data)
{
    smtp *s = data;
    return fail(s, steps[s->step].name, "no answer in time");
}

static void want(smtp *s, uint32_t events)
{
    int r = sd_event_source_set_io_events(s->io, events);
    g_assert(r >= 0);
}

static int write_more(smtp *s)
{
    const char *text = s->said[s->step];
    while (text[s->sent]) {
        ssize_t n = send(s->fd, text + s->sent, strlen(text + s->sent), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            return fail(s, steps[s->step].name, g_strerror(errno));
        s->sent += (size_t) n;
    }
    want(s, EPOLLIN);
    return 0;
}

static int next_step(smtp *s)
{
    g_string_truncate(s->reply, 0);
    s->sent = 0;
    if (++s->step == STEPS || s->step == QUIT + 1)
        return finish(s);
    want(s, EPOLLIN | EPOLLOUT);
    return 0;
}

/* The last line of a reply has a blank after the code (RFC 5321 §4.2.1). */
static bool is_complete(const GString *reply)
{
    if (reply->len == 0 || reply->str[reply->len - 1] != '\n')
        return false;
    const char *last = reply->str;
    for (const char *p = strchr(last, '\n'); p && p[1]; p = strchr(last, '\n'))
        last = p + 1;
    return strlen(last) >= 4 && last[3] != '-';
}

static int read_reply(smtp *s)
{
    char bytes[1024];
    ssize_t n = recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return fail(s, steps[s->step].name, g_strerror(errno));
    if (n == 0 && s->step == QUIT)
        return finish(s);
    if (n == 0)
        return fail(s, steps[s->step].name, "the server closed the connection");
    g_string_append_len(s->reply, bytes, n);
    if (memchr(bytes, '\0', (size_t) n) || s->reply->len > REPLY_MAX)
        return fail(s, steps[s->step].name, "the answer is no SMTP");
    if (!is_complete(s->reply))
        return 0;
    if (s->reply->str[0] != steps[s->step].expected && s->step != QUIT) {
        g_autofree char *said = journal_escape(s->reply->str, s->reply->len, 300);
        return fail(s, steps[s->step].name, said);
    }
    return next_step(s);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data)
{
    smtp *s = data;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        return read_reply(s);
    return write_more(s);
}

static int on_failed_early(sd_event_source *source, void *data)
{
    return finish(data);
}

/* RFC 5321 §4.5.2: a line that begins with a dot gets another one. */
static char *with_dots(const char *text)
{
    GString *out = g_string_new(text[0] == '.' ? "." : NULL);
    for (const char *p = text; *p; p++) {
        g_string_append_c(out, *p);
        if (p[0] == '\n' && p[1] == '.')
            g_string_append_c(out, '.');
    }
    g_string_append(out, ".\r\n");
    return g_string_free(out, FALSE);
}

static bool start(smtp *s, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found = NULL;
    int r = getaddrinfo(host, port, &hints, &found);
    if (r != 0) {
        s->problem = g_strdup_printf("%s: %s", s->server, gai_strerror(r));
        return false;
    }
    int error = 0;
    for (struct addrinfo *a = found; a && s->fd < 0; a = a->ai_next) {
        s->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd >= 0 && connect(s->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS) {
            error = errno;
            close(s->fd);
            s->fd = -1;
        }
    }
    freeaddrinfo(found);
    if (s->fd < 0) {
        s->problem = g_strdup_printf("%s: %s", s->server, g_strerror(error));
        return false;
    }
    r = sd_event_add_io(s->event, &s->io, s->fd, EPOLLIN, on_io, s);
    if (r >= 0)
        r = sd_event_add_time_relative(s->event, &s->timer, CLOCK_MONOTONIC, TIMEOUT_S * UINT64_C(1000000), 0, on_timeout, s);
    if (r < 0)
        s->problem = g_strdup_printf("%s: %s", s->server, g_strerror(-r));
    return r >= 0;
}

smtp *smtp_send(sd_event *event, const char *host, const char *port, const char *helo, const char *from,
                const char *to, const char *text, smtp_done_fn done, void *data)
{
    smtp *s = g_new0(smtp, 1);
    *s = (smtp) { .event = sd_event_ref(event), .fd = -1, .reply = g_string_new(NULL), .done = done, .data = data };
    s->server = g_strdup_printf("%s port %s", host, port);
    s->said[GREETING] = g_strdup("");
    s->said[HELO] = g_strdup_printf("EHLO %s\r\n", helo);
    s->said[MAIL] = g_strdup_printf("MAIL FROM:<%s>\r\n", from);
    s->said[RCPT] = g_strdup_printf("RCPT TO:<%s>\r\n", to);
    s->said[DATA] = g_strdup("DATA\r\n");
    s->said[TEXT] = with_dots(text);
    s->said[QUIT] = g_strdup("QUIT\r\n");
    if (!start(s, host, port)) {
        int r = sd_event_add_defer(event, &s->later, on_failed_early, s);
        g_assert(r >= 0);
    }
    return s;
}
