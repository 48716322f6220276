/* The publisher of change notices. Subscribers say nothing; what they send is
 * a reason to drop them. */
#include "configd/publish.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

#define SUBSCRIBERS_MAX 64
#define NOTICE_MAX 4000

typedef struct {
    publisher *p;
    int fd;
    sd_event_source *io;
} subscriber;

struct publisher {
    sd_event *event;
    int fd;
    sd_event_source *io;
    GPtrArray *subscribers;
};

static void subscriber_free(subscriber *s)
{
    sd_event_source_disable_unref(s->io);
    close(s->fd);
    g_free(s);
}

static int on_subscriber(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    subscriber *s = data;
    g_ptr_array_remove_fast(s->p->subscribers, s);
    return 0;
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    publisher *p = data;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return 0;
    if (p->subscribers->len >= SUBSCRIBERS_MAX) {
        close(client);
        return 0;
    }
    subscriber *s = g_new0(subscriber, 1);
    s->p = p;
    s->fd = client;
    if (sd_event_add_io(p->event, &s->io, client, EPOLLIN | EPOLLHUP, on_subscriber, s) < 0)
        subscriber_free(s);
    else
        g_ptr_array_add(p->subscribers, s);
    return 0;
}

publisher *publisher_new(sd_event *event, const char *path, GError **error)
{
    publisher *p = g_new0(publisher, 1);
    p->event = sd_event_ref(event);
    p->subscribers = g_ptr_array_new_with_free_func((GDestroyNotify) subscriber_free);
    p->fd = localsocket_listen(path, SOCK_SEQPACKET, 0666, NULL, error);
    if (p->fd < 0 || sd_event_add_io(event, &p->io, p->fd, EPOLLIN, on_connect, p) < 0) {
        publisher_free(p);
        return NULL;
    }
    return p;
}

void publisher_free(publisher *p)
{
    if (!p)
        return;
    sd_event_source_disable_unref(p->io);
    if (p->fd >= 0)
        close(p->fd);
    g_ptr_array_unref(p->subscribers);
    sd_event_unref(p->event);
    g_free(p);
}

static void send_all(publisher *p, const char *text)
{
    size_t len = strlen(text);
    for (guint i = p->subscribers->len; i-- > 0;) {
        subscriber *s = p->subscribers->pdata[i];
        if (send(s->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EINTR)
            g_ptr_array_remove_index_fast(p->subscribers, i);
    }
}

void publisher_send(publisher *p, const char *csn, const char *dn)
{
    g_autofree char *text = g_strdup_printf("%s %s", csn && *csn ? csn : "-", dn);
    send_all(p, strlen(text) > NOTICE_MAX ? "*" : text);
}

void publisher_send_gap(publisher *p)
{
    send_all(p, "*");
}
