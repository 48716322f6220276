/* Aliases of accounts, resources and lists. An alias is two things: an entry
 * (zimbraAlias, in its own domain) that keeps the name, and the values
 * zimbraMailAlias and mail of its target, which Postfix's maps read. */
#include "lib/directory/private.h"

static const char *const alias_classes[] = { "zimbraAlias", NULL };

/* An alias entry whose target is gone keeps no name. */
static bool remove_dangling(directory *d, const char *dn, GError **error)
{
    g_autoptr(entry) old = NULL, target = NULL;
    if (!directory_find_one(d, dn, LDAP_SCOPE_BASE, directory_kind_filters[ENTRY_ALIAS], &old, error))
        return false;
    const char *id = old ? entry_get_own(old, "zimbraAliasTargetId") : NULL;
    if (!id)
        return true;
    g_autofree char *value = directory_escape(id);
    g_autofree char *filter = g_strdup_printf("(&(zimbraId=%s)(!(objectClass=zimbraAlias)))", value);
    if (!directory_find_one(d, "", LDAP_SCOPE_SUBTREE, filter, &target, error))
        return false;
    return target || directory_ldap_delete(d, dn, error);
}

static bool change_target(directory *d, entry *target, int op, const char *address, GError **error)
{
    static const char *const attrs[] = { "zimbraMailAlias", "mail" };
    g_autoptr(modlist) m = mods_new();
    for (size_t i = 0; i < G_N_ELEMENTS(attrs); i++)
        if (entry_has_value(target, attrs[i], address) == (op == LDAP_MOD_DELETE))
            mods_add(m, op, attrs[i], address);
    return mods_empty(m) || directory_ldap_modify(d, entry_dn(target), mods_array(m), error);
}

/* An alias entry whose maker was cut short before TARGET had the value. */
static bool is_half_made(directory *d, const entry *target, const char *dn, const char *address, bool *ret_half, GError **error)
{
    g_autoptr(entry) old = NULL;
    if (!directory_find_one(d, dn, LDAP_SCOPE_BASE, directory_kind_filters[ENTRY_ALIAS], &old, error))
        return false;
    const char *id = old ? entry_get_own(old, "zimbraAliasTargetId") : NULL;
    *ret_half = id && g_strcmp0(id, entry_id(target)) == 0 && !entry_has_value(target, "zimbraMailAlias", address);
    return true;
}

bool directory_add_alias(directory *d, entry *target, const char *alias, GError **error)
{
    g_autofree char *address = directory_normalise_address(alias, error),
                    *dn = address ? directory_account_dn(address) : NULL;
    g_autoptr(entry) domain = address ? directory_domain_to_write(d, address, error) : NULL;
    bool half = false;
    if (!domain || !is_half_made(d, target, dn, address, &half, error))
        return false;
    if (half)
        return change_target(d, target, LDAP_MOD_ADD, address, error);
    if (!directory_address_free(d, address, error) || !remove_dangling(d, dn, error))
        return false;
    g_autofree char *local = NULL;
    const char *ignored;
    directory_split_address(address, &local, &ignored);
    g_autoptr(modlist) m = mods_new();
    if (!mods_classes(d, m, alias_classes, NULL, error))
        return false;
    mods_add(m, LDAP_MOD_ADD, "uid", local);
    mods_add(m, LDAP_MOD_ADD, "zimbraAliasTargetId", entry_id(target));
    mods_identity(m);
    g_autoptr(entry) made = directory_add_entry(d, dn, m, error);
    if (!made)
        return false;
    if (!change_target(d, target, LDAP_MOD_ADD, address, error)) {
        (void) directory_ldap_delete(d, dn, NULL); /* the first error is the one to tell */
        return false;
    }
    return true;
}

bool directory_remove_alias(directory *d, entry *target, const char *alias, GError **error)
{
    g_autofree char *address = directory_normalise_address(alias, error);
    if (!address)
        return false;
    bool own_name = entry_get_kind(target) == ENTRY_DISTRIBUTION_LIST && g_str_equal(address, entry_name(target));
    if (own_name || !entry_has_value(target, "zimbraMailAlias", address))
        return directory_no_such(error, ENTRY_ALIAS, address);
    const char *const gone[] = { address, NULL };
    g_autofree char *dn = directory_account_dn(address);
    g_autoptr(entry) old = NULL;
    if (!directory_leave_lists(d, gone, error) || !change_target(d, target, LDAP_MOD_DELETE, address, error) ||
        !directory_find_one(d, dn, LDAP_SCOPE_BASE, directory_kind_filters[ENTRY_ALIAS], &old, error))
        return false;
    return !old || directory_ldap_delete(d, dn, error);
}

bool directory_delete_alias_entries(directory *d, entry *target, GError **error)
{
    g_autofree char *id = directory_escape(entry_id(target));
    g_autofree char *filter = g_strdup_printf("(&(objectClass=zimbraAlias)(zimbraAliasTargetId=%s))", id);
    g_autoptr(GPtrArray) found = directory_search(d, "", LDAP_SCOPE_SUBTREE, filter, NULL, error);
    bool ok = found != NULL;
    for (guint i = 0; ok && i < found->len; i++)
        ok = directory_ldap_delete(d, entry_dn(found->pdata[i]), error);
    return ok;
}
