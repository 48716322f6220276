/* Reading: objects by name or id, with what they inherit from.
 *
 * The parents (COS, domain, global config) come through a small cache in the
 * handle. By default it holds only for the length of one call; see
 * directory_set_cache(). */
#include "lib/directory/private.h"

#define ACCOUNT_CLASS "(objectClass=zimbraAccount)"

const char *const directory_kind_filters[] = {
    [ENTRY_GLOBAL_CONFIG] = "(objectClass=zimbraGlobalConfig)",
    [ENTRY_SERVER] = "(objectClass=zimbraServer)",
    [ENTRY_DOMAIN] = "(objectClass=zimbraDomain)",
    [ENTRY_COS] = "(objectClass=zimbraCOS)",
    [ENTRY_ACCOUNT] = "(&" ACCOUNT_CLASS "(!(objectClass=zimbraCalendarResource)))",
    [ENTRY_ALIAS] = "(objectClass=zimbraAlias)",
    [ENTRY_DISTRIBUTION_LIST] = "(objectClass=zimbraDistributionList)",
    [ENTRY_DYNAMIC_GROUP] = "(objectClass=zimbraGroup)",
    [ENTRY_CALENDAR_RESOURCE] = "(objectClass=zimbraCalendarResource)",
    [ENTRY_IDENTITY] = "(objectClass=zimbraIdentity)",
    [ENTRY_SIGNATURE] = "(objectClass=zimbraSignature)",
    [ENTRY_DATA_SOURCE] = "(objectClass=zimbraDataSource)",
    [ENTRY_OTHER] = "(objectClass=*)",
};

/* ---- parents ---- */

struct cached {
    entry *e;                   /* NULL: there is none */
    gint64 read_us;
};

static void cached_free(void *p)
{
    struct cached *c = p;
    entry_unref(c->e);
    g_free(c);
}

void directory_set_cache(directory *d, unsigned max_age_ms)
{
    d->cache_ms = max_age_ms;
}

void directory_flush(directory *d)
{
    if (d->cache)
        g_hash_table_remove_all(d->cache);
}

static void hold(directory *d)
{
    if (d->hold++ == 0)
        d->hold_us = g_get_monotonic_time();
}

static void release(directory *d)
{
    d->hold--;
}

typedef bool (*read_fn)(directory *d, const char *key, entry **ret, GError **error);

/* What READ finds for KEY; *RET is a new reference or NULL. PREFIX keeps kinds
 * of keys apart. */
static bool through_cache(directory *d, const char *prefix, const char *key, read_fn read, entry **ret, GError **error)
{
    g_autofree char *name = g_strconcat(prefix, ":", key, NULL);
    if (!d->cache)
        d->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, cached_free);
    struct cached *c = g_hash_table_lookup(d->cache, name);
    if (c && c->read_us < d->hold_us - (gint64) d->cache_ms * 1000)
        c = NULL;
    if (!c) {
        entry *e = NULL;
        if (!read(d, key, &e, error))
            return false;
        c = g_new0(struct cached, 1);
        c->e = e;
        c->read_us = g_get_monotonic_time();
        g_hash_table_replace(d->cache, g_steal_pointer(&name), c);
    }
    *ret = c->e ? entry_ref(c->e) : NULL;
    return true;
}

bool directory_find_one(directory *d, const char *base, int scope, const char *filter, entry **ret, GError **error)
{
    g_autoptr(GPtrArray) found = directory_search(d, base, scope, filter, NULL, error);
    if (!found)
        return false;
    if (found->len > 1)
        return directory_fail(error, DIRECTORY_ERROR_AMBIGUOUS, NULL, "%u entries match %s: %s, %s…", found->len,
                              filter, entry_dn(found->pdata[0]), entry_dn(found->pdata[1]));
    *ret = found->len ? entry_ref(found->pdata[0]) : NULL;
    return true;
}

static bool read_dn(directory *d, const char *dn, entry **ret, GError **error)
{
    return directory_find_one(d, dn, LDAP_SCOPE_BASE, "(objectClass=*)", ret, error);
}

static bool find_by(directory *d, const char *base, entry_kind kind, const char *attr, const char *value, entry **ret,
                    GError **error)
{
    g_autofree char *escaped = directory_escape(value);
    g_autofree char *filter = g_strdup_printf("(&%s(%s=%s))", directory_kind_filters[kind], attr, escaped);
    return directory_find_one(d, base, LDAP_SCOPE_SUBTREE, filter, ret, error);
}

static bool read_cos_id(directory *d, const char *id, entry **ret, GError **error)
{
    return find_by(d, COS_BASE, ENTRY_COS, "zimbraId", id, ret, error);
}

static bool read_cos_name(directory *d, const char *name, entry **ret, GError **error)
{
    return find_by(d, COS_BASE, ENTRY_COS, "cn", name, ret, error);
}

static bool read_domain_name(directory *d, const char *name, entry **ret, GError **error)
{
    return find_by(d, "", ENTRY_DOMAIN, "zimbraDomainName", name, ret, error);
}

static bool config_of(directory *d, entry **ret, GError **error)
{
    return through_cache(d, "dn", CONFIG_DN, read_dn, ret, error);
}

/* A domain of the tree with its parents; *RET NULL when there is none. */
bool directory_find_domain(directory *d, const char *name, entry **ret, GError **error)
{
    g_autoptr(entry) e = NULL, config = NULL;
    if (!through_cache(d, "domain", name, read_domain_name, &e, error))
        return false;
    if (e && !entry_config(e)) {
        if (!config_of(d, &config, error))
            return false;
        entry_set_parents(e, NULL, NULL, config);
    }
    *ret = g_steal_pointer(&e);
    return true;
}

/* The account's COS: its own, else its domain's default, else "default". An id
 * that names none counts as not given. */
static bool cos_of(directory *d, const entry *account, const entry *domain, entry **ret, GError **error)
{
    const char *const ids[] = { entry_get_own(account, "zimbraCOSId"),
                                domain ? entry_get_own(domain, "zimbraDomainDefaultCOSId") : NULL };
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        if (ids[i] && !through_cache(d, "cos", ids[i], read_cos_id, ret, error))
            return false;
        if (ids[i] && *ret)
            return true;
    }
    return through_cache(d, "cosname", DEFAULT_COS, read_cos_name, ret, error);
}

static bool account_parents(directory *d, entry *e, GError **error)
{
    g_autoptr(entry) domain = NULL, cos = NULL;
    g_autofree char *name = directory_dn_domain(entry_dn(e));
    if (name && !directory_find_domain(d, name, &domain, error))
        return false;
    if (!cos_of(d, e, domain, &cos, error))
        return false;
    entry_set_parents(e, cos, domain, NULL);
    return true;
}

bool directory_give_parents(directory *d, entry *e, GError **error)
{
    g_autoptr(entry) config = NULL;
    switch (entry_get_kind(e)) {
    case ENTRY_ACCOUNT: case ENTRY_CALENDAR_RESOURCE:
        return account_parents(d, e, error);
    case ENTRY_SERVER: case ENTRY_DOMAIN:
        if (!config_of(d, &config, error))
            return false;
        entry_set_parents(e, NULL, NULL, config);
        return true;
    default:
        return true;
    }
}

/* The end of a look-up: E (taken) with parents, or "no such". */
static entry *finish(directory *d, bool ok, entry *e, entry_kind kind, const char *name, GError **error)
{
    g_autoptr(entry) found = e;
    if (ok && !found)
        directory_no_such(error, kind, name);
    if (!ok || !found || !directory_give_parents(d, found, error))
        return NULL;
    return g_steal_pointer(&found);
}

entry *directory_read(directory *d, const char *dn, GError **error)
{
    entry *e = NULL;
    hold(d);
    bool ok = read_dn(d, dn, &e, error);
    e = finish(d, ok, e, ENTRY_OTHER, dn, error);
    release(d);
    return e;
}

/* ---- public look-ups ---- */

entry *directory_global_config(directory *d, GError **error)
{
    return directory_read(d, CONFIG_DN, error);
}

/* By zimbraId when it looks like one, else by ATTR. */
static entry *by_name_or_id(directory *d, const char *base, entry_kind kind, const char *attr, const char *name,
                            GError **error)
{
    entry *e = NULL;
    hold(d);
    bool ok = !directory_is_id(name) || find_by(d, base, kind, "zimbraId", name, &e, error);
    if (ok && !e)
        ok = find_by(d, base, kind, attr, name, &e, error);
    e = finish(d, ok, e, kind, name, error);
    release(d);
    return e;
}

entry *directory_server(directory *d, const char *name_or_id, GError **error)
{
    return by_name_or_id(d, SERVER_BASE, ENTRY_SERVER, "cn", name_or_id, error);
}

entry *directory_cos(directory *d, const char *name_or_id, GError **error)
{
    return by_name_or_id(d, COS_BASE, ENTRY_COS, "cn", name_or_id, error);
}

entry *directory_domain(directory *d, const char *name_or_id, GError **error)
{
    g_autofree char *ascii = directory_normalise_domain(name_or_id, NULL);
    return by_name_or_id(d, "", ENTRY_DOMAIN, "zimbraDomainName", ascii ? ascii : name_or_id, error);
}

/* NAME with the default domain when it has none; NULL when it is no address. */
static bool complete_address(directory *d, const char *name, char **ret, GError **error)
{
    g_autofree char *full = NULL;
    if (!strchr(name, '@')) {
        g_autoptr(entry) config = NULL;
        if (!config_of(d, &config, error))
            return false;
        const char *domain = config ? entry_get_own(config, "zimbraDefaultDomainName") : NULL;
        full = domain ? g_strconcat(name, "@", domain, NULL) : NULL;
    }
    *ret = full || strchr(name, '@') ? directory_normalise_address(full ? full : name, NULL) : NULL;
    return true;
}

#define ADDRESS_MATCH "(|(zimbraMailDeliveryAddress=%s)(zimbraMailAlias=%s)(mail=%s))"

static bool find_address(directory *d, const char *class_filter, const char *address, entry **ret, GError **error)
{
    g_autofree char *a = directory_escape(address);
    g_autofree char *filter = g_strdup_printf("(&%s" ADDRESS_MATCH ")", class_filter, a, a, a);
    return directory_find_one(d, "", LDAP_SCOPE_SUBTREE, filter, ret, error);
}

/* ADDRESS of an alias domain in the domain it stands for; *RET NULL otherwise. */
static bool through_alias_domain(directory *d, const char *address, char **ret, GError **error)
{
    g_autofree char *local = NULL;
    const char *domain_name;
    directory_split_address(address, &local, &domain_name);
    g_autoptr(entry) alias = NULL, target = NULL;
    if (!directory_find_domain(d, domain_name, &alias, error))
        return false;
    const char *id = alias && entry_has_value(alias, "zimbraDomainType", "alias")
                         ? entry_get_own(alias, "zimbraDomainAliasTargetId")
                         : NULL;
    if (id && !find_by(d, "", ENTRY_DOMAIN, "zimbraId", id, &target, error))
        return false;
    *ret = target ? g_strconcat(local, "@", entry_name(target), NULL) : NULL;
    return true;
}

static bool find_mail_object(directory *d, const char *class_filter, const char *address, entry **ret, GError **error)
{
    g_autofree char *other = NULL;
    if (!find_address(d, class_filter, address, ret, error))
        return false;
    if (*ret)
        return true;
    if (!through_alias_domain(d, address, &other, error))
        return false;
    return !other || find_address(d, class_filter, other, ret, error);
}

/* System accounts have no mail address: uid=NAME,cn=admins,cn=zimbra. */
static bool find_system_account(directory *d, const char *name, entry **ret, GError **error)
{
    g_autofree char *uid = directory_escape(name);
    g_autofree char *filter = g_strdup_printf("(&" ACCOUNT_CLASS "(uid=%s))", uid);
    return directory_find_one(d, ADMIN_BASE, LDAP_SCOPE_ONELEVEL, filter, ret, error);
}

static bool find_account(directory *d, const char *name, entry **ret, GError **error)
{
    g_autofree char *address = NULL, *id = directory_escape(name);
    if (directory_is_id(name)) {
        g_autofree char *filter = g_strdup_printf("(&" ACCOUNT_CLASS "(zimbraId=%s))", id);
        if (!directory_find_one(d, "", LDAP_SCOPE_SUBTREE, filter, ret, error))
            return false;
    }
    if (*ret)
        return true;
    if (!complete_address(d, name, &address, error) ||
        (address && !find_mail_object(d, ACCOUNT_CLASS, address, ret, error)))
        return false;
    return *ret || strchr(name, '@') || find_system_account(d, name, ret, error);
}

entry *directory_account(directory *d, const char *address_or_id, GError **error)
{
    entry *e = NULL;
    hold(d);
    bool ok = find_account(d, address_or_id, &e, error);
    e = finish(d, ok, e, ENTRY_ACCOUNT, address_or_id, error);
    release(d);
    return e;
}

entry *directory_distribution_list(directory *d, const char *address_or_id, GError **error)
{
    const char *filter = directory_kind_filters[ENTRY_DISTRIBUTION_LIST];
    g_autofree char *address = NULL;
    entry *e = NULL;
    hold(d);
    bool ok = directory_is_id(address_or_id)
                  ? find_by(d, "", ENTRY_DISTRIBUTION_LIST, "zimbraId", address_or_id, &e, error)
                  : complete_address(d, address_or_id, &address, error) &&
                        (!address || find_mail_object(d, filter, address, &e, error));
    e = finish(d, ok, e, ENTRY_DISTRIBUTION_LIST, address_or_id, error);
    release(d);
    return e;
}

#define RECIPIENT_CLASSES "(|" ACCOUNT_CLASS "(objectClass=zimbraDistributionList)(objectClass=zimbraGroup))"

static bool find_recipient(directory *d, const char *address, entry **ret, GError **error)
{
    g_autofree char *other = NULL;
    if (!find_mail_object(d, RECIPIENT_CLASSES, address, ret, error) || *ret)
        return *ret != NULL;
    if (!through_alias_domain(d, address, &other, error))
        return false;
    g_autofree char *domain = directory_escape(strchr(other ? other : address, '@') + 1);
    g_autofree char *filter = g_strdup_printf("(&" RECIPIENT_CLASSES "(zimbraMailCatchAllAddress=@%s))", domain);
    return directory_find_one(d, "", LDAP_SCOPE_SUBTREE, filter, ret, error);
}

entry *directory_recipient(directory *d, const char *address, GError **error)
{
    entry *e = NULL;
    g_autofree char *plain = directory_normalise_address(address, error);
    if (!plain)
        return NULL;
    hold(d);
    bool ok = find_recipient(d, plain, &e, error);
    e = finish(d, ok, e, ENTRY_ACCOUNT, plain, error);
    release(d);
    return e;
}

bool directory_address_free(directory *d, const char *address, GError **error)
{
    g_autofree char *a = directory_escape(address);
    g_autofree char *filter = g_strdup_printf(ADDRESS_MATCH, a, a, a);
    g_autoptr(GPtrArray) found = directory_search(d, "", LDAP_SCOPE_SUBTREE, filter, NULL, error);
    if (!found)
        return false;
    if (found->len == 0)
        return true;
    entry *e = found->pdata[0];
    const char *name =
        entry_get_kind(e) == ENTRY_DISTRIBUTION_LIST ? "account.DISTRIBUTION_LIST_EXISTS" : "account.ACCOUNT_EXISTS";
    return directory_fail(error, DIRECTORY_ERROR_EXISTS, name, "email address already exists: %s, at DN: %s", address,
                          entry_dn(e));
}

entry *directory_domain_to_write(directory *d, const char *address, GError **error)
{
    const char *name = strchr(address, '@') + 1;
    g_autoptr(entry) domain = NULL;
    hold(d);
    bool ok = directory_find_domain(d, name, &domain, error);
    release(d);
    if (ok && !domain)
        ok = directory_no_such(error, ENTRY_DOMAIN, name);
    if (ok && entry_has_value(domain, "zimbraDomainType", "alias"))
        ok = directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                            "%s is an alias domain: use the domain that it stands for", name);
    if (ok && entry_has_value(domain, "zimbraDomainStatus", "suspended"))
        ok = directory_fail(error, DIRECTORY_ERROR_DENIED, "service.PERM_DENIED",
                            "domain %s is suspended: nothing in it can be created, changed or deleted", name);
    return ok ? g_steal_pointer(&domain) : NULL;
}

/* ---- many ---- */

static char *full_filter(entry_kind kind, const char *filter)
{
    if (!filter || !*filter)
        return g_strdup(directory_kind_filters[kind]);
    const char *open = filter[0] == '(' ? "" : "(", *close = filter[0] == '(' ? "" : ")";
    return g_strdup_printf("(&%s%s%s%s)", directory_kind_filters[kind], open, filter, close);
}

typedef bool (*page_fn)(directory *d, GPtrArray *page, void *data, bool *ret_more, GError **error);

static bool each_page(directory *d, entry_kind kind, const char *base_dn, const char *filter, const char *const *attrs,
                      page_fn fn, void *data, GError **error)
{
    g_autofree char *full = full_filter(kind, filter);
    struct berval cookie = { 0, NULL };
    bool ok, more = true;
    do {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) entry_unref);
        ok = directory_ldap_search(d, base_dn ? base_dn : "", LDAP_SCOPE_SUBTREE, full, attrs, &cookie, page, error) &&
             fn(d, page, data, &more, error);
    } while (ok && more && cookie.bv_len > 0);
    ber_memfree(cookie.bv_val);
    return ok;
}

struct each { directory_each_fn fn; void *data; };

static bool each_in_page(directory *d, GPtrArray *page, void *data, bool *ret_more, GError **error)
{
    const struct each *each = data;
    for (guint i = 0; i < page->len && *ret_more; i++) {
        if (!directory_give_parents(d, page->pdata[i], error))
            return false;
        *ret_more = each->fn(page->pdata[i], each->data);
    }
    return true;
}

bool directory_each(directory *d, entry_kind kind, const char *base_dn, const char *filter, directory_each_fn fn,
                    void *data, GError **error)
{
    struct each each = { fn, data };
    hold(d);
    bool ok = each_page(d, kind, base_dn, filter, NULL, each_in_page, &each, error);
    release(d);
    return ok;
}

static bool count_page(directory *d, GPtrArray *page, void *data, bool *ret_more, GError **error)
{
    *(gint64 *) data += page->len;
    return true;
}

bool directory_count(directory *d, entry_kind kind, const char *base_dn, const char *filter, gint64 *ret_n,
                     GError **error)
{
    static const char *const no_attrs[] = { LDAP_NO_ATTRS, NULL };
    gint64 n = 0;
    if (!each_page(d, kind, base_dn, filter, no_attrs, count_page, &n, error))
        return false;
    *ret_n = n;
    return true;
}

GPtrArray *directory_search(directory *d, const char *base_dn, int ldap_scope, const char *filter,
                            const char *const *attrs, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) entry_unref);
    g_autoptr(GError) reason = NULL;
    const char *base = base_dn ? base_dn : "";
    if (!directory_ldap_search(d, base, ldap_scope, filter ? filter : "(objectClass=*)", attrs, NULL, found, &reason) &&
        !g_error_matches(reason, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    return g_steal_pointer(&found);
}
