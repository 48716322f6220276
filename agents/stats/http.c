/* libmicrohttpd in an sd-event loop: its epoll descriptor is watched, its own
 * timeouts drive a timer. See http.h. A reply holds a reference of the text, so a
 * slow reader gets one sample whole, never two halves. */
#include "agents/stats/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/stats/metrics.h"

enum { CONNECTIONS_MAX = 32, MEMORY_MAX = 16 * 1024, IDLE_SEC = 15, BACKLOG = 32 };

static const char index_text[] = "Mailstead statistics: /metrics has them as OpenMetrics.\n";

struct http {
    struct MHD_Daemon *daemon;
    sd_event_source *io, *timer;
    struct MHD_Response *metrics;    /* counted by libmicrohttpd */
};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *) (uintptr_t) text, MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    (void) MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");   /* only nicer */
    enum MHD_Result ok = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    static int seen;
    http *h = data;
    if (!*state) {                  /* the headers; the answer comes when the request is whole */
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {         /* a body: read and dropped */
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return reply(c, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is understood here.\n");
    if (strcmp(url, "/metrics") == 0 && h->metrics)
        return MHD_queue_response(c, MHD_HTTP_OK, h->metrics);
    if (strcmp(url, "/metrics") == 0)
        return reply(c, MHD_HTTP_SERVICE_UNAVAILABLE, "No sample was taken yet.\n");
    return strcmp(url, "/") == 0 ? reply(c, MHD_HTTP_OK, index_text) : reply(c, MHD_HTTP_NOT_FOUND, "There is /metrics.\n");
}

void http_set(http *h, char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    g_assert(r);                    /* allocation aborts here as everywhere */
    (void) MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, METRICS_CONTENT_TYPE);
    if (h->metrics)
        MHD_destroy_response(h->metrics);
    h->metrics = r;
}

/* ---- loop ---- */

static int run(http *h)
{
    if (MHD_run(h->daemon) != MHD_YES)
        return -EIO;
    MHD_UNSIGNED_LONG_LONG ms;
    bool limited = MHD_get_timeout(h->daemon, &ms) == MHD_YES;
    if (limited)
        (void) sd_event_source_set_time_relative(h->timer, ms * 1000);   /* own source: cannot fail */
    (void) sd_event_source_set_enabled(h->timer, limited ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    return 0;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    return run(data);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    return run(data);
}

static int listen_on(guint16 port, GError **error)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const struct sockaddr *) &sa, sizeof sa) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int e = errno;
    if (fd >= 0)
        close(fd);
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "127.0.0.1 port %u cannot be listened on: %s", port, g_strerror(e));
    return -1;
}

http *http_new(sd_event *event, guint16 port, GError **error)
{
    int fd = listen_on(port, error);
    if (fd < 0)
        return NULL;
    http *h = g_new0(http, 1);
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned) CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) MEMORY_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) IDLE_SEC, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || sd_event_add_io(event, &h->io, info->epoll_fd, EPOLLIN, on_io, h) < 0 ||
        sd_event_add_time_relative(event, &h->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, h) < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the HTTP server does not start");
        if (!h->daemon)
            close(fd);
        g_clear_pointer(&h, http_free);
    }
    return h;
}

void http_free(http *h)
{
    if (!h)
        return;
    sd_event_source_disable_unref(h->io);
    sd_event_source_disable_unref(h->timer);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    if (h->metrics)
        MHD_destroy_response(h->metrics);
    g_free(h);
}
