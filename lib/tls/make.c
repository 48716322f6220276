/* Makes keys and certificates (RFC 5280 profile).
 *
 * A CA signs hosts only (path length 0). Serial numbers are 128 random bits, so
 * that two hosts of one CA that sign at the same time do not collide. Validity
 * starts a day back: a joining host's clock may be behind. */
#include "lib/tls/private.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { CA_DAYS = 3653, HOST_DAYS = 1826, SERIAL_BYTES = 16, COMMON_NAME_MAX = 64 };
static const long day_s = 24 * 3600;

static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;    /* positive and of full length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return good;
}

static bool set_validity(X509 *cert, const X509 *ca, int days)
{
    if (!X509_gmtime_adj(X509_getm_notBefore(cert), -day_s) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL))
        return false;
    const ASN1_TIME *end = X509_get0_notAfter(ca);
    if (ca != cert && ASN1_TIME_compare(X509_get0_notAfter(cert), end) > 0)
        return X509_set1_notAfter(cert, end) == 1;
    return true;
}

static bool set_subject(X509 *cert, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    if (X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *) "Mailstead", -1, -1, 0) != 1)
        return false;
    /* A name too long for a common name stands among the alternative names only. */
    return strlen(name) > COMMON_NAME_MAX ||
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *) name, -1, -1, 0) == 1;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

typedef struct { int nid; const char *value; } extension_row;

static bool add_extensions(X509 *cert, X509 *issuer, const extension_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!add_extension(cert, issuer, rows[i].nid, rows[i].value))
            return false;
    return true;
}

/* A key and a certificate that lacks extensions and signature. */
static tls_identity *new_identity(const char *name, const X509 *ca, int days)
{
    tls_identity *id = g_new0(tls_identity, 1);
    id->key = EVP_EC_gen("P-256");
    id->cert = X509_new();
    if (!id->key || !id->cert || X509_set_version(id->cert, X509_VERSION_3) != 1 || !set_serial(id->cert) ||
        !set_validity(id->cert, ca ? ca : id->cert, days) || !set_subject(id->cert, name) ||
        X509_set_pubkey(id->cert, id->key) != 1)
        g_clear_pointer(&id, tls_identity_free);
    return id;
}

tls_identity *tls_make_ca(const char *name, GError **error)
{
    static const extension_row rows[] = {
        { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
        { NID_key_usage, "critical,keyCertSign,cRLSign" },
        { NID_subject_key_identifier, "hash" },
        { NID_authority_key_identifier, "keyid" },
    };
    g_autoptr(tls_identity) ca = new_identity(name, NULL, CA_DAYS);
    if (!ca || X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) != 1 ||
        !add_extensions(ca->cert, ca->cert, rows, G_N_ELEMENTS(rows)) ||
        X509_sign(ca->cert, ca->key, EVP_sha256()) == 0) {
        tls_set_error(error, TLS_ERROR_LIBRARY, "cannot make the certificate authority");
        return NULL;
    }
    return g_steal_pointer(&ca);
}

static bool is_address(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* OpenSSL's configuration syntax gives commas and the like a meaning. */
static bool is_plain_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*:") == strlen(name) &&
           (!strchr(name, ':') || is_address(name));
}

static char *alternative_names(const char *const *names, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; names[i]; i++) {
        if (!is_plain_name(names[i])) {
            g_set_error(error, TLS_ERROR, TLS_ERROR_LIBRARY, "\"%s\" is neither a host name nor an address", names[i]);
            return NULL;
        }
        g_string_append_printf(text, "%s%s:%s", i ? "," : "", is_address(names[i]) ? "IP" : "DNS", names[i]);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

tls_identity *tls_make_host(const tls_identity *ca, const char *const *names, GError **error)
{
    g_autofree char *san = alternative_names(names, error);
    if (!san)
        return NULL;
    const extension_row rows[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature" },
        { NID_ext_key_usage, "serverAuth,clientAuth" },
        { NID_subject_key_identifier, "hash" },
        { NID_authority_key_identifier, "keyid" },
        { NID_subject_alt_name, san },
    };
    g_autoptr(tls_identity) id = new_identity(names[0], ca->cert, HOST_DAYS);
    if (!id || X509_set_issuer_name(id->cert, X509_get_subject_name(ca->cert)) != 1 ||
        !add_extensions(id->cert, ca->cert, rows, G_N_ELEMENTS(rows)) ||
        X509_sign(id->cert, ca->key, EVP_sha256()) == 0) {
        tls_set_error(error, TLS_ERROR_LIBRARY, "cannot make the host's certificate");
        return NULL;
    }
    return g_steal_pointer(&id);
}

void tls_identity_free(tls_identity *id)
{
    if (!id)
        return;
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    g_free(id);
}
