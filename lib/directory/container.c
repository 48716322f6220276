/* Classes of service and servers: flat entries below cn=cos and cn=servers. */
#include "lib/directory/private.h"

static const char *const cos_classes[] = { "zimbraCOS", NULL };
static const char *const server_classes[] = { "zimbraServer", NULL };

static char *child_dn(const char *name, const char *base)
{
    g_autofree char *cn = directory_escape_dn(name);
    return g_strdup_printf("cn=%s,%s", cn, base);
}

static bool absent(directory *d, const char *dn, entry_kind kind, const char *name, GError **error)
{
    g_autoptr(entry) there = NULL;
    if (!directory_find_one(d, dn, LDAP_SCOPE_BASE, "(objectClass=*)", &there, error))
        return false;
    return !there || directory_exists(error, kind, name);
}

/* ---- classes of service ---- */

/* What a copy does not take over. */
static const char *const not_copied[] = {
    "cn", "objectClass", "zimbraId", "zimbraCreateTimestamp", "zimbraACE", "description", "zimbraNotes", NULL,
};

static entry *copy_cos(directory *d, entry *source, const char *name, modlist *m, GError **error)
{
    if (!directory_valid_name(name, "cos", error))
        return NULL;
    g_autofree char *plain = g_utf8_strdown(name, -1), *dn = child_dn(plain, COS_BASE);
    g_autofree const char **attrs = entry_attrs(source, false);
    for (const char **a = attrs; *a; a++) {
        if (g_strv_contains(not_copied, *a) || mods_has(m, *a))
            continue;
        for (const char *const *v = entry_get_all_own(source, *a); *v; v++)
            mods_add(m, LDAP_MOD_ADD, *a, *v);
    }
    mods_add(m, LDAP_MOD_ADD, "cn", plain);
    mods_identity(m);
    if (!absent(d, dn, ENTRY_COS, plain, error) || !mods_classes(d, m, cos_classes, "zimbraCosExtraObjectClass", error))
        return NULL;
    return directory_add_entry(d, dn, m, error);
}

entry *directory_create_cos(directory *d, const char *name, const attr_change *attrs, size_t n, GError **error)
{
    g_autoptr(modlist) m = mods_new();
    if (!mods_of_changes(m, NULL, ENTRY_COS, attrs, n, false, error))
        return NULL;
    g_autoptr(entry) source = directory_cos(d, DEFAULT_COS, error);
    return source ? copy_cos(d, source, name, m, error) : NULL;
}

entry *directory_copy_cos(directory *d, const char *source_name, const char *name, GError **error)
{
    g_autoptr(modlist) m = mods_new();
    g_autoptr(entry) source = directory_cos(d, source_name, error);
    return source ? copy_cos(d, source, name, m, error) : NULL;
}

bool directory_delete_cos(directory *d, entry *e, GError **error)
{
    if (g_str_equal(entry_name(e), DEFAULT_COS) || g_str_equal(entry_name(e), "defaultExternal"))
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST", "cos %s is always there",
                              entry_name(e));
    return directory_ldap_delete(d, entry_dn(e), error);
}

/* ---- servers ---- */

entry *directory_create_server(directory *d, const char *name, const attr_change *attrs, size_t n, GError **error)
{
    g_autoptr(modlist) m = mods_new();
    g_autofree char *plain = directory_normalise_domain(name, error);
    if (!plain || !mods_of_changes(m, NULL, ENTRY_SERVER, attrs, n, false, error))
        return NULL;
    g_autofree char *dn = child_dn(plain, SERVER_BASE);
    mods_add(m, LDAP_MOD_ADD, "cn", plain);
    mods_default(m, "zimbraServiceHostname", plain);
    mods_identity(m);
    if (!absent(d, dn, ENTRY_SERVER, plain, error) ||
        !mods_classes(d, m, server_classes, "zimbraServerExtraObjectClass", error))
        return NULL;
    return directory_add_entry(d, dn, m, error);
}

static bool leave_pools(directory *d, const char *id, GError **error)
{
    g_autofree char *value = directory_escape(id);
    g_autofree char *filter = g_strdup_printf("(zimbraMailHostPool=%s)", value);
    g_autoptr(GPtrArray) found = directory_search(d, COS_BASE, LDAP_SCOPE_SUBTREE, filter, NULL, error);
    bool ok = found != NULL;
    for (guint i = 0; ok && i < found->len; i++) {
        g_autoptr(modlist) m = mods_new();
        mods_add(m, LDAP_MOD_DELETE, "zimbraMailHostPool", id);
        ok = directory_ldap_modify(d, entry_dn(found->pdata[i]), mods_array(m), error);
    }
    return ok;
}

bool directory_delete_server(directory *d, entry *e, GError **error)
{
    const char *host = entry_get_own(e, "zimbraServiceHostname");
    g_autofree char *value = directory_escape(host ? host : entry_name(e));
    g_autofree char *filter = g_strdup_printf("(&(objectClass=zimbraAccount)(zimbraMailHost=%s))", value);
    gint64 n = 0;
    if (!directory_count(d, ENTRY_OTHER, "", filter, &n, error))
        return false;
    if (n > 0)
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                              "there are %" G_GINT64_FORMAT " accounts on server %s: move or delete them first", n,
                              entry_name(e));
    return leave_pools(d, entry_id(e), error) && directory_ldap_delete(d, entry_dn(e), error);
}
