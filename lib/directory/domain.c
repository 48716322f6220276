/* Domains and alias domains. A domain's entry is the dc path of its name with
 * ou=people and cn=groups below it; parents on the path that are no domains
 * themselves are plain dcObjects, made and removed as needed. */
#include "lib/directory/private.h"

static const char *const domain_classes[] = { "dcObject", "organization", "zimbraDomain", NULL };

/* ---- creation ---- */

static bool add_if_absent(directory *d, const char *dn, const char *const *classes, const char *const *pairs,
                          GError **error)
{
    g_autoptr(entry) there = NULL;
    if (!directory_find_one(d, dn, LDAP_SCOPE_BASE, "(objectClass=*)", &there, error))
        return false;
    if (there)
        return true;
    g_autoptr(modlist) m = mods_new();
    for (; *classes; classes++)
        mods_add(m, LDAP_MOD_ADD, "objectClass", *classes);
    for (; *pairs; pairs += 2)
        mods_add(m, LDAP_MOD_ADD, pairs[0], pairs[1]);
    return directory_ldap_add(d, dn, mods_array(m), error);
}

/* com, then example.com, for mail.example.com. */
static bool make_parents(directory *d, const char *name, GError **error)
{
    static const char *const classes[] = { "dcObject", "organization", NULL };
    const char *dot = strchr(name, '.');
    if (!dot)
        return true;
    g_autofree char *dn = directory_domain_dn(dot + 1);
    g_autofree char *label = g_strndup(dot + 1, strcspn(dot + 1, "."));
    const char *const pairs[] = { "dc", label, "o", dot + 1, NULL };
    return make_parents(d, dot + 1, error) && add_if_absent(d, dn, classes, pairs, error);
}

static bool make_containers(directory *d, const char *dn, GError **error)
{
    static const char *const classes[] = { "organizationalRole", NULL };
    static const char *const people[] = { "ou", "people", "cn", "people", NULL };
    static const char *const groups[] = { "cn", "groups", NULL };
    g_autofree char *people_dn = g_strconcat("ou=people,", dn, NULL), *groups_dn = g_strconcat("cn=groups,", dn, NULL);
    return add_if_absent(d, people_dn, classes, people, error) && add_if_absent(d, groups_dn, classes, groups, error);
}

/* The path of a subdomain may have made this entry as a plain parent already. */
static bool add_or_upgrade(directory *d, const char *dn, modlist *m, GError **error)
{
    g_autoptr(entry) there = NULL;
    if (!directory_find_one(d, dn, LDAP_SCOPE_BASE, "(objectClass=*)", &there, error))
        return false;
    if (!there) {
        g_autoptr(entry) made = directory_add_entry(d, dn, m, error);
        return made != NULL;
    }
    return directory_ldap_modify(d, dn, mods_array(m), error);
}

static bool make_domain(directory *d, const char *name, const char *dn, modlist *m, GError **error)
{
    g_autofree char *label = g_strndup(name, strcspn(name, "."));
    g_autoptr(entry) there = NULL;
    if (!directory_find_domain(d, name, &there, error))
        return false;
    /* Whoever made it may have been cut short: a second try completes it. */
    if (there)
        return make_containers(d, dn, error) && directory_exists(error, ENTRY_DOMAIN, name);
    if (!make_parents(d, name, error) || !directory_find_one(d, dn, LDAP_SCOPE_BASE, "(objectClass=*)", &there, error))
        return false;
    if (!there) {
        mods_add(m, LDAP_MOD_ADD, "dc", label);
        mods_default(m, "o", name);
        if (!mods_classes(d, m, domain_classes, "zimbraDomainExtraObjectClass", error))
            return false;
    } else if (!mods_classes(d, m, domain_classes + 2, "zimbraDomainExtraObjectClass", error)) {
        return false;
    }
    mods_add(m, LDAP_MOD_ADD, "zimbraDomainName", name);
    mods_identity(m);
    mods_default(m, "zimbraDomainType", "local");
    mods_default(m, "zimbraDomainStatus", "active");
    mods_default(m, "zimbraMailStatus", "enabled");
    return add_or_upgrade(d, dn, m, error) && make_containers(d, dn, error);
}

static entry *create_domain(directory *d, const char *name, modlist *m, GError **error)
{
    g_autofree char *dn = directory_domain_dn(name);
    return make_domain(d, name, dn, m, error) ? directory_read(d, dn, error) : NULL;
}

entry *directory_create_domain(directory *d, const char *name, const attr_change *attrs, size_t n, GError **error)
{
    g_autoptr(modlist) m = mods_new();
    g_autofree char *plain = directory_normalise_domain(name, error);
    if (!plain || !mods_of_changes(m, NULL, ENTRY_DOMAIN, attrs, n, false, error))
        return NULL;
    return create_domain(d, plain, m, error);
}

entry *directory_create_alias_domain(directory *d, const char *name, const char *target, const attr_change *attrs,
                                     size_t n, GError **error)
{
    g_autoptr(modlist) m = mods_new();
    g_autofree char *plain = directory_normalise_domain(name, error);
    g_autoptr(entry) local = plain ? directory_domain(d, target, error) : NULL;
    if (!local || !mods_of_changes(m, NULL, ENTRY_DOMAIN, attrs, n, false, error))
        return NULL;
    if (entry_has_value(local, "zimbraDomainType", "alias")) {
        directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST", "%s is an alias domain itself",
                       entry_name(local));
        return NULL;
    }
    g_autofree char *from = g_strconcat("@", plain, NULL), *to = g_strconcat("@", entry_name(local), NULL);
    mods_add(m, LDAP_MOD_REPLACE, "zimbraDomainType", "alias");
    mods_add(m, LDAP_MOD_REPLACE, "zimbraDomainAliasTargetId", entry_id(local));
    mods_add(m, LDAP_MOD_REPLACE, "zimbraMailCatchAllAddress", from);
    mods_add(m, LDAP_MOD_REPLACE, "zimbraMailCatchAllForwardingAddress", to);
    return create_domain(d, plain, m, error);
}

/* ---- deletion ---- */

static bool refuse_if_any(directory *d, const char *base, const char *filter, const char *domain, GError **error)
{
    g_autoptr(GPtrArray) found = directory_search(d, base, LDAP_SCOPE_SUBTREE, filter, NULL, error);
    if (!found)
        return false;
    return found->len == 0 ||
           directory_fail(error, DIRECTORY_ERROR_INVALID, "account.DOMAIN_NOT_EMPTY",
                          "domain not empty: %s (%u entries, the first is %s %s)", domain, found->len,
                          entry_kind_word(entry_get_kind(found->pdata[0])), entry_name(found->pdata[0]));
}

static bool is_empty(directory *d, const entry *e, const char *people, const char *groups, GError **error)
{
    g_autofree char *id = directory_escape(entry_id(e));
    g_autofree char *aliases = g_strdup_printf("(zimbraDomainAliasTargetId=%s)", id);
    return refuse_if_any(d, people, "(!(objectClass=organizationalRole))", entry_name(e), error) &&
           refuse_if_any(d, groups, "(!(objectClass=organizationalRole))", entry_name(e), error) &&
           refuse_if_any(d, "", aliases, entry_name(e), error);
}

/* A domain with subdomains stays as their parent and loses all that is ours. */
static bool strip(directory *d, const entry *e, GError **error)
{
    static const char *const kept[] = { "dc", "o", "objectClass", NULL };
    static const char *const kept_classes[] = { "dcObject", "organization", "top", NULL };
    g_autofree const char **attrs = entry_attrs(e, false);
    g_autoptr(modlist) m = mods_new();
    for (const char **a = attrs; *a; a++)
        if (!g_strv_contains(kept, *a))
            mods_add(m, LDAP_MOD_DELETE, *a, NULL);
    for (const char *const *c = entry_get_all_own(e, "objectClass"); *c; c++)
        if (!g_strv_contains(kept_classes, *c))
            mods_add(m, LDAP_MOD_DELETE, "objectClass", *c);
    return directory_ldap_modify(d, entry_dn(e), mods_array(m), error);
}

static bool children(directory *d, const char *dn, guint *ret_n, GError **error)
{
    g_autoptr(GPtrArray) found = directory_search(d, dn, LDAP_SCOPE_ONELEVEL, NULL, NULL, error);
    if (found)
        *ret_n = found->len;
    return found != NULL;
}

static bool remove_empty_parents(directory *d, const char *dn, GError **error)
{
    g_autofree char *parent = directory_dn_parent(dn);
    g_autoptr(entry) e = NULL;
    guint n = 0;
    if (!*parent)
        return true;
    if (!directory_find_one(d, parent, LDAP_SCOPE_BASE, "(&(objectClass=dcObject)(!(objectClass=zimbraDomain)))", &e,
                            error) ||
        (e && !children(d, parent, &n, error)))
        return false;
    if (!e || n > 0)
        return true;
    return directory_ldap_delete(d, parent, error) && remove_empty_parents(d, parent, error);
}

bool directory_delete_domain(directory *d, entry *e, GError **error)
{
    g_autofree char *people = g_strconcat("ou=people,", entry_dn(e), NULL),
                    *groups = g_strconcat("cn=groups,", entry_dn(e), NULL);
    guint n = 0;
    if (!is_empty(d, e, people, groups, error) || !directory_delete_below(d, people, error) ||
        !directory_delete_below(d, groups, error) || !children(d, entry_dn(e), &n, error))
        return false;
    if (n > 0)
        return strip(d, e, error);
    return directory_ldap_delete(d, entry_dn(e), error) && remove_empty_parents(d, entry_dn(e), error);
}
