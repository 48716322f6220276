/* What is done to an object of any kind: change, rename, delete. Each kind's
 * own rules are in account.c, alias.c, list.c, domain.c and container.c. */
#include "lib/directory/private.h"

static bool is_mail_object(const entry *e)
{
    switch (entry_get_kind(e)) {
    case ENTRY_ACCOUNT: case ENTRY_CALENDAR_RESOURCE: case ENTRY_DISTRIBUTION_LIST: case ENTRY_DYNAMIC_GROUP:
        return strchr(entry_name(e), '@') != NULL;
    default:
        return false;
    }
}

static bool may_write(directory *d, const entry *e, GError **error)
{
    if (!is_mail_object(e))
        return true;
    g_autoptr(entry) domain = directory_domain_to_write(d, entry_name(e), error);
    return domain != NULL;
}

static bool modify(directory *d, entry *e, const attr_change *attrs, size_t n, bool system, GError **error)
{
    entry_kind kind = entry_get_kind(e);
    g_autoptr(modlist) m = mods_new();
    if (!mods_of_changes(m, e, kind, attrs, n, system, error))
        return false;
    if ((kind == ENTRY_ACCOUNT || kind == ENTRY_CALENDAR_RESOURCE) && !account_follow_changes(d, m, error))
        return false;
    return mods_empty(m) || directory_ldap_modify(d, entry_dn(e), mods_array(m), error);
}

bool directory_modify_system(directory *d, entry *e, const attr_change *attrs, size_t n, GError **error)
{
    return modify(d, e, attrs, n, true, error);
}

bool directory_modify(directory *d, entry *e, const attr_change *attrs, size_t n, GError **error)
{
    return may_write(d, e, error) && modify(d, e, attrs, n, false, error);
}

/* ---- rename ---- */

static bool move(directory *d, const char *dn, const char *new_dn, GError **error)
{
    g_autofree char *parent = directory_dn_parent(dn), *new_parent = directory_dn_parent(new_dn);
    g_autofree char *rdn = g_strndup(new_dn, strlen(new_dn) - strlen(new_parent) - 1);
    bool same = g_ascii_strcasecmp(parent, new_parent) == 0;
    return directory_ldap_rename(d, dn, rdn, same ? NULL : new_parent, error);
}

static bool rename_mail_object(directory *d, entry *e, const char *name, GError **error)
{
    static const char *const attrs[] = { "zimbraMailDeliveryAddress", "zimbraMailAlias", "mail" };
    g_autofree char *address = directory_normalise_address(name, error),
                    *dn = address ? directory_account_dn(address) : NULL;
    g_autoptr(entry) domain = address ? directory_domain_to_write(d, address, error) : NULL;
    if (!domain || g_str_equal(address, entry_name(e)))
        return domain != NULL;
    if (!directory_address_free(d, address, error) || !move(d, entry_dn(e), dn, error))
        return false;
    g_autoptr(modlist) m = mods_new();
    for (size_t i = 0; i < G_N_ELEMENTS(attrs); i++)
        if (entry_has_value(e, attrs[i], entry_name(e))) {
            mods_add(m, LDAP_MOD_DELETE, attrs[i], entry_name(e));
            mods_add(m, LDAP_MOD_ADD, attrs[i], address);
        }
    return (mods_empty(m) || directory_ldap_modify(d, dn, mods_array(m), error)) &&
           directory_replace_member(d, entry_name(e), address, error);
}

static bool rename_cos(directory *d, entry *e, const char *name, GError **error)
{
    if (!directory_valid_name(name, "cos", error))
        return false;
    if (g_str_equal(entry_name(e), DEFAULT_COS))
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST", "cos %s cannot be renamed",
                              DEFAULT_COS);
    g_autofree char *plain = g_utf8_strdown(name, -1), *cn = directory_escape_dn(plain);
    g_autofree char *dn = g_strdup_printf("cn=%s," COS_BASE, cn);
    g_autoptr(GError) reason = NULL;
    if (move(d, entry_dn(e), dn, &reason))
        return true;
    if (g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_EXISTS))
        return directory_exists(error, ENTRY_COS, plain);
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

bool directory_rename(directory *d, entry *e, const char *name, GError **error)
{
    if (entry_get_kind(e) == ENTRY_COS)
        return rename_cos(d, e, name, error);
    if (!is_mail_object(e) || entry_get_kind(e) == ENTRY_DYNAMIC_GROUP)
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST", "a %s cannot be renamed",
                              entry_kind_word(entry_get_kind(e)));
    return may_write(d, e, error) && rename_mail_object(d, e, name, error);
}

/* ---- delete ---- */

static int deepest_first(const void *a, const void *b)
{
    size_t la = strlen(entry_dn(*(entry *const *) a)), lb = strlen(entry_dn(*(entry *const *) b));
    return la < lb ? 1 : la > lb ? -1 : 0;
}

/* DN and all below it. */
bool directory_delete_below(directory *d, const char *dn, GError **error)
{
    g_autoptr(GPtrArray) found = directory_search(d, dn, LDAP_SCOPE_SUBTREE, NULL, NULL, error);
    if (!found)
        return false;
    qsort(found->pdata, found->len, sizeof *found->pdata, deepest_first);
    for (guint i = 0; i < found->len; i++)
        if (!directory_ldap_delete(d, entry_dn(found->pdata[i]), error))
            return false;
    return true;
}

static bool delete_mail_object(directory *d, entry *e, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_strv_builder_add(builder, entry_name(e));
    g_strv_builder_addv(builder, (const char **) entry_get_all_own(e, "zimbraMailAlias"));
    g_auto(GStrv) addresses = g_strv_builder_end(builder);
    return directory_leave_lists(d, (const char *const *) addresses, error) &&
           directory_delete_alias_entries(d, e, error) && directory_delete_below(d, entry_dn(e), error);
}

bool directory_delete(directory *d, entry *e, GError **error)
{
    if (entry_get_bool(e, "zimbraIsSystemResource", false) && strchr(entry_name(e), '@') == NULL)
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST", "%s is a system account",
                              entry_name(e));
    if (!may_write(d, e, error))
        return false;
    switch (entry_get_kind(e)) {
    case ENTRY_ACCOUNT: case ENTRY_CALENDAR_RESOURCE: case ENTRY_DISTRIBUTION_LIST: case ENTRY_DYNAMIC_GROUP:
        return delete_mail_object(d, e, error);
    case ENTRY_DOMAIN:
        return directory_delete_domain(d, e, error);
    case ENTRY_COS:
        return directory_delete_cos(d, e, error);
    case ENTRY_SERVER:
        return directory_delete_server(d, e, error);
    case ENTRY_GLOBAL_CONFIG:
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                              "the global config cannot be deleted");
    default:
        return directory_ldap_delete(d, entry_dn(e), error);
    }
}
