/* Errors of the directory: libldap's results to our few codes, and the names by
 * which administrators' scripts know them. */
#include <stdarg.h>

#include "lib/directory/private.h"

typedef struct { const char *name; } DirectoryErrorPrivate;

static void directory_error_private_init(DirectoryErrorPrivate *p)
{
    p->name = NULL;
}

static void directory_error_private_copy(const DirectoryErrorPrivate *from, DirectoryErrorPrivate *to)
{
    *to = *from;
}

static void directory_error_private_clear(DirectoryErrorPrivate *p)
{
    p->name = NULL;
}

G_DEFINE_EXTENDED_ERROR(DirectoryError, directory_error)

/* Names where the place that failed gave none. */
static const char *const code_names[] = {
    [DIRECTORY_ERROR_UNAVAILABLE] = "ldap.CONNECTION_FAILED",
    [DIRECTORY_ERROR_NO_SUCH] = "ldap.ENTRY_NOT_FOUND",
    [DIRECTORY_ERROR_EXISTS] = "ldap.ENTRY_ALREADY_EXIST",
    [DIRECTORY_ERROR_INVALID] = "service.INVALID_REQUEST",
    [DIRECTORY_ERROR_DENIED] = "service.PERM_DENIED",
    [DIRECTORY_ERROR_AMBIGUOUS] = "ldap.MULTIPLE_ENTRIES_MATCHED",
    [DIRECTORY_ERROR_FAILED] = "service.FAILURE",
};

static const struct { const char *word, *no_such, *exists; } kinds[] = {
    [ENTRY_GLOBAL_CONFIG] = { "global config", NULL, NULL },
    [ENTRY_SERVER] = { "server", "account.NO_SUCH_SERVER", "account.SERVER_EXISTS" },
    [ENTRY_DOMAIN] = { "domain", "account.NO_SUCH_DOMAIN", "account.DOMAIN_EXISTS" },
    [ENTRY_COS] = { "cos", "account.NO_SUCH_COS", "account.COS_EXISTS" },
    [ENTRY_ACCOUNT] = { "account", "account.NO_SUCH_ACCOUNT", "account.ACCOUNT_EXISTS" },
    [ENTRY_ALIAS] = { "alias", "account.NO_SUCH_ALIAS", "account.ACCOUNT_EXISTS" },
    [ENTRY_DISTRIBUTION_LIST] = { "distribution list", "account.NO_SUCH_DISTRIBUTION_LIST",
                                  "account.DISTRIBUTION_LIST_EXISTS" },
    [ENTRY_DYNAMIC_GROUP] = { "group", "account.NO_SUCH_GROUP", "account.DISTRIBUTION_LIST_EXISTS" },
    [ENTRY_CALENDAR_RESOURCE] = { "calendar resource", "account.NO_SUCH_CALENDAR_RESOURCE", "account.ACCOUNT_EXISTS" },
    [ENTRY_IDENTITY] = { "identity", "account.NO_SUCH_IDENTITY", "account.IDENTITY_EXISTS" },
    [ENTRY_SIGNATURE] = { "signature", "account.NO_SUCH_SIGNATURE", "account.SIGNATURE_EXISTS" },
    [ENTRY_DATA_SOURCE] = { "data source", "account.NO_SUCH_DATA_SOURCE", "account.DATA_SOURCE_EXISTS" },
    [ENTRY_OTHER] = { "entry", NULL, NULL },
};

const char *entry_kind_word(entry_kind kind)
{
    return kinds[kind].word;
}

const char *directory_error_name(const GError *error)
{
    if (error->domain != DIRECTORY_ERROR)
        return error->domain == SCHEMA_ERROR ? "account.INVALID_ATTR_VALUE" : "service.FAILURE";
    const DirectoryErrorPrivate *p = directory_error_get_private(error);
    return p->name ? p->name : code_names[error->code];
}

bool directory_fail(GError **error, directory_error code, const char *name, const char *format, ...)
{
    if (!error)
        return false;
    va_list ap;
    va_start(ap, format);
    *error = g_error_new_valist(DIRECTORY_ERROR, (int) code, format, ap);
    va_end(ap);
    directory_error_get_private(*error)->name = name;
    return false;
}

bool directory_no_such(GError **error, entry_kind kind, const char *name)
{
    return directory_fail(error, DIRECTORY_ERROR_NO_SUCH, kinds[kind].no_such, "no such %s: %s", kinds[kind].word,
                          name);
}

bool directory_exists(GError **error, entry_kind kind, const char *name)
{
    return directory_fail(error, DIRECTORY_ERROR_EXISTS, kinds[kind].exists, "%s already exists: %s", kinds[kind].word,
                          name);
}

static const struct { int rc; directory_error code; const char *name; } results[] = {
    { LDAP_SERVER_DOWN, DIRECTORY_ERROR_UNAVAILABLE, NULL },
    { LDAP_CONNECT_ERROR, DIRECTORY_ERROR_UNAVAILABLE, NULL },
    { LDAP_TIMEOUT, DIRECTORY_ERROR_UNAVAILABLE, NULL },
    { LDAP_UNAVAILABLE, DIRECTORY_ERROR_UNAVAILABLE, NULL },
    { LDAP_BUSY, DIRECTORY_ERROR_UNAVAILABLE, NULL },
    { LDAP_TIMELIMIT_EXCEEDED, DIRECTORY_ERROR_UNAVAILABLE, NULL },
    { LDAP_UNWILLING_TO_PERFORM, DIRECTORY_ERROR_FAILED, NULL },
    { LDAP_NO_SUCH_OBJECT, DIRECTORY_ERROR_NO_SUCH, NULL },
    { LDAP_ALREADY_EXISTS, DIRECTORY_ERROR_EXISTS, NULL },
    { LDAP_INVALID_CREDENTIALS, DIRECTORY_ERROR_DENIED, NULL },
    { LDAP_INSUFFICIENT_ACCESS, DIRECTORY_ERROR_DENIED, NULL },
    { LDAP_STRONG_AUTH_REQUIRED, DIRECTORY_ERROR_DENIED, NULL },
    { LDAP_CONFIDENTIALITY_REQUIRED, DIRECTORY_ERROR_DENIED, NULL },
    { LDAP_INAPPROPRIATE_AUTH, DIRECTORY_ERROR_DENIED, NULL },
    { LDAP_FILTER_ERROR, DIRECTORY_ERROR_INVALID, "ldap.INVALID_SEARCH_FILTER" },
    { LDAP_INVALID_SYNTAX, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE" },
    { LDAP_CONSTRAINT_VIOLATION, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE" },
    { LDAP_OBJECT_CLASS_VIOLATION, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_NAME" },
    { LDAP_UNDEFINED_TYPE, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_NAME" },
    { LDAP_TYPE_OR_VALUE_EXISTS, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE" },
    { LDAP_NO_SUCH_ATTRIBUTE, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE" },
    { LDAP_NAMING_VIOLATION, DIRECTORY_ERROR_INVALID, NULL },
    { LDAP_INVALID_DN_SYNTAX, DIRECTORY_ERROR_INVALID, NULL },
    { LDAP_NOT_ALLOWED_ON_NONLEAF, DIRECTORY_ERROR_INVALID, NULL },
};

bool directory_connection_lost(int rc)
{
    return rc == LDAP_SERVER_DOWN || rc == LDAP_CONNECT_ERROR || rc == LDAP_UNAVAILABLE;
}

/* slapo-unique answers with a constraint violation of this text. */
#define NOT_UNIQUE "not unique"

bool directory_fail_ldap(directory *d, int rc, const char *what, const char *dn, GError **error)
{
    char *said = NULL;
    if (d->ld)
        ldap_get_option(d->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
    directory_error code = DIRECTORY_ERROR_FAILED;
    const char *name = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++)
        if (results[i].rc == rc) {
            code = results[i].code;
            name = results[i].name;
        }
    if (rc == LDAP_CONSTRAINT_VIOLATION && said && strstr(said, NOT_UNIQUE)) {
        code = DIRECTORY_ERROR_EXISTS;
        name = "account.ACCOUNT_EXISTS";
    }
    directory_fail(error, code, name, "cannot %s%s%s at %s: %s%s%s%s", what, dn && *dn ? " " : "", dn ? dn : "", d->url,
                   ldap_err2string(rc), said && *said ? " (" : "", said ? said : "", said && *said ? ")" : "");
    ldap_memfree(said);
    return false;
}
