/* See feed.h. Each connection asks for everything: who has seen an alert already
 * knows its number. */
#include "agents/snmp/feed.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "agents/snmp/packet.h"
#include "lib/journal/journal.h"

#define AGAIN_USEC UINT64_C(1000000)

struct feed {
    sd_event *event;
    char *path;
    feed_fn take;
    void *data;
    int fd;                     /* -1: not connected */
    sd_event_source *source, *timer;
    bool complained;
    char buffer[PACKET_MAX + 1];
};

static int on_timer(sd_event_source *s, uint64_t usec, void *data);

static void again(feed *f)
{
    f->source = sd_event_source_disable_unref(f->source);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    int r = sd_event_source_set_time_relative(f->timer, AGAIN_USEC);
    if (r >= 0)
        r = sd_event_source_set_enabled(f->timer, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

/* False when the connection is gone. */
static bool read_one(feed *f)
{
    ssize_t n = recv(f->fd, f->buffer, sizeof f->buffer, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    g_autoptr(record) row = packet_parse(f->buffer, (gsize) n);
    if (row)
        f->take(row, f->data);
    else
        journal_error("%s gave something that is no alert (%zd bytes); it is left out", f->path, n);
    return true;
}

static int on_packet(sd_event_source *s, int fd, uint32_t events, void *data)
{
    feed *f = data;
    if (!read_one(f))
        again(f);
    return 0;
}

static int open_feed(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (g_strlcpy(at.sun_path, path, sizeof at.sun_path) >= sizeof at.sun_path)
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *) &at, sizeof at) == 0 && send(fd, "0", 1, MSG_NOSIGNAL) == 1)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

static void connect_feed(feed *f)
{
    f->fd = open_feed(f->path);
    int r = f->fd < 0 ? f->fd : sd_event_add_io(f->event, &f->source, f->fd, EPOLLIN, on_packet, f);
    if (r >= 0) {
        f->complained = false;
        return;
    }
    if (!f->complained)
        journal_warning("alerts do not come: %s: %s; trying again", f->path, g_strerror(-r));
    f->complained = true;
    again(f);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    connect_feed(data);
    return 0;
}

feed *feed_new(sd_event *event, const char *path, feed_fn take, void *data)
{
    feed *f = g_new0(feed, 1);
    f->event = sd_event_ref(event);
    f->path = g_strdup(path);
    f->take = take;
    f->data = data;
    f->fd = -1;
    int r = sd_event_add_time_relative(event, &f->timer, CLOCK_MONOTONIC, 0, 0, on_timer, f);
    g_assert(r >= 0);
    return f;
}

void feed_free(feed *f)
{
    if (!f)
        return;
    sd_event_source_disable_unref(f->source);
    sd_event_source_disable_unref(f->timer);
    if (f->fd >= 0)
        close(f->fd);
    sd_event_unref(f->event);
    g_free(f->path);
    g_free(f);
}
