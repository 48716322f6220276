/* Distribution lists: creation, members, and who is in which list. Members are
 * the values of zimbraMailForwardingAddress, any mail address. The list's own
 * address is its first zimbraMailAlias, by which Postfix's maps find it. */
#include "lib/directory/private.h"

static const char *const list_classes[] = { "zimbraDistributionList", "zimbraMailRecipient", NULL };

entry *directory_create_distribution_list(directory *d, const char *address, const attr_change *attrs, size_t n,
                                          GError **error)
{
    g_autoptr(modlist) m = mods_new();
    g_autofree char *plain = directory_normalise_address(address, error),
                    *dn = plain ? directory_account_dn(plain) : NULL;
    if (!plain || !mods_of_changes(m, NULL, ENTRY_DISTRIBUTION_LIST, attrs, n, false, error))
        return NULL;
    g_autoptr(entry) domain = directory_domain_to_write(d, plain, error);
    if (!domain || !directory_address_free(d, plain, error) || !mods_classes(d, m, list_classes, NULL, error))
        return NULL;
    g_autofree char *local = NULL;
    const char *ignored;
    directory_split_address(plain, &local, &ignored);
    mods_add(m, LDAP_MOD_ADD, "uid", local);
    mods_add(m, LDAP_MOD_ADD, "mail", plain);
    mods_add(m, LDAP_MOD_ADD, "zimbraMailAlias", plain);
    mods_identity(m);
    mods_default(m, "zimbraMailStatus", "enabled");
    return directory_add_entry(d, dn, m, error);
}

/* ---- memberships ---- */

static void membership_free(void *p)
{
    directory_membership *way = p;
    g_free(way->list);
    g_free(way->list_id);
    g_free(way->via);
    g_free(way);
}

/* Lists that have one of ADDRESSES as a member. */
static GPtrArray *lists_with(directory *d, const char *const *addresses, GError **error)
{
    g_autoptr(GString) filter = g_string_new("(&(objectClass=zimbraDistributionList)(|");
    for (; *addresses; addresses++) {
        g_autofree char *value = directory_escape(*addresses);
        g_string_append_printf(filter, "(zimbraMailForwardingAddress=%s)", value);
    }
    g_string_append(filter, "))");
    return directory_search(d, "", LDAP_SCOPE_SUBTREE, filter->str, NULL, error);
}

/* Every address of ADDRESS's account or list; itself when it is nobody's. */
static bool addresses_of(directory *d, const char *address, char ***ret, GError **error)
{
    g_autofree char *value = directory_escape(address);
    g_autofree char *filter = g_strdup_printf("(&(|(objectClass=zimbraAccount)(objectClass=zimbraDistributionList))"
                                              "(|(zimbraMailDeliveryAddress=%s)(zimbraMailAlias=%s)))", value, value);
    g_autoptr(entry) e = NULL;
    if (!directory_find_one(d, "", LDAP_SCOPE_SUBTREE, filter, &e, error))
        return false;
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_strv_builder_add(all, e ? entry_name(e) : address);
    if (e)
        g_strv_builder_addv(all, (const char **) entry_get_all_own(e, "zimbraMailAlias"));
    *ret = g_strv_builder_end(all);
    return true;
}

struct walk {
    GPtrArray *ways;            /* directory_membership */
    GQueue todo;                /* lists (entry) whose own memberships are to be found */
    GHashTable *seen;           /* DN */
};

static bool walk_from(directory *d, struct walk *w, const char *const *addresses, const char *via, GError **error)
{
    g_autoptr(GPtrArray) found = lists_with(d, addresses, error);
    for (guint i = 0; found && i < found->len; i++) {
        entry *list = found->pdata[i];
        if (!g_hash_table_add(w->seen, g_strdup(entry_dn(list))))
            continue;
        directory_membership *way = g_new0(directory_membership, 1);
        way->list = g_strdup(entry_name(list));
        way->list_id = g_strdup(entry_id(list));
        way->via = g_strdup(via);
        g_ptr_array_add(w->ways, way);
        g_queue_push_tail(&w->todo, entry_ref(list));
    }
    return found != NULL;
}

GPtrArray *directory_membership_ways(directory *d, const char *address, GError **error)
{
    g_auto(GStrv) addresses = NULL;
    if (!addresses_of(d, address, &addresses, error))
        return NULL;
    struct walk w = { g_ptr_array_new_with_free_func(membership_free), G_QUEUE_INIT,
                      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) };
    bool ok = walk_from(d, &w, (const char *const *) addresses, NULL, error);
    while (ok && !g_queue_is_empty(&w.todo)) {
        g_autoptr(entry) list = g_queue_pop_head(&w.todo);
        ok = walk_from(d, &w, entry_get_all_own(list, "zimbraMailAlias"), entry_name(list), error);
    }
    g_queue_clear_full(&w.todo, (GDestroyNotify) entry_unref);
    g_hash_table_unref(w.seen);
    if (!ok)
        g_clear_pointer(&w.ways, g_ptr_array_unref);
    return w.ways;
}

char **directory_memberships(directory *d, const char *address, GError **error)
{
    g_autoptr(GPtrArray) ways = directory_membership_ways(d, address, error);
    if (!ways)
        return NULL;
    char **lists = g_new0(char *, ways->len + 1);
    for (guint i = 0; i < ways->len; i++)
        lists[i] = g_strdup(((directory_membership *) ways->pdata[i])->list);
    return lists;
}

/* ---- members ---- */

static GPtrArray *normal_addresses(const char *const *members, GError **error)
{
    g_autoptr(GPtrArray) plain = g_ptr_array_new_with_free_func(g_free);
    for (; *members; members++) {
        char *address = directory_normalise_address(*members, error);
        if (!address)
            return NULL;
        g_ptr_array_add(plain, address);
    }
    return g_steal_pointer(&plain);
}

static bool refuse_loop(GError **error, const entry *list, const char *member)
{
    return directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                          "%s cannot be a member of %s: the list would be a member of itself", member,
                          entry_name(list));
}

/* MEMBER is not LIST and not one of the lists that LIST is in (ABOVE). */
static bool no_loop(directory *d, const entry *list, const char *member, const GPtrArray *above, GError **error)
{
    if (entry_has_value(list, "zimbraMailAlias", member))
        return refuse_loop(error, list, member);
    g_autoptr(GError) reason = NULL;
    g_autoptr(entry) inner = directory_distribution_list(d, member, &reason);
    if (!inner && !g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    for (guint i = 0; inner && i < above->len; i++)
        if (g_strcmp0(((directory_membership *) above->pdata[i])->list_id, entry_id(inner)) == 0)
            return refuse_loop(error, list, member);
    return true;
}

bool directory_add_members(directory *d, entry *list, const char *const *members, GError **error)
{
    g_autoptr(GPtrArray) plain = normal_addresses(members, error);
    g_autoptr(GPtrArray) above = plain ? directory_membership_ways(d, entry_name(list), error) : NULL;
    g_autoptr(entry) domain = above ? directory_domain_to_write(d, entry_name(list), error) : NULL;
    if (!domain)
        return false;
    g_autoptr(modlist) m = mods_new();
    for (guint i = 0; i < plain->len; i++) {
        if (entry_has_value(list, "zimbraMailForwardingAddress", plain->pdata[i]))
            continue;
        if (!no_loop(d, list, plain->pdata[i], above, error))
            return false;
        mods_add(m, LDAP_MOD_ADD, "zimbraMailForwardingAddress", plain->pdata[i]);
    }
    return mods_empty(m) || directory_ldap_modify(d, entry_dn(list), mods_array(m), error);
}

bool directory_remove_members(directory *d, entry *list, const char *const *members, GError **error)
{
    g_autoptr(GPtrArray) plain = normal_addresses(members, error);
    g_autoptr(entry) domain = plain ? directory_domain_to_write(d, entry_name(list), error) : NULL;
    if (!domain)
        return false;
    g_autoptr(modlist) m = mods_new();
    for (guint i = 0; i < plain->len; i++) {
        if (!entry_has_value(list, "zimbraMailForwardingAddress", plain->pdata[i]))
            return directory_fail(error, DIRECTORY_ERROR_NO_SUCH, "account.NO_SUCH_MEMBER",
                                  "non-existent member: %s in distribution list: %s", (char *) plain->pdata[i],
                                  entry_name(list));
        mods_add(m, LDAP_MOD_DELETE, "zimbraMailForwardingAddress", plain->pdata[i]);
    }
    return mods_empty(m) || directory_ldap_modify(d, entry_dn(list), mods_array(m), error);
}

bool directory_leave_lists(directory *d, const char *const *addresses, GError **error)
{
    g_autoptr(GPtrArray) found = *addresses ? lists_with(d, addresses, error) : g_ptr_array_new();
    bool ok = found != NULL;
    for (guint i = 0; ok && i < found->len; i++) {
        g_autoptr(modlist) m = mods_new();
        for (const char *const *a = addresses; *a; a++)
            if (entry_has_value(found->pdata[i], "zimbraMailForwardingAddress", *a))
                mods_add(m, LDAP_MOD_DELETE, "zimbraMailForwardingAddress", *a);
        ok = directory_ldap_modify(d, entry_dn(found->pdata[i]), mods_array(m), error);
    }
    return ok;
}

bool directory_replace_member(directory *d, const char *old, const char *address, GError **error)
{
    const char *const addresses[] = { old, NULL };
    g_autoptr(GPtrArray) found = lists_with(d, addresses, error);
    bool ok = found != NULL;
    for (guint i = 0; ok && i < found->len; i++) {
        g_autoptr(modlist) m = mods_new();
        mods_add(m, LDAP_MOD_DELETE, "zimbraMailForwardingAddress", old);
        if (!entry_has_value(found->pdata[i], "zimbraMailForwardingAddress", address))
            mods_add(m, LDAP_MOD_ADD, "zimbraMailForwardingAddress", address);
        ok = directory_ldap_modify(d, entry_dn(found->pdata[i]), mods_array(m), error);
    }
    return ok;
}
