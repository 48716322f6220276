/* Facts from localconfig and the directory. The connection is kept between
 * readings and opened anew when a key it depends on has changed. */
#include "configd/collect.h"

#include <string.h>

#include "configd/derived.h"
#include "lib/directory/directory.h"
#include "lib/localconfig/localconfig.h"

struct collector {
    char *localconfig_path;
    directory *d;
    char *connection;      /* the keys D was opened with */
};

collector *collector_new(const char *localconfig_path)
{
    collector *c = g_new0(collector, 1);
    c->localconfig_path = g_strdup(localconfig_path);
    return c;
}

void collector_free(collector *c)
{
    if (!c)
        return;
    directory_close(c->d);
    g_free(c->connection);
    g_free(c->localconfig_path);
    g_free(c);
}

static bool connect_directory(collector *c, localconfig *lc, GError **error)
{
    static const char *const keys[] = {
        "ldap_url", "ldap_host", "ldap_port", "zimbra_ldap_userdn", "zimbra_ldap_password", "ldap_starttls_supported", "ssl_ca_certificate",
        "ssl_allow_untrusted_certs", "ldap_connect_timeout", "ldap_read_timeout",
    };
    g_autoptr(GString) now = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        g_string_append_printf(now, "%s\n", localconfig_get_or(lc, keys[i], ""));
    if (c->d && !g_strcmp0(c->connection, now->str))
        return true;
    g_clear_pointer(&c->d, directory_close);
    c->d = directory_open(lc, DIRECTORY_READ, error);
    g_free(c->connection);
    c->connection = g_string_free(g_steal_pointer(&now), FALSE);
    return c->d;
}

static void read_localconfig(localconfig *lc, facts *f)
{
    g_auto(GStrv) keys = localconfig_keys(lc, false);
    for (char **k = keys; *k; k++) {
        const char *value = localconfig_get(lc, *k);
        if (value)
            facts_set_one(f, TEMPLATE_LOCAL, *k, value);
    }
}

static void read_attrs(entry *e, facts *f)
{
    g_autofree const char **attrs = entry_attrs(e, true);
    for (const char **a = attrs; *a; a++)
        facts_set(f, TEMPLATE_VAR, *a, entry_get_all(e, *a));
}

/* Global configuration below, for what no server entry may carry. */
static void read_server(entry *global, entry *server, facts *f)
{
    read_attrs(global, f);
    read_attrs(server, f);
    const char *const *services = entry_get_all(server, "zimbraServiceEnabled");
    for (; *services; services++)
        facts_set_one(f, TEMPLATE_SERVICE, *services, "TRUE");
    facts_set_one(f, TEMPLATE_VAR, "zimbraServerName", entry_name(server));
}

/* ---- lists over many entries ---- */

static char *host_of(entry *server)
{
    const char *host = entry_get(server, "zimbraServiceHostname");
    return g_strdup(host ? host : entry_name(server));
}

static char *if_enabled(entry *server, const char *service, const char *format, const char *port)
{
    if (!entry_has_value(server, "zimbraServiceEnabled", service))
        return NULL;
    g_autofree char *host = host_of(server);
    g_autoptr(GString) text = g_string_new(format);
    g_string_replace(text, "HOST", host, 1);
    g_string_replace(text, "PORT", port, 1);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *memcached_of(entry *e)
{
    const char *port = entry_get(e, "zimbraMemcachedBindPort");
    return if_enabled(e, "memcached", "HOST:PORT", port ? port : "11211");
}

static char *route_of(entry *e)
{
    return if_enabled(e, "proxy", "http://HOST:7072/", "");
}

static char *backend_of(entry *e)
{
    return entry_get_bool(e, "zimbraReverseProxyLookupTarget", false) ? host_of(e) : NULL;
}

static char *mailbox_of(entry *e)
{
    return if_enabled(e, "mailbox", "HOST", "");
}

static char *mta_of(entry *e)
{
    return if_enabled(e, "mta", "HOST", "");
}

static char *domain_of_type(entry *e, const char *type)
{
    const char *own = entry_get(e, "zimbraDomainType");
    return g_str_equal(own ? own : "local", type) ? g_strdup(entry_name(e)) : NULL;
}

static char *local_domain_of(entry *e)
{
    return domain_of_type(e, "local");
}

static char *alias_domain_of(entry *e)
{
    return domain_of_type(e, "alias");
}

static const struct { const char *key; entry_kind kind; char *(*value)(entry *e); } lists[] = {
    { "getAllMemcachedServers", ENTRY_SERVER, memcached_of },
    { "getAllReverseProxyURLs", ENTRY_SERVER, route_of },
    { "getAllReverseProxyBackends", ENTRY_SERVER, backend_of },
    { "getAllMailboxServers", ENTRY_SERVER, mailbox_of },
    { "getAllMtaServers", ENTRY_SERVER, mta_of },
    { "zimbraLocalDomains", ENTRY_DOMAIN, local_domain_of },
    { "zimbraAliasDomains", ENTRY_DOMAIN, alias_domain_of },
};

typedef struct {
    char *(*value)(entry *e);
    GPtrArray *values;
} list_walk;

static bool add_entry(entry *e, void *data)
{
    list_walk *w = data;
    char *value = w->value(e);
    if (value)
        g_ptr_array_add(w->values, value);
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, so that the order of LDAP's answers is no change. */
static bool read_list(collector *c, size_t i, facts *f, GError **error)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    list_walk w = { .value = lists[i].value, .values = values };
    if (!directory_each(c->d, lists[i].kind, NULL, NULL, add_entry, &w, error))
        return false;
    g_ptr_array_sort(values, by_text);
    g_ptr_array_add(values, NULL);
    facts_set(f, TEMPLATE_VAR, lists[i].key, (const char *const *) values->pdata);
    return true;
}

static bool read_lists(collector *c, const plan *p, facts *f, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *id = facts_id(TEMPLATE_VAR, lists[i].key);
        if (plan_reads(p, id) && !read_list(c, i, f, error))
            return false;
    }
    return true;
}

bool collect_settings(facts *f, char **settings, GError **error)
{
    for (; settings && *settings; settings++) {
        const char *equal = strchr(*settings, '=');
        g_autofree char *name = equal ? g_strndup(*settings, equal - *settings) : NULL;
        template_source source = TEMPLATE_VAR;
        const char *key = name;
        if (!name || !*name) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "\"%s\" is not key=value", *settings);
            return false;
        }
        (void) facts_parse_id(name, &source, &key);   /* a bare key is an attribute */
        facts_set_one(f, source, key, equal + 1);
    }
    return true;
}

facts *collector_read(collector *c, const plan *p, const char *server_name, char **settings, GError **error)
{
    static const char *const loopback[] = { "127.0.0.0/8", "[::1]/128", NULL };   /* another host's are not known here */
    g_autoptr(localconfig) lc = localconfig_load(c->localconfig_path, error);
    if (!lc || !connect_directory(c, lc, error))
        return NULL;
    g_autoptr(facts) f = facts_new();
    const char *host = server_name ? server_name : localconfig_get_or(lc, "zimbra_server_hostname", "");
    g_autoptr(entry) server = directory_server(c->d, host, error);
    if (!server) {
        g_prefix_error(error, "server %s%s: ", host, server_name ? "" : " (localconfig zimbra_server_hostname)");
        return NULL;
    }
    g_autoptr(entry) global = directory_global_config(c->d, error);
    if (!global)
        return NULL;
    read_localconfig(lc, f);
    read_server(global, server, f);
    if (!read_lists(c, p, f, error) || !collect_settings(f, settings, error))
        return NULL;
    g_auto(GStrv) own = server_name ? g_strdupv((char **) loopback) : derived_own_networks();
    derived_compute(f, (const char *const *) own);
    return g_steal_pointer(&f);
}
