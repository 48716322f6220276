/* Subscriber of change notices: see changes.h. */
#include "agents/auth/changes.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

#define RETRY_USEC (2 * G_USEC_PER_SEC)
#define NOTICE_MAX 4096

struct changes {
    sd_event *event;
    char *path;
    int fd;
    sd_event_source *io, *retry;
    changes_fn fn;
    void *data;
};

const char *changes_parse(const char *bytes, size_t len)
{
    const char *space = memchr(bytes, ' ', len);
    if (!space || strlen(bytes) != len || !space[1])
        return "*";
    return space + 1;
}

static void disconnect(changes *c)
{
    c->io = sd_event_source_disable_unref(c->io);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void retry_later(changes *c)
{
    disconnect(c);
    (void) sd_event_source_set_time_relative(c->retry, RETRY_USEC);   /* own source: cannot fail */
    (void) sd_event_source_set_enabled(c->retry, SD_EVENT_ONESHOT);
}

static int on_notice(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    changes *c = data;
    char bytes[NOTICE_MAX + 1];
    ssize_t n = recv(fd, bytes, NOTICE_MAX, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        retry_later(c);
        c->fn("*", c->data);
        return 0;
    }
    bytes[n] = 0;
    c->fn(changes_parse(bytes, (size_t) n), c->data);
    return 0;
}

static bool subscribe(changes *c)
{
    c->fd = localsocket_connect(c->path, SOCK_SEQPACKET | SOCK_NONBLOCK);
    return c->fd >= 0 && sd_event_add_io(c->event, &c->io, c->fd, EPOLLIN, on_notice, c) >= 0;
}

static int on_retry(sd_event_source *s, uint64_t usec, void *data)
{
    changes *c = data;
    if (subscribe(c))
        c->fn("*", c->data);
    else
        retry_later(c);
    return 0;
}

changes *changes_new(sd_event *event, const char *path, changes_fn fn, void *data)
{
    changes *c = g_new0(changes, 1);
    *c = (changes) { .event = sd_event_ref(event), .path = g_strdup(path ? path : CHANGES_SOCKET), .fd = -1,
                     .fn = fn, .data = data };
    int r = sd_event_add_time_relative(event, &c->retry, CLOCK_MONOTONIC, 0, 100 * 1000, on_retry, c);
    g_assert(r >= 0);
    return c;
}

void changes_free(changes *c)
{
    if (!c)
        return;
    disconnect(c);
    sd_event_source_disable_unref(c->retry);
    sd_event_unref(c->event);
    g_free(c->path);
    g_free(c);
}

bool changes_connected(const changes *c)
{
    return c->io != NULL;
}
