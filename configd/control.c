/* Control connections. STATUS is answered here, from the worker's last report,
 * so it answers while a validator runs; all else is a job. */
#include "configd/control.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"
#include "lib/journal/journal.h"

#define CLIENTS_MAX 32
#define IDLE_USEC (10 * G_USEC_PER_SEC)
#define ADMINISTRATOR "zimbra"

typedef struct {
    control *c;                /* NULL: the control is gone, only the job holds this */
    int fd;
    sd_event_source *io, *timer;
    char line[REQUEST_MAX_BYTES + 1];
    size_t len;
    GString *answer;
    size_t sent;
    bool waits;                /* for its job */
    bool may_ask;
} client;

struct control {
    sd_event *event;
    int fd;
    sd_event_source *io;
    worker *w;
    GPtrArray *clients;
    const char *(*directory_state)(void *data);
    void *data;
};

static void client_free(client *k)
{
    sd_event_source_disable_unref(k->io);
    sd_event_source_disable_unref(k->timer);
    if (k->fd >= 0)
        close(k->fd);
    if (k->answer)
        g_string_free(k->answer, TRUE);
    g_free(k);
}

/* Ends the conversation; one whose job still runs is freed by on_job(). */
static void hang_up(client *k)
{
    control *c = k->c;
    k->c = NULL;
    g_ptr_array_remove_fast(c->clients, k);
    if (!k->waits) {
        client_free(k);
        return;
    }
    k->io = sd_event_source_disable_unref(k->io);
    k->timer = sd_event_source_disable_unref(k->timer);
    close(k->fd);
    k->fd = -1;
}

static void send_more(client *k)
{
    while (k->sent < k->answer->len) {
        ssize_t n = send(k->fd, k->answer->str + k->sent, k->answer->len - k->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (sd_event_source_set_io_events(k->io, EPOLLOUT) < 0)
                break;
            return;
        }
        if (n < 0)
            break;
        k->sent += n;
    }
    hang_up(k);
}

static void reply(client *k, const char *first, const char *text)
{
    k->answer = g_string_new(first);
    g_string_append_c(k->answer, '\n');
    if (text)
        g_string_append(k->answer, text);
    (void) sd_event_source_set_time_relative(k->timer, IDLE_USEC);   /* own source: cannot fail */
    (void) sd_event_source_set_enabled(k->timer, SD_EVENT_ONESHOT);
    send_more(k);
}

static void on_job(job *j, void *data)
{
    client *k = data;
    k->waits = false;
    if (!k->c) {
        client_free(k);
        return;
    }
    if (j->ok) {
        reply(k, j->req.verb == REQUEST_REWRITE ? "SUCCESS REWRITES COMPLETE" : "SUCCESS", j->text);
        return;
    }
    g_autofree char *first = g_strdup_printf("ERROR %s", j->text);
    reply(k, g_strdelimit(first, "\n", ' '), NULL);
}

static void reply_status(client *k)
{
    g_autofree char *folders = worker_status(k->c->w);
    unsigned busy = worker_busy_seconds(k->c->w);
    g_autofree char *text = g_strdup_printf("directory    %s\n%s%s", k->c->directory_state(k->c->data),
                                            busy > 1 ? "a change is being applied\n" : "", folders);
    reply(k, "SUCCESS ACTIVE", text);
}

static void handle(client *k, size_t len)
{
    request r = { 0 };
    const char *refusal;

    (void) sd_event_source_set_enabled(k->timer, SD_EVENT_OFF);      /* own sources: cannot fail */
    (void) sd_event_source_set_io_events(k->io, 0);
    if (!k->may_ask) {           /* told after its line: it may not read before it has written */
        reply(k, "ERROR ONLY ROOT AND ZIMBRA MAY ASK", NULL);
    } else if (!request_parse(k->line, len, &r, &refusal)) {
        reply(k, refusal, NULL);
    } else if (r.verb == REQUEST_STATUS) {
        reply_status(k);
        request_clear(&r);
    } else {
        k->waits = true;
        worker_post_request(k->c->w, &r, on_job, k);
    }
}

static void read_line(client *k)
{
    ssize_t n = recv(k->fd, k->line + k->len, sizeof k->line - k->len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        hang_up(k);
        return;
    }
    k->len += n;
    char *end = memchr(k->line, '\n', k->len);
    if (end)
        handle(k, end - k->line);
    else if (k->len == sizeof k->line)
        reply(k, "ERROR REQUEST TOO LONG", NULL);
}

static int on_client(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    client *k = data;
    if (k->answer)
        send_more(k);
    else if (k->waits)
        hang_up(k);              /* only EPOLLHUP and EPOLLERR are left */
    else
        read_line(k);
    return 0;
}

static int on_idle(sd_event_source *s, uint64_t usec, void *data)
{
    hang_up(data);
    return 0;
}

static bool may_ask(int fd)
{
    struct passwd pwd, *p = NULL;
    char buffer[4096];
    uid_t uid;

    if (!localsocket_peer(fd, &uid))
        return false;
    if (uid == 0 || uid == geteuid())
        return true;
    return !getpwnam_r(ADMINISTRATOR, &pwd, buffer, sizeof buffer, &p) && p && p->pw_uid == uid;
}

static int on_connect(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    control *c = data;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0)
        return 0;
    client *k = g_new0(client, 1);
    k->c = c;
    k->fd = peer;
    if (c->clients->len >= CLIENTS_MAX || sd_event_add_io(c->event, &k->io, peer, EPOLLIN, on_client, k) < 0 ||
        sd_event_add_time_relative(c->event, &k->timer, CLOCK_MONOTONIC, IDLE_USEC, 0, on_idle, k) < 0) {
        client_free(k);
        return 0;
    }
    g_ptr_array_add(c->clients, k);
    k->may_ask = may_ask(peer);
    return 0;
}

control *control_new(sd_event *event, const char *path, worker *w,
                     const char *(*directory_state)(void *data), void *data, GError **error)
{
    control *c = g_new0(control, 1);
    c->event = sd_event_ref(event);
    c->w = w;
    c->directory_state = directory_state;
    c->data = data;
    c->clients = g_ptr_array_new();
    c->fd = localsocket_listen(path, SOCK_STREAM, 0666, NULL, error);
    if (c->fd < 0 || sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_connect, c) < 0) {
        control_free(c);
        return NULL;
    }
    return c;
}

/* After worker_free(): no job is under way any more. */
void control_free(control *c)
{
    if (!c)
        return;
    while (c->clients->len) {
        client *k = c->clients->pdata[0];
        k->waits = false;
        hang_up(k);
    }
    g_ptr_array_unref(c->clients);
    sd_event_source_disable_unref(c->io);
    if (c->fd >= 0)
        close(c->fd);
    sd_event_unref(c->event);
    g_free(c);
}
