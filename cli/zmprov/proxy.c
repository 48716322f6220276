/* Commands that say which servers play a part for proxy and MTA. Their output is
 * read by scripts: words of one line, or lines of nginx's upstream form. */
#include <stdio.h>

#include "cli/zmprov/handlers.h"

static bool each_server(session *s, directory_each_fn fn, void *data, GError **error)
{
    directory *d = session_reader(s, error);
    return d && directory_each(d, ENTRY_SERVER, NULL, NULL, fn, data, error);
}

static const char *host_of(const entry *server)
{
    const char *host = entry_get(server, "zimbraServiceHostname");
    return host ? host : entry_name(server);
}

static bool print_auth_url(entry *e, void *data)
{
    if (entry_get_bool(e, "zimbraMtaAuthTarget", false))
        printf("https://%s:%" G_GINT64_FORMAT "/service/soap/ ", host_of(e),
               entry_get_int(e, "zimbraMtaAuthPort", 7073));
    return true;
}

HANDLER(run_mta_auth_urls)
{
    bool ok = each_server(s, print_auth_url, NULL, error);
    printf("\n");
    return ok;
}

static bool print_lookup_url(entry *e, void *data)
{
    if (entry_get_bool(e, "zimbraReverseProxyLookupTarget", false))
        printf("%s:7072/service/extension/nginx-lookup ", host_of(e));
    return true;
}

HANDLER(run_lookup_urls)
{
    bool ok = each_server(s, print_lookup_url, NULL, error);
    printf("\n");
    return ok;
}

static bool print_backend(entry *e, void *data)
{
    if (entry_get_bool(e, "zimbraReverseProxyLookupTarget", false)) {
        printf("    server %s:%" G_GINT64_FORMAT ";\n", host_of(e), entry_get_int(e, "zimbraMailPort", 80));
        *(bool *) data = true;
    }
    return true;
}

HANDLER(run_lookup_backends)
{
    bool any = false;
    bool ok = each_server(s, print_backend, &any, error);
    if (ok && !any)
        printf("    server localhost:8080;\n");
    return ok;
}

static bool print_domain(entry *e, void *data)
{
    printf("%s\n", entry_name(e));
    return true;
}

HANDLER(run_proxied_domains)
{
    directory *d = session_reader(s, error);
    return d && directory_each(d, ENTRY_DOMAIN, NULL, "(&(zimbraSSLCertificate=*)(zimbraSSLPrivateKey=*)"
                               "(zimbraVirtualHostname=*)(zimbraVirtualIPAddress=*))", print_domain, NULL, error);
}

static bool print_memcached(entry *e, void *data)
{
    if (!entry_has_value(e, "zimbraServiceEnabled", "memcached"))
        return true;
    gint64 port = entry_get_int(e, "zimbraMemcachedBindPort", 11211);
    const char *const *addresses = entry_get_all(e, "zimbraMemcachedBindAddress");
    if (!*addresses)
        printf("%s:%" G_GINT64_FORMAT " ", host_of(e), port);
    for (; *addresses; addresses++)
        printf("%s:%" G_GINT64_FORMAT " ", *addresses, port);
    return true;
}

HANDLER(run_memcached_servers)
{
    bool ok = each_server(s, print_memcached, NULL, error);
    printf("\n");
    return ok;
}
