/* Private: what the files of lib/directory share. */
#ifndef MAILSTEAD_DIRECTORY_PRIVATE_H
#define MAILSTEAD_DIRECTORY_PRIVATE_H

#include <ldap.h>

#include "lib/directory/directory.h"
#include "lib/schema/schema.h"

#define CONFIG_DN   "cn=config,cn=zimbra"
#define COS_BASE    "cn=cos,cn=zimbra"
#define SERVER_BASE "cn=servers,cn=zimbra"
#define ADMIN_BASE  "cn=admins,cn=zimbra"
#define DEFAULT_COS "default"

struct directory {
    LDAP *ld;                   /* NULL: lost, the next call connects */
    char *url, *bind_dn, *password, *ca_file, *host;
    bool starttls, verify;
    gint64 connect_ms, read_ms; /* 0: no limit */
    GHashTable *cache;          /* key -> struct cached */
    unsigned cache_ms;
    int hold;                   /* > 0: within one call; what was read since its */
    gint64 hold_us;             /* start at HOLD_US is good till its end */
};

/* ---- error.c ---- */
bool directory_fail(GError **error, directory_error code, const char *name, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* Error of LDAP result RC; WHAT is what was tried, on DN (may be NULL). */
bool directory_fail_ldap(directory *d, int rc, const char *what, const char *dn, GError **error);
bool directory_connection_lost(int rc);
/* "no such account: x" with its name, by kind. */
bool directory_no_such(GError **error, entry_kind kind, const char *name);
bool directory_exists(GError **error, entry_kind kind, const char *name);
const char *entry_kind_word(entry_kind kind);

/* ---- connection.c : each reconnects once ---- */
/* One page; *RET gets entries appended. COOKIE: of the previous page, in and
 * out; NULL: all in one. */
bool directory_ldap_search(directory *d, const char *base, int scope, const char *filter, const char *const *attrs,
                           struct berval *cookie, GPtrArray *ret, GError **error);
bool directory_ldap_add(directory *d, const char *dn, LDAPMod **mods, GError **error);
bool directory_ldap_modify(directory *d, const char *dn, LDAPMod **mods, GError **error);
bool directory_ldap_delete(directory *d, const char *dn, GError **error);
bool directory_ldap_rename(directory *d, const char *dn, const char *rdn, const char *parent, GError **error);
bool directory_ldap_password(directory *d, const char *dn, const char *password, GError **error);

/* ---- entry.c ---- */
entry *entry_new(const char *dn);
entry *entry_from_message(LDAP *ld, LDAPMessage *message);
/* While it is being made. TEXT of binary attributes is base64. */
void entry_add_value(entry *e, const char *attr, const char *text);
/* After the values: kind and name from object classes and DN. */
void entry_finish(entry *e);
/* References are taken; NULL: none. Once for an entry. */
void entry_set_parents(entry *e, entry *cos, entry *domain, entry *config);
/* Borrowed; NULL none. */
entry *entry_cos(const entry *e);
entry *entry_config(const entry *e);

/* ---- name.c ---- */
/* "joe@example.com" -> "joe", "example.com"; both to free. Must be normalised. */
void directory_split_address(const char *address, char **ret_local, const char **ret_domain);
/* First RDN's value of DN; caller frees. */
char *directory_dn_value(const char *dn);
/* The domain of the dc components of DN, NULL when none; caller frees. */
char *directory_dn_domain(const char *dn);
char *directory_dn_parent(const char *dn);
char *directory_people_dn(const char *domain, const char *local);
bool directory_valid_name(const char *name, const char *what, GError **error);

/* ---- lookup.c ---- */
extern const char *const directory_kind_filters[];
/* Zero or one entry matching; AMBIGUOUS for more. *RET NULL when none. */
bool directory_find_one(directory *d, const char *base, int scope, const char *filter, entry **ret, GError **error);
/* Domain by name; *RET NULL when there is none. */
bool directory_find_domain(directory *d, const char *name, entry **ret, GError **error);
/* Parents of a fresh entry of any kind. */
bool directory_give_parents(directory *d, entry *e, GError **error);
/* Reads DN itself; NULL with NO_SUCH when absent. */
entry *directory_read(directory *d, const char *dn, GError **error);
/* Fails with EXISTS when ADDRESS is a mail address of some entry. */
bool directory_address_free(directory *d, const char *address, GError **error);
/* Domain of ADDRESS that mail objects may be made or changed in. */
entry *directory_domain_to_write(directory *d, const char *address, GError **error);

/* ---- change.c ---- */
typedef struct modlist modlist;
modlist *mods_new(void);
void mods_free(modlist *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(modlist, mods_free)
void mods_add(modlist *m, int op, const char *attr, const char *value);    /* VALUE NULL: the whole attribute */
bool mods_has(const modlist *m, const char *attr);
const char *mods_value(const modlist *m, const char *attr);                /* first, NULL none */
LDAPMod **mods_array(modlist *m);
bool mods_empty(const modlist *m);
/* Changes of an administrator into mods: names, values and places checked.
 * E NULL: a new entry of KIND. SYSTEM: not an administrator, places and
 * immutability do not count. */
bool mods_of_changes(modlist *m, const entry *e, entry_kind kind, const attr_change *attrs, size_t n, bool system,
                     GError **error);
/* An attribute of a new entry unless the administrator gave one. */
void mods_default(modlist *m, const char *attr, const char *value);
/* zimbraId and zimbraCreateTimestamp of a new entry. */
void mods_identity(modlist *m);
/* Object classes; EXTRA: the attribute of the global config that names more. */
bool mods_classes(directory *d, modlist *m, const char *const *classes, const char *extra, GError **error);
/* Adds the entry and reads it back. */
entry *directory_add_entry(directory *d, const char *dn, modlist *m, GError **error);

/* ---- list.c, alias.c ---- */
/* Removes ADDRESSES from every list that has them as members. */
bool directory_leave_lists(directory *d, const char *const *addresses, GError **error);
/* Replaces a member address in every list that has it. */
bool directory_replace_member(directory *d, const char *old, const char *address, GError **error);
bool directory_delete_alias_entries(directory *d, entry *target, GError **error);

/* ---- account.c ---- */
/* zimbraMailTransport and zimbraMailStatus that follow from other changes. */
bool account_follow_changes(directory *d, modlist *m, GError **error);
bool directory_delete_below(directory *d, const char *dn, GError **error);

/* ---- domain.c, container.c ---- */
bool directory_delete_domain(directory *d, entry *e, GError **error);
bool directory_delete_cos(directory *d, entry *e, GError **error);
bool directory_delete_server(directory *d, entry *e, GError **error);

#endif
