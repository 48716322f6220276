/* The bind connection: see bind.h. */
#include "agents/auth/bind.h"

#include <ldap.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

struct binder {
    char *url, *ca_file;
    bool starttls, verify;
    LDAP *ld;
};

binder *binder_new(localconfig *lc)
{
    binder *b = g_new0(binder, 1);
    b->url = g_strdup(localconfig_get_or(lc, "ldap_url", "ldapi:///"));
    b->ca_file = g_strdup(localconfig_get_or(lc, "ssl_ca_certificate", PREFIX "/ssl/zimbra/ca/ca.pem"));
    b->verify = !localconfig_get_bool(lc, "ssl_allow_untrusted_certs", false);
    b->starttls = localconfig_get_bool(lc, "ldap_starttls_supported", false) && g_str_has_prefix(b->url, "ldap:");
    return b;
}

static void disconnect(binder *b)
{
    if (b->ld)
        (void) ldap_unbind_ext_s(b->ld, NULL, NULL);   /* gone either way */
    b->ld = NULL;
}

void binder_free(binder *b)
{
    if (!b)
        return;
    disconnect(b);
    g_free(b->url);
    g_free(b->ca_file);
    g_free(b);
}

static int set_tls(binder *b)
{
    int require = b->verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_ALLOW, client = 0;
    bool done = ldap_set_option(b->ld, LDAP_OPT_X_TLS_CACERTFILE, b->ca_file) == LDAP_OPT_SUCCESS
             && ldap_set_option(b->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &require) == LDAP_OPT_SUCCESS
             && ldap_set_option(b->ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
    return done ? LDAP_SUCCESS : LDAP_LOCAL_ERROR;
}

static int connect_directory(binder *b)
{
    struct timeval connect_limit = { 5, 0 }, limit = { 8, 0 };
    int version = LDAP_VERSION3;
    int r = ldap_initialize(&b->ld, b->url);
    if (r != LDAP_SUCCESS)
        return r;
    (void) ldap_set_option(b->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    (void) ldap_set_option(b->ld, LDAP_OPT_NETWORK_TIMEOUT, &connect_limit);
    (void) ldap_set_option(b->ld, LDAP_OPT_TIMEOUT, &limit);
    (void) ldap_set_option(b->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    if (b->starttls || g_str_has_prefix(b->url, "ldaps:"))
        r = set_tls(b);
    if (r == LDAP_SUCCESS && b->starttls)
        r = ldap_start_tls_s(b->ld, NULL, NULL);
    if (r != LDAP_SUCCESS)
        disconnect(b);
    return r;
}

static int bind_once(binder *b, const char *dn, const char *password)
{
    int r = b->ld ? LDAP_SUCCESS : connect_directory(b);
    if (r != LDAP_SUCCESS)
        return r;
    struct berval secret = { .bv_len = strlen(password), .bv_val = (char *) (uintptr_t) password };
    return ldap_sasl_bind_s(b->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

/* What slapd says of the account's credentials rather than of itself. */
static bool is_refusal(int r)
{
    return r == LDAP_INVALID_CREDENTIALS || r == LDAP_INAPPROPRIATE_AUTH || r == LDAP_NO_SUCH_OBJECT
        || r == LDAP_UNWILLING_TO_PERFORM || r == LDAP_CONSTRAINT_VIOLATION || r == LDAP_INSUFFICIENT_ACCESS;
}

bind_result binder_check(binder *b, const char *dn, const char *password, char **ret_reason)
{
    g_assert(*password);
    bool fresh = b->ld == NULL;
    int r = bind_once(b, dn, password);
    if (r != LDAP_SUCCESS && !is_refusal(r)) {
        disconnect(b);
        if (!fresh)
            r = bind_once(b, dn, password);
    }
    if (r == LDAP_SUCCESS)
        return BIND_RIGHT;
    if (is_refusal(r))
        return BIND_WRONG;
    disconnect(b);
    if (ret_reason)
        *ret_reason = g_strdup_printf("bind at %s: %s", b->url, ldap_err2string(r));
    return BIND_UNAVAILABLE;
}
