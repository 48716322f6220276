/* libmicrohttpd in an sd-event loop: its epoll descriptor is watched, its own
 * timeouts drive a timer. A request is suspended while its lookup runs; a resumed
 * one is not noticed before the next run, which the `resumed` source does. See http.h.
 * Any path is a lookup: there is only one. */
#include "agents/route/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 2000
#define MEMORY_MAX (32 * 1024)      /* of one connection: its headers */
#define IDLE_SEC 60

struct http {
    struct MHD_Daemon *daemon;
    const lookup_services *services;
    sd_event_source *io, *timer, *resumed;
};

typedef struct {
    http *h;
    struct MHD_Connection *connection;
    lookup *lookup;          /* NULL: not a lookup, answer STATUS */
    unsigned status;
    bool suspended;
} exchange;

static void on_lookup_done(lookup *l, void *data)
{
    exchange *x = data;
    if (!x->suspended)
        return;
    x->suspended = false;
    MHD_resume_connection(x->connection);
    (void) sd_event_source_set_enabled(x->h->resumed, SD_EVENT_ONESHOT);   /* own source: cannot fail */
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static exchange *exchange_new(http *h, struct MHD_Connection *connection, const char *method)
{
    exchange *x = g_new0(exchange, 1);
    *x = (exchange) { .h = h, .connection = connection, .status = MHD_HTTP_BAD_REQUEST };
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        x->status = MHD_HTTP_METHOD_NOT_ALLOWED;
        return x;
    }
    lookup_request r = {
        .method = header(connection, "Auth-Method"), .protocol = header(connection, "Auth-Protocol"),
        .user = header(connection, "Auth-User"), .password = header(connection, "Auth-Pass"),
        .client_ip = header(connection, "Client-IP"), .attempt = header(connection, "Auth-Login-Attempt"),
    };
    x->lookup = lookup_new(h->services, &r, on_lookup_done, x);
    return x;
}

static enum MHD_Result answer(exchange *x)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    const GArray *headers = x->lookup ? lookup_headers(x->lookup) : NULL;
    for (guint i = 0; headers && i < headers->len; i++) {
        const lookup_header *line = &g_array_index(headers, lookup_header, i);
        if (MHD_add_response_header(response, line->name, line->value) != MHD_YES) {
            MHD_destroy_response(response);
            return MHD_NO;
        }
    }
    enum MHD_Result r = MHD_queue_response(x->connection, x->lookup ? MHD_HTTP_OK : x->status, response);
    MHD_destroy_response(response);
    return r;
}

/* Called with the headers, again at the end of the request, and after a resume. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    exchange *x = *state;
    if (!x) {
        *state = exchange_new(data, connection, method);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;    /* a body means nothing here */
        return MHD_YES;
    }
    if (x->lookup && !lookup_is_done(x->lookup)) {
        x->suspended = true;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return answer(x);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
    exchange *x = *state;
    if (x)
        lookup_free(x->lookup);
    g_free(x);
    *state = NULL;
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

static int on_resumed(sd_event_source *s, void *data)
{
    return run(data);
}

static int listen_on(const config *c, GError **error)
{
    int on = 1;
    int fd = socket(c->listen.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const struct sockaddr *) &c->listen, c->listen_len) == 0 && listen(fd, 256) == 0)
        return fd;
    int e = errno;
    if (fd >= 0)
        close(fd);
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "listen on the port of route.conf: %s", g_strerror(e));
    return -1;
}

http *http_new(sd_event *event, const config *c, const lookup_services *s, GError **error)
{
    int fd = listen_on(c, error);
    if (fd < 0)
        return NULL;
    http *h = g_new0(http, 1);
    h->services = s;
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
                                 MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned) CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) MEMORY_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) IDLE_SEC, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || sd_event_add_io(event, &h->io, info->epoll_fd, EPOLLIN, on_io, h) < 0 ||
        sd_event_add_time_relative(event, &h->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, h) < 0 ||
        sd_event_add_defer(event, &h->resumed, on_resumed, h) < 0) {
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
    sd_event_source_disable_unref(h->resumed);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    g_free(h);
}
