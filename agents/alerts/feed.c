/* See feed.h. A client that does not read is given the rest when it does; what
 * has meanwhile left the kept ones it misses. */
#include "agents/alerts/feed.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

enum { CLIENTS_MAX = 16, FIRST_LOGIN_UID = 1000 };

typedef struct {
    feed *f;
    int fd;
    sd_event_source *source;
    guint64 next;               /* number to send next; 0: the client has not asked yet */
} client;

struct feed {
    sd_event *event;
    sd_event_source *source;
    int fd;
    keep *k;
    GPtrArray *clients;
};

static void client_free(void *data)
{
    client *c = data;
    sd_event_source_disable_unref(c->source);
    close(c->fd);
    g_free(c);
}

static void append_value(GString *out, const char *name, const char *value)
{
    if (name)
        g_string_append_printf(out, "%s=", name);
    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            g_string_append(out, "\\n");
        else if (*p == '\\')
            g_string_append(out, "\\\\");
        else
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '\n');
}

static void append_field(const char *name, const char *value, void *data)
{
    append_value(data, name, value);
}

char *feed_packet(guint64 number, const alert *a)
{
    g_autofree char *subject = alert_subject(a), *body = alert_body(a), *condition = alert_condition(a);
    const alert_def *def = alert_find(alert_id(a));
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "\n%s\n%s\n", number, alert_id(a), alert_severity_name(a));
    append_value(out, NULL, subject);
    append_value(out, NULL, body);
    g_string_append_printf(out, "TIME=%" G_GINT64_FORMAT "\n", alert_time_usec(a) / G_USEC_PER_SEC);
    if (def && def->trap)
        append_value(out, "TRAP", def->trap);
    if (def)
        append_value(out, "MESSAGE_ID", def->message_id);
    if (condition) {
        append_value(out, "CONDITION", condition);
        g_string_append_printf(out, "LEVEL=%d\n", alert_level(a));
    }
    alert_each_field(a, append_field, out);
    return g_string_free(out, FALSE);
}

/* False when the client is gone. */
static bool send_pending(client *c)
{
    keep *k = c->f->k;
    uint32_t wanted = EPOLLIN;
    if (c->next == 0)
        return true;
    for (c->next = MAX(c->next, keep_first(k)); c->next < keep_next(k); c->next++) {
        const alert *a = keep_get(k, c->next);
        g_autofree char *packet = a ? feed_packet(c->next, a) : NULL;
        if (!packet || send(c->fd, packet, strlen(packet), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            continue;
        if (errno != EAGAIN)
            return false;
        wanted |= EPOLLOUT;
        break;
    }
    return sd_event_source_set_io_events(c->source, wanted) >= 0;
}

static bool read_request(client *c)
{
    char text[32];
    guint64 last;
    ssize_t n = recv(c->fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    text[n] = '\0';
    if (!g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXINT64, &last, NULL))
        return false;
    /* A number that was never given: the folder was emptied, begin anew. */
    c->next = last < keep_next(c->f->k) ? last + 1 : 1;
    return true;
}

static int on_client(sd_event_source *s, int fd, uint32_t events, void *data)
{
    client *c = data;
    bool alive = !(events & (EPOLLHUP | EPOLLERR));
    if (alive && (events & EPOLLIN))
        alive = read_request(c);
    if (!alive || !send_pending(c))
        g_ptr_array_remove_fast(c->f->clients, c);
    return 0;
}

static bool may_listen(int fd)
{
    uid_t uid;
    return localsocket_peer(fd, &uid) && uid < FIRST_LOGIN_UID;
}

static int on_connect(sd_event_source *s, int fd, uint32_t events, void *data)
{
    feed *f = data;
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0)
        return 0;
    client *c = g_new0(client, 1);
    *c = (client) { .f = f, .fd = accepted };
    if (f->clients->len >= CLIENTS_MAX || !may_listen(accepted) ||
        sd_event_add_io(f->event, &c->source, accepted, EPOLLIN, on_client, c) < 0)
        client_free(c);
    else
        g_ptr_array_add(f->clients, c);
    return 0;
}

void feed_publish(feed *f)
{
    for (guint i = f->clients->len; i-- > 0; )
        if (!send_pending(f->clients->pdata[i]))
            g_ptr_array_remove_index_fast(f->clients, i);
}

feed *feed_new(sd_event *event, const char *path, keep *k, GError **error)
{
    int fd = localsocket_listen(path, SOCK_SEQPACKET, 0666, NULL, error);
    if (fd < 0)
        return NULL;
    feed *f = g_new0(feed, 1);
    *f = (feed) { .event = sd_event_ref(event), .fd = fd, .k = k, .clients = g_ptr_array_new_with_free_func(client_free) };
    int r = sd_event_add_io(event, &f->source, fd, EPOLLIN, on_connect, f);
    if (r >= 0)
        return f;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "%s: %s", path, g_strerror(-r));
    feed_free(f);
    return NULL;
}

void feed_free(feed *f)
{
    if (!f)
        return;
    g_ptr_array_unref(f->clients);
    sd_event_source_disable_unref(f->source);
    if (f->fd >= 0)
        close(f->fd);
    sd_event_unref(f->event);
    g_free(f);
}
