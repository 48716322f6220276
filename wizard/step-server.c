/* The entry of this host below cn=servers,cn=zimbra, and the settings that its
 * services ask of everybody. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include "wizard/changes.h"
#include "wizard/setup.h"

/* One address as Postfix writes networks: "10.0.0.1/32", "[fd00::1]/128"; NULL
 * for what is no address of the host towards others. */
static char *own_network(const struct ifaddrs *i)
{
    char text[INET6_ADDRSTRLEN];
    if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
        return NULL;
    if (i->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *) (const void *) i->ifa_addr;
        return g_strdup_printf("%s/32", inet_ntop(AF_INET, &in->sin_addr, text, sizeof text));
    }
    if (i->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) i->ifa_addr;
        if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
            return g_strdup_printf("[%s]/128", inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text));
    }
    return NULL;
}

/* The host itself may relay; its neighbours may not, until an administrator
 * says so. */
static char *own_networks(const answers *a)
{
    g_autoptr(GString) list = g_string_new("127.0.0.0/8 [::1]/128");
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;    /* then the loopback networks are all we know */
    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
        g_autofree char *network = own_network(i);
        if (network && !strstr(list->str, network))
            g_string_append_printf(list, " %s", network);
    }
    freeifaddrs(interfaces);
    const char *given = a->host_address;
    g_autofree char *network = !given ? NULL
        : g_strdup_printf(strchr(given, ':') ? "[%s]/128" : "%s/32", given);
    if (network && !strstr(list->str, network))
        g_string_append_printf(list, " %s", network);
    return g_string_free(g_steal_pointer(&list), FALSE);
}

static bool takes_mail(entry *server, void *data)
{
    if (!entry_has_value(server, "zimbraServiceEnabled", "mta"))
        return true;
    *(char **) data = g_strdup(entry_get(server, "zimbraServiceHostname"));
    return false;
}

/* Where this host hands in outgoing mail: itself, else the first MTA. */
static bool smtp_host(setup *s, directory *dir, char **ret_host, GError **error)
{
    char *host = NULL;
    if (answers_has_service(s->answers, "mta"))
        host = g_strdup(s->answers->host_name);
    else if (!directory_each(dir, ENTRY_SERVER, NULL, NULL, takes_mail, &host, error))
        return false;
    *ret_host = host;
    return true;
}

static changes *server_changes(const answers *a, const char *smtp)
{
    changes *c = changes_new();
    g_autofree char *networks = own_networks(a);
    changes_add(c, "zimbraServiceHostname", a->host_name);
    for (char **service = a->services; *service; service++) {
        changes_add(c, "zimbraServiceInstalled", *service);
        changes_add(c, "zimbraServiceEnabled", *service);
    }
    changes_add(c, "zimbraMtaMyNetworks", networks);
    changes_add(c, "zimbraSmtpHostname", smtp);
    if (answers_has_service(a, "mailbox"))
        changes_add(c, "zimbraReverseProxyLookupTarget", "TRUE");
    if (answers_has_service(a, "proxy")) {
        changes_add(c, "zimbraReverseProxyMailEnabled", "TRUE");
        changes_add(c, "zimbraReverseProxyMailMode", "http");
    }
    return c;
}

static bool write_entry(directory *dir, const char *name, const changes *c, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(entry) server = directory_server(dir, name, &reason);
    if (server)
        return directory_modify(dir, server, changes_list(c), c->len, error);
    if (!g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    g_autoptr(entry) created = directory_create_server(dir, name, changes_list(c), c->len, error);
    return created != NULL;
}

/* Scanning is off by default and goes on with the first host that does it. */
static bool write_global(directory *dir, const answers *a, GError **error)
{
    g_autoptr(GArray) c = changes_new();
    if (answers_has_service(a, "antispam"))
        changes_add(c, "zimbraSpamCheckEnabled", "TRUE");
    if (answers_has_service(a, "antivirus"))
        changes_add(c, "zimbraVirusCheckEnabled", "TRUE");
    if (c->len == 0)
        return true;
    g_autoptr(entry) config = directory_global_config(dir, error);
    return config && directory_modify(dir, config, changes_list(c), c->len, error);
}

bool server_register(setup *s, GError **error)
{
    directory *dir = setup_directory(s, error);
    g_autofree char *smtp = NULL;
    if (!dir || !smtp_host(s, dir, &smtp, error))
        return false;
    g_autoptr(GArray) c = server_changes(s->answers, smtp);
    return write_entry(dir, s->answers->host_name, c, error) && write_global(dir, s->answers, error);
}
