/* Accounts and calendar resources: creation, and what follows from a change of
 * status, mail host or COS. */
#include "lib/directory/private.h"

static const char *const account_classes[] = { "inetOrgPerson", "zimbraAccount", NULL };
static const char *const resource_classes[] = { "inetOrgPerson", "zimbraAccount", "zimbraCalendarResource", NULL };

/* What a new account of a kind is made of beyond the administrator's words. */
static const struct account_form {
    entry_kind kind;
    const char *const *classes;
    const char *extra;          /* attribute of the global config with more classes */
    struct { const char *attr, *value; } defaults[4];
} account_form = {
    ENTRY_ACCOUNT, account_classes, "zimbraAccountExtraObjectClass", { { NULL, NULL } },
}, resource_form = {
    ENTRY_CALENDAR_RESOURCE, resource_classes, "zimbraCalendarResourceExtraObjectClass",
    { { "zimbraAccountCalendarUserType", "RESOURCE" }, { "zimbraCalResType", "Equipment" } },
};

/* ---- mail host ---- */

static bool server_by_host(directory *d, const char *host, entry **ret, GError **error)
{
    g_autofree char *value = directory_escape(host);
    g_autofree char *filter = g_strdup_printf("(&(objectClass=zimbraServer)(zimbraServiceHostname=%s))", value);
    if (!directory_find_one(d, SERVER_BASE, LDAP_SCOPE_ONELEVEL, filter, ret, error))
        return false;
    return !*ret || directory_give_parents(d, *ret, error);
}

static char *transport_of(const entry *server)
{
    return g_strdup_printf("lmtp:%s:%" G_GINT64_FORMAT, entry_get(server, "zimbraServiceHostname"),
                           entry_get_int(server, "zimbraLmtpBindPort", 7025));
}

static bool holds_mailboxes(const entry *server)
{
    return entry_has_value(server, "zimbraServiceEnabled", "mailbox") && entry_get(server, "zimbraServiceHostname");
}

struct choice { GPtrArray *servers; const entry *cos; };

/* A COS without a pool takes any server. */
static bool add_candidate(entry *server, void *data)
{
    struct choice *c = data;
    bool in_pool = !c->cos || entry_has_value(c->cos, "zimbraMailHostPool", entry_id(server) ? entry_id(server) : "");
    if (holds_mailboxes(server) && in_pool)
        g_ptr_array_add(c->servers, entry_ref(server));
    return true;
}

/* The server of a new account: one of the COS's pool by chance; without a pool
 * this host, else any mailbox server. *RET NULL: the system has none yet. */
static bool choose_server(directory *d, const entry *cos, entry **ret, GError **error)
{
    bool pool = cos && entry_get_own(cos, "zimbraMailHostPool");
    struct choice c = { g_ptr_array_new_with_free_func((GDestroyNotify) entry_unref), pool ? cos : NULL };
    g_autoptr(GPtrArray) owned = c.servers;
    if (!directory_each(d, ENTRY_SERVER, SERVER_BASE, NULL, add_candidate, &c, error))
        return false;
    if (c.servers->len == 0)
        return !pool || directory_fail(error, DIRECTORY_ERROR_INVALID, NULL,
                                       "no server of the pool of cos %s (zimbraMailHostPool) has the mailbox service",
                                       entry_name(cos));
    entry *chosen = c.servers->pdata[g_random_int_range(0, (gint32) c.servers->len)];
    for (guint i = 0; !pool && i < c.servers->len; i++)
        if (g_ascii_strcasecmp(entry_get(c.servers->pdata[i], "zimbraServiceHostname"), d->host) == 0)
            chosen = c.servers->pdata[i];
    *ret = entry_ref(chosen);
    return true;
}

static bool follow_host(directory *d, modlist *m, GError **error)
{
    g_autoptr(entry) server = NULL;
    const char *host = mods_value(m, "zimbraMailHost");
    if (!host)
        return true;
    if (!server_by_host(d, host, &server, error))
        return false;
    if (!server || !holds_mailboxes(server))
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE",
                              "zimbraMailHost %s is not the zimbraServiceHostname of a server with the mailbox service",
                              host);
    g_autofree char *transport = transport_of(server);
    if (!mods_has(m, "zimbraMailTransport"))
        mods_add(m, LDAP_MOD_REPLACE, "zimbraMailTransport", transport);
    return true;
}

/* Mail to a closed or pending account bounces: Postfix must not find it. */
static void follow_status(modlist *m)
{
    const char *status = mods_value(m, "zimbraAccountStatus");
    if (!status || mods_has(m, "zimbraMailStatus"))
        return;
    bool bounces = g_str_equal(status, "closed") || g_str_equal(status, "pending");
    mods_add(m, LDAP_MOD_REPLACE, "zimbraMailStatus", bounces ? "disabled" : "enabled");
}

bool account_follow_changes(directory *d, modlist *m, GError **error)
{
    const char *cos_id = mods_value(m, "zimbraCOSId");
    g_autoptr(entry) cos = cos_id ? directory_cos(d, cos_id, error) : NULL;
    if (cos_id && !cos)
        return false;
    follow_status(m);
    return follow_host(d, m, error);
}

/* ---- creation ---- */

/* The account before it exists, for what it will inherit. */
static entry *draft(directory *d, const char *dn, const modlist *m, GError **error)
{
    g_autoptr(entry) e = entry_new(dn);
    entry_add_value(e, "objectClass", "zimbraAccount");
    if (mods_value(m, "zimbraCOSId"))
        entry_add_value(e, "zimbraCOSId", mods_value(m, "zimbraCOSId"));
    entry_finish(e);
    return directory_give_parents(d, e, error) ? g_steal_pointer(&e) : NULL;
}

static bool give_host(directory *d, modlist *m, const entry *cos, GError **error)
{
    g_autoptr(entry) server = NULL;
    if (mods_has(m, "zimbraMailHost") || mods_has(m, "zimbraMailTransport"))
        return true;
    if (!choose_server(d, cos, &server, error))
        return false;
    if (server) {
        g_autofree char *transport = transport_of(server);
        mods_add(m, LDAP_MOD_ADD, "zimbraMailHost", entry_get(server, "zimbraServiceHostname"));
        mods_add(m, LDAP_MOD_ADD, "zimbraMailTransport", transport);
    }
    return true;
}

static bool give_attributes(directory *d, modlist *m, const struct account_form *form, const char *address,
                            GError **error)
{
    g_autofree char *local = NULL;
    const char *domain;
    directory_split_address(address, &local, &domain);
    if (!mods_classes(d, m, form->classes, form->extra, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(form->defaults) && form->defaults[i].attr; i++)
        mods_default(m, form->defaults[i].attr, form->defaults[i].value);
    if (form->kind == ENTRY_CALENDAR_RESOURCE)
        mods_default(m, "displayName", local);
    g_autofree char *shown = g_strdup(mods_value(m, "displayName"));
    mods_default(m, "cn", shown ? shown : local);
    mods_default(m, "sn", shown ? shown : local);
    mods_add(m, LDAP_MOD_ADD, "uid", local);
    mods_add(m, LDAP_MOD_ADD, "mail", address);
    mods_add(m, LDAP_MOD_ADD, "zimbraMailDeliveryAddress", address);
    mods_identity(m);
    mods_default(m, "zimbraAccountStatus", "active");
    mods_default(m, "zimbraMailStatus", "enabled");
    return true;
}

static entry *create(directory *d, const struct account_form *form, const char *address, const char *password,
                     const attr_change *attrs, size_t n, GError **error)
{
    g_autoptr(modlist) m = mods_new();
    g_autofree char *plain = directory_normalise_address(address, error),
                    *dn = plain ? directory_account_dn(plain) : NULL;
    if (!plain || !mods_of_changes(m, NULL, form->kind, attrs, n, false, error))
        return NULL;
    g_autoptr(entry) domain = directory_domain_to_write(d, plain, error);
    if (!domain || !directory_address_free(d, plain, error) || !account_follow_changes(d, m, error))
        return NULL;
    g_autoptr(entry) planned = draft(d, dn, m, error);
    if (!planned || (*password && !directory_check_password(planned, password, error)))
        return NULL;
    if (!give_attributes(d, m, form, plain, error) || !give_host(d, m, entry_cos(planned), error))
        return NULL;
    g_autoptr(entry) e = directory_add_entry(d, dn, m, error);
    if (!e || !*password)
        return g_steal_pointer(&e);
    if (!directory_set_password(d, e, password, error)) {
        (void) directory_ldap_delete(d, dn, NULL); /* the first error is the one to tell */
        return NULL;
    }
    return directory_read(d, dn, error);
}

entry *directory_create_account(directory *d, const char *address, const char *password, const attr_change *attrs,
                                size_t n, GError **error)
{
    return create(d, &account_form, address, password, attrs, n, error);
}

entry *directory_create_calendar_resource(directory *d, const char *address, const char *password,
                                          const attr_change *attrs, size_t n, GError **error)
{
    return create(d, &resource_form, address, password, attrs, n, error);
}
