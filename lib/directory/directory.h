/* The directory: typed entries with inheritance, and the rules of its objects.
 *
 * One directory handle is one libldap connection, for one thread. Every call
 * blocks up to the time limit (localconfig ldap_read_timeout) and reconnects
 * once by itself when the server went away. Names are stored in lower case and
 * compared so. Tree and entry facts: guide ch. 4; design §7. */
#ifndef MAILSTEAD_DIRECTORY_H
#define MAILSTEAD_DIRECTORY_H

#include <glib.h>
#include <stdbool.h>
#include "lib/localconfig/localconfig.h"

typedef struct directory directory;
typedef struct entry entry;

#define DIRECTORY_ERROR (directory_error_quark())
GQuark directory_error_quark(void);
typedef enum {
    DIRECTORY_ERROR_UNAVAILABLE,  /* cannot be reached or timed out: temporary */
    DIRECTORY_ERROR_NO_SUCH,      /* no such object */
    DIRECTORY_ERROR_EXISTS,
    DIRECTORY_ERROR_INVALID,      /* refused: syntax, schema, rule; the text says which */
    DIRECTORY_ERROR_DENIED,       /* credentials or access rules */
    DIRECTORY_ERROR_AMBIGUOUS,
    DIRECTORY_ERROR_FAILED,
} directory_error;

/* The name that administrators' scripts look for: "account.NO_SUCH_ACCOUNT",
 * "account.INVALID_ATTR_VALUE", "service.INVALID_REQUEST"… Borrowed, constant. */
const char *directory_error_name(const GError *error);

/* ---- connection ---- */

/* Connects to ldap_url (READ) or ldap_master_url (WRITE) of LC, StartTLS where
 * ldap_starttls_supported is 1, CA from zimbra_tls CA folder, and binds as
 * zimbra_ldap_userdn. */
typedef enum { DIRECTORY_READ, DIRECTORY_WRITE } directory_mode;
directory *directory_open(localconfig *lc, directory_mode mode, GError **error);
/* Same with an explicit URL, bind DN and password (NULL DN: anonymous;
 * "ldapi://" URL with DN NULL: SASL EXTERNAL). */
directory *directory_open_as(localconfig *lc, const char *url, const char *bind_dn,
                             const char *password, GError **error);
void directory_close(directory *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(directory, directory_close)

/* Entries that others inherit from (COS, domain, global config) are read anew
 * for every call unless they may be up to MAX_AGE_MS old. A process that hears
 * of changes sets an age and flushes. Writing through the handle flushes. */
void directory_set_cache(directory *d, unsigned max_age_ms);
void directory_flush(directory *d);

/* ---- entries: reference counted, immutable once handed out ---- */

typedef enum {
    ENTRY_GLOBAL_CONFIG, ENTRY_SERVER, ENTRY_DOMAIN, ENTRY_COS, ENTRY_ACCOUNT, ENTRY_ALIAS,
    ENTRY_DISTRIBUTION_LIST, ENTRY_DYNAMIC_GROUP, ENTRY_CALENDAR_RESOURCE, ENTRY_IDENTITY,
    ENTRY_SIGNATURE, ENTRY_DATA_SOURCE, ENTRY_OTHER,
} entry_kind;

entry *entry_ref(entry *e);
void entry_unref(entry *e);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(entry, entry_unref)

const char *entry_dn(const entry *e);
const char *entry_id(const entry *e);            /* zimbraId, NULL when none */
entry_kind entry_get_kind(const entry *e);
/* The name an administrator uses: user@domain, domain, COS or server name. */
const char *entry_name(const entry *e);

/* First value with inheritance resolved (NULL none); *_own: the entry's own. */
const char *entry_get(const entry *e, const char *attr);
const char *const *entry_get_all(const entry *e, const char *attr);   /* NULL-terminated, never NULL */
const char *entry_get_own(const entry *e, const char *attr);
const char *const *entry_get_all_own(const entry *e, const char *attr);
bool entry_get_bool(const entry *e, const char *attr, bool fallback);
gint64 entry_get_int(const entry *e, const char *attr, gint64 fallback);
bool entry_has_value(const entry *e, const char *attr, const char *value); /* case-insensitive */
/* Attribute names present, sorted; INHERITED: those of the defaults too. Free
 * the array, not the strings (g_free). */
const char **entry_attrs(const entry *e, bool inherited);

/* ---- reading: by name or zimbraId; NO_SUCH error when absent ---- */

entry *directory_global_config(directory *d, GError **error);
entry *directory_server(directory *d, const char *name_or_id, GError **error);
entry *directory_domain(directory *d, const char *name_or_id, GError **error);
entry *directory_cos(directory *d, const char *name_or_id, GError **error);
/* Account or calendar resource by address, alias address or id, with COS,
 * domain and global defaults resolved. A bare name gets zimbraDefaultDomainName. */
entry *directory_account(directory *d, const char *address_or_id, GError **error);
entry *directory_distribution_list(directory *d, const char *address_or_id, GError **error);
/* The mail object (account, list, group) that ADDRESS delivers to, alias
 * domains and catch-all considered. */
entry *directory_recipient(directory *d, const char *address, GError **error);

/* Every object of KIND (below BASE_DN, NULL: the whole tree); calls FN for each
 * until it returns false. FILTER NULL: none besides the kind's own class. */
typedef bool (*directory_each_fn)(entry *e, void *data);
bool directory_each(directory *d, entry_kind kind, const char *base_dn, const char *filter,
                    directory_each_fn fn, void *data, GError **error);

/* Raw search without inheritance; ATTRS NULL: all. The array unrefs the entries. */
GPtrArray *directory_search(directory *d, const char *base_dn, int ldap_scope, const char *filter,
                            const char *const *attrs, GError **error);
/* How many entries match, none of them held in memory. */
bool directory_count(directory *d, entry_kind kind, const char *base_dn, const char *filter, gint64 *ret_n,
                     GError **error);
/* RFC 4515 escaping of an assertion value. Caller frees. */
char *directory_escape(const char *value);
/* RFC 4514 escaping of an RDN's value. Caller frees. */
char *directory_escape_dn(const char *value);

/* ---- writing ---- */

/* A list of changes: attr value (replace), "+attr" value (add), "-attr" value
 * (remove), attr "" (delete). Values are checked against the schema. */
typedef struct { char *attr; char *value; } attr_change;

entry *directory_create_domain(directory *d, const char *name, const attr_change *attrs, size_t n, GError **error);
entry *directory_create_alias_domain(directory *d, const char *name, const char *target, const attr_change *attrs,
                                     size_t n, GError **error);
entry *directory_create_cos(directory *d, const char *name, const attr_change *attrs, size_t n, GError **error);
entry *directory_create_server(directory *d, const char *name, const attr_change *attrs, size_t n, GError **error);
/* PASSWORD "" : none set. The account gets a mail host of its COS's pool and
 * its zimbraMailTransport lmtp:HOST:PORT. */
entry *directory_create_account(directory *d, const char *address, const char *password, const attr_change *attrs,
                                size_t n, GError **error);
entry *directory_create_distribution_list(directory *d, const char *address, const attr_change *attrs, size_t n,
                                          GError **error);
entry *directory_create_calendar_resource(directory *d, const char *address, const char *password,
                                          const attr_change *attrs, size_t n, GError **error);
entry *directory_copy_cos(directory *d, const char *source, const char *name, GError **error);
/* E is as it was read: a name and the values that "+attr" and "-attr" meet.
 * What an administrator orders: refuses attributes that only the system sets
 * (zimbraId, zimbraLastLogonTimestamp…), that have commands of their own (mail,
 * zimbraMailAlias…) or do not belong to the object, and objects of a suspended
 * domain. */
bool directory_modify(directory *d, entry *e, const attr_change *attrs, size_t n, GError **error);
/* Same for what a program records: any attribute, in any state of the domain. */
bool directory_modify_system(directory *d, entry *e, const attr_change *attrs, size_t n, GError **error);
/* Accounts, resources, lists (a new address) and COSes. */
bool directory_rename(directory *d, entry *e, const char *name, GError **error);
/* Deletes with all that refers to it (aliases, memberships). */
bool directory_delete(directory *d, entry *e, GError **error);
/* Stored with slapd's own hash (RFC 3062). What is hashed is the password in
 * Unicode's composed form (NFC); a login check must do the same. */
bool directory_set_password(directory *d, entry *account, const char *password, GError **error);
/* Caller frees; NULL when PASSWORD is not UTF-8. */
char *directory_normalise_password(const char *password);
/* Length and character rules of the account's COS; no history, no age. */
bool directory_check_password(entry *account, const char *password, GError **error);
bool directory_add_alias(directory *d, entry *target, const char *alias, GError **error);
bool directory_remove_alias(directory *d, entry *target, const char *alias, GError **error);
bool directory_add_members(directory *d, entry *list, const char *const *members, GError **error);
bool directory_remove_members(directory *d, entry *list, const char *const *members, GError **error);
/* Addresses of every list (direct and nested) that ADDRESS is a member of, by
 * any address of its account or list. Caller frees with g_strfreev. */
char **directory_memberships(directory *d, const char *address, GError **error);
/* Same with the way there: VIA is the member list, NULL for a direct membership. */
typedef struct { char *list, *list_id, *via; } directory_membership;
GPtrArray *directory_membership_ways(directory *d, const char *address, GError **error);

/* ---- names ---- */
/* Lower case, RFC 5321 local part (dot-string) and domain in ASCII; NULL and
 * INVALID when it is none. Caller frees. */
char *directory_normalise_address(const char *address, GError **error);
char *directory_normalise_domain(const char *domain, GError **error);
/* TEXT has the form of a zimbraId. */
bool directory_is_id(const char *text);
/* "user@domain" -> DN of its account entry; caller frees. */
char *directory_account_dn(const char *address);
char *directory_domain_dn(const char *domain);

#endif
