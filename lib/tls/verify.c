/* Does a certificate hold for a host, under a CA, now? */
#include "lib/tls/private.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <time.h>

static bool set_host(X509_STORE_CTX *context, const char *host)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 || X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static bool verify_chain(X509_STORE *store, X509 *ca, X509 *cert, const char *host, GError **error)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool ready = context && X509_STORE_add_cert(store, ca) == 1 &&
                 X509_STORE_CTX_init(context, store, cert, NULL) == 1 && (!host || set_host(context, host));
    bool good = ready && X509_verify_cert(context) == 1;
    if (!ready)
        tls_set_error(error, TLS_ERROR_LIBRARY, "cannot verify");
    else if (!good)
        g_set_error(error, TLS_ERROR, TLS_ERROR_VERIFY, "the certificate does not hold: %s",
                    X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    X509_STORE_CTX_free(context);
    return good;
}

bool tls_verify(const char *cert_pem, const char *ca_pem, const char *host, GError **error)
{
    X509 *cert = tls_read_cert(cert_pem, error);
    X509 *ca = cert ? tls_read_cert(ca_pem, error) : NULL;
    X509_STORE *store = X509_STORE_new();
    bool good = ca && store && verify_chain(store, ca, cert, host, error);
    X509_STORE_free(store);
    X509_free(ca);
    X509_free(cert);
    ERR_clear_error();    /* a host name is tried as an address first */
    return good;
}

bool tls_expiry(const char *cert_pem, gint64 *ret_time, GError **error)
{
    X509 *cert = tls_read_cert(cert_pem, error);
    if (!cert)
        return false;
    struct tm tm;
    bool good = ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1;
    if (good)
        *ret_time = (gint64) timegm(&tm);
    else
        tls_set_error(error, TLS_ERROR_PEM, "the certificate has no valid end date");
    X509_free(cert);
    return good;
}
