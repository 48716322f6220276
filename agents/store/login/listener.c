/* The ports of zmmailboxd-login: accepts, finds the peer's address, and gives the
 * connection to its protocol; LMTP goes to intake at once. */
#include "agents/store/login/login.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/journal/journal.h"

typedef struct {
    login *login;
    int fd;
    sd_event_source *io;
    const protocol *protocol;   /* NULL: LMTP */
    bool implicit_tls;
} listener;

enum { BACKLOG = 512, ACCEPT_BATCH = 64 };

/* Numeric form; an IPv4 address that came in over IPv6 is written as IPv4. */
static void address_text(const struct sockaddr_storage *sa, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in6 *in6 = (const void *) sa;
    const struct sockaddr_in *in = (const void *) sa;
    const char *ok = sa->ss_family == AF_INET ? inet_ntop(AF_INET, &in->sin_addr, out, INET6_ADDRSTRLEN)
                   : IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN)
                   : inet_ntop(AF_INET6, &in6->sin6_addr, out, INET6_ADDRSTRLEN);
    g_assert(ok);
}

static void refuse_lmtp(int fd, const char *text)
{
    g_autofree char *line = g_strdup_printf("421 %s\r\n", text);
    (void) send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);   /* as good as it goes */
}

static void accept_lmtp(login *l, int fd, const char *address)
{
    if (!login_network_matches(l->config->lmtp_networks, address) && !hosts_have(l->lmtp_hosts, address)) {
        journal_warning("LMTP connection from %s refused: not in lmtp_networks or lmtp_hosts of mailboxd.conf", address);
        refuse_lmtp(fd, "4.7.1 Delivery from your address is not allowed");
    } else {
        int r = handoff_lmtp(l, fd, address);
        if (r < 0) {
            journal_error("LMTP connection from %s refused: cannot reach intake (is zimbra-mailbox-intake@ up?): %s", address, g_strerror(-r));
            refuse_lmtp(fd, "4.3.2 The mailbox service is not ready, try again later");
        }
    }
    close(fd);
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    listener *l = data;
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof sa;
        int peer = accept4(fd, (struct sockaddr *) &sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0)
            return 0;
        char address[INET6_ADDRSTRLEN];
        int on = 1;
        address_text(&sa, address);
        (void) setsockopt(peer, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);   /* only an improvement */
        (void) setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (l->protocol)
            client_accept(l->login, peer, address, l->protocol, l->implicit_tls);
        else
            accept_lmtp(l->login, peer, address);
    }
    return 0;
}

static int open_socket(const char *address, unsigned port)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    char service[8];
    g_snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(address, service, &hints, &found) != 0)
        return -EINVAL;
    int on = 1, off = 0, r;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        r = -errno;
    } else {
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);   /* bind() tells */
        if (found->ai_family == AF_INET6)
            (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        r = bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ? -errno : fd;
    }
    if (r < 0 && fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return r;
}

/* Every address: IPv6 with IPv4 in it, or IPv4 alone where there is no IPv6. */
static int open_port(const char *bind_address, unsigned port)
{
    if (*bind_address)
        return open_socket(bind_address, port);
    int fd = open_socket("::", port);
    return fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL || fd == -EINVAL ? open_socket("0.0.0.0", port) : fd;
}

static void listener_free(void *data)
{
    listener *l = data;
    sd_event_source_disable_unref(l->io);
    close(l->fd);
    g_free(l);
}

static bool add(login *l, unsigned port, const protocol *p, bool implicit_tls, GError **error)
{
    if (port == 0 || (implicit_tls && !l->tls))
        return true;
    int fd = open_port(l->config->bind_address, port);
    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot listen on %s port %u: %s",
                    *l->config->bind_address ? l->config->bind_address : "any address", port, g_strerror(-fd));
        return false;
    }
    listener *n = g_new0(listener, 1);
    *n = (listener) { .login = l, .fd = fd, .protocol = p, .implicit_tls = implicit_tls };
    g_ptr_array_add(l->listeners, n);
    return sd_event_add_io(l->event, &n->io, fd, EPOLLIN, on_accept, n) >= 0;
}

bool listeners_open(login *l, GError **error)
{
    const login_config *c = l->config;
    l->listeners = g_ptr_array_new_with_free_func(listener_free);
    return add(l, c->lmtp_port, NULL, false, error) &&
           add(l, c->imap_port, &imap_protocol, false, error) && add(l, c->imaps_port, &imap_protocol, true, error) &&
           add(l, c->pop3_port, &pop3_protocol, false, error) && add(l, c->pop3s_port, &pop3_protocol, true, error);
}

void listeners_close(login *l)
{
    g_clear_pointer(&l->listeners, g_ptr_array_unref);
}
