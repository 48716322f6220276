/* Connection and searches of the watch. */
#include "configd/watch-connect.h"

#include <string.h>
#include <sys/time.h>

#include "configd/sync.h"
#include "lib/directory/directory.h"
#include "lib/localconfig/localconfig.h"

/* The suffix of the main database is the empty name; its contextCSN is read
 * from there (facts: ldap-dit). */
#define SUFFIX ""
#define ANSWER_SECONDS 10

static bool fail(GError **error, int rc, const char *what)
{
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_UNAVAILABLE, "%s: %s", what, ldap_err2string(rc));
    return false;
}

static void set_options(LDAP *ld)
{
    int version = LDAP_VERSION3, idle = 30, probes = 3, interval = 10;
    struct timeval limit = { .tv_sec = ANSWER_SECONDS };
    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit);
    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit);
    ldap_set_option(ld, LDAP_OPT_X_KEEPALIVE_IDLE, &idle);
    ldap_set_option(ld, LDAP_OPT_X_KEEPALIVE_PROBES, &probes);
    ldap_set_option(ld, LDAP_OPT_X_KEEPALIVE_INTERVAL, &interval);
}

static void set_tls(LDAP *ld, localconfig *lc)
{
    int require = localconfig_get_bool(lc, "ssl_allow_untrusted_certs", false) ? LDAP_OPT_X_TLS_ALLOW : LDAP_OPT_X_TLS_DEMAND;
    int client = 0;
    ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, localconfig_get_or(lc, "ssl_ca_certificate", ""));
    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &require);
    ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client);
}

static bool secure_and_bind(LDAP *ld, localconfig *lc, const char *url, GError **error)
{
    bool plain = g_str_has_prefix(url, "ldap:");
    if (!g_str_has_prefix(url, "ldapi:"))
        set_tls(ld, lc);
    int rc;
    if (plain && localconfig_get_bool(lc, "ldap_starttls_supported", false) && (rc = ldap_start_tls_s(ld, NULL, NULL)) != LDAP_SUCCESS)
        return fail(error, rc, "start TLS");
    const char *password = localconfig_get_or(lc, "zimbra_ldap_password", "");
    struct berval secret = { .bv_len = strlen(password), .bv_val = (char *) password };
    rc = ldap_sasl_bind_s(ld, localconfig_get(lc, "zimbra_ldap_userdn"), LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
    return rc == LDAP_SUCCESS || fail(error, rc, "bind");
}

LDAP *watch_connect(const char *localconfig_path, GError **error)
{
    g_autoptr(localconfig) lc = localconfig_load(localconfig_path, error);
    LDAP *ld = NULL;
    if (!lc)
        return NULL;
    const char *url = localconfig_get_or(lc, "ldap_url", "");
    if (!*url) {
        g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_UNAVAILABLE, "localconfig ldap_url is not set");
        return NULL;
    }
    int rc = ldap_initialize(&ld, url);
    if (rc != LDAP_SUCCESS) {
        fail(error, rc, url);
        return NULL;
    }
    set_options(ld);
    if (!secure_and_bind(ld, lc, url, error)) {
        g_prefix_error(error, "%s: ", url);
        ldap_unbind_ext(ld, NULL, NULL);
        return NULL;
    }
    return ld;
}

static char *const csn_only[] = { (char *) "contextCSN", NULL };

static char **context_csns(LDAP *ld, LDAPMessage *m)
{
    struct berval **values = ldap_get_values_len(ld, m, csn_only[0]);
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (int i = 0; values && values[i]; i++) {
        g_autofree char *csn = g_strndup(values[i]->bv_val, values[i]->bv_len);
        g_strv_builder_add(b, csn);
    }
    ldap_value_free_len(values);
    return g_strv_builder_end(b);
}

char *watch_cookie_of(LDAP *ld, LDAPMessage *m)
{
    g_auto(GStrv) csns = context_csns(ld, m);
    return *csns ? sync_cookie((const char *const *) csns) : NULL;
}

char *watch_start_cookie(LDAP *ld)
{
    struct timeval limit = { .tv_sec = ANSWER_SECONDS };
    LDAPMessage *m = NULL;
    char *cookie = NULL;
    int rc = ldap_search_ext_s(ld, SUFFIX, LDAP_SCOPE_BASE, NULL, (char **) csn_only, 0, NULL, NULL, &limit, 1, &m);
    LDAPMessage *e = rc == LDAP_SUCCESS ? ldap_first_entry(ld, m) : NULL;
    if (e)
        cookie = watch_cookie_of(ld, e);
    ldap_msgfree(m);
    return cookie;
}

int watch_start_sync(LDAP *ld, const char *cookie, GError **error)
{
    char *attrs[] = { (char *) LDAP_NO_ATTRS, NULL };
    LDAPControl control = { .ldctl_oid = (char *) SYNC_REQUEST_OID, .ldctl_iscritical = 1 };
    LDAPControl *controls[] = { &control, NULL };
    int id = 0, rc = LDAP_NO_MEMORY;

    if (sync_request_value(cookie, &control.ldctl_value)) {
        rc = ldap_search_ext(ld, SUFFIX, LDAP_SCOPE_SUBTREE, "(objectClass=*)", attrs, 0, controls, NULL, NULL, LDAP_NO_LIMIT, &id);
        ber_memfree(control.ldctl_value.bv_val);
    }
    if (rc == LDAP_SUCCESS)
        return id;
    fail(error, rc, "follow changes");
    return 0;
}

int watch_start_check(LDAP *ld)
{
    int id;
    int rc = ldap_search_ext(ld, SUFFIX, LDAP_SCOPE_BASE, NULL, (char **) csn_only, 0, NULL, NULL, NULL, 1, &id);
    return rc == LDAP_SUCCESS ? id : -1;
}
