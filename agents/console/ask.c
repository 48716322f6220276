/* Asks the host for what the status line says: see status.h. Reads only. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include "agents/console/status.h"

enum { ADDRESSES_MAX = 8 };

/* Text of an address others can reach this host by; NULL for any other. */
static char *reachable(const struct ifaddrs *i)
{
    char text[INET6_ADDRSTRLEN];
    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
        return NULL;
    if (i->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *) i->ifa_addr;
        bool link_local = (ntohl(in->sin_addr.s_addr) >> 16) == 0xa9fe;     /* RFC 3927: 169.254/16 */
        return link_local ? NULL : g_strdup(inet_ntop(AF_INET, &in->sin_addr, text, sizeof text));
    }
    if (i->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *) i->ifa_addr;
        return IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) ? NULL
                                                      : g_strdup(inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text));
    }
    return NULL;
}

static char **ask_addresses(void)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) == 0)
        for (const struct ifaddrs *i = all; i && found->len < ADDRESSES_MAX; i = i->ifa_next) {
            char *text = reachable(i);
            if (text)
                g_ptr_array_add(found, text);
        }
    freeifaddrs(all);
    g_ptr_array_add(found, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

/* Whether DETAIL of service_is_running() ("unit: state" lines) has a failed unit. */
static bool names_failed(const GString *detail)
{
    return strstr(detail->str, ": failed") != NULL;
}

static void ask_services(console_status *s, service_bus *bus, GStrvBuilder *down, GStrvBuilder *failed, GError **error)
{
    size_t n;
    const service_def *table = service_table(&n);
    g_auto(GStrv) enabled = service_get_enabled(error);
    for (size_t i = 0; enabled && i < n; i++) {
        if (!table[i].always && !g_strv_contains((const char *const *) enabled, table[i].name))
            continue;
        g_autoptr(GString) detail = g_string_new(NULL);
        g_autoptr(GError) reason = NULL;
        bool runs = service_is_running(bus, &table[i], detail, &reason);
        if (reason) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return;
        }
        s->services++;
        if (!runs)
            g_strv_builder_add(names_failed(detail) ? failed : down, table[i].name);
    }
}

console_status *status_ask(service_bus *bus)
{
    console_status *s = g_new0(console_status, 1);
    char name[HOST_NAME_MAX + 1] = "";
    g_autoptr(GStrvBuilder) down = g_strv_builder_new(), failed = g_strv_builder_new();
    g_autoptr(GError) error = NULL;
    s->host = g_strdup(gethostname(name, sizeof name - 1) == 0 ? name : "this host");
    s->addresses = ask_addresses();
    if (bus)
        ask_services(s, bus, down, failed, &error);
    s->unknown = bus ? g_strdup(error ? error->message : NULL) : g_strdup("the service manager does not answer");
    s->down = g_strv_builder_end(down);
    s->failed = g_strv_builder_end(failed);
    return s;
}

void status_free(console_status *s)
{
    if (!s)
        return;
    g_free(s->host);
    g_strfreev(s->addresses);
    g_strfreev(s->down);
    g_strfreev(s->failed);
    g_free(s->unknown);
    g_free(s);
}
