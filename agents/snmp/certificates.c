/* The certificates of this host and of its authority. */
#include "agents/snmp/facts.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include "lib/tls/tls.h"

enum { DAY_S = 86400, EXPIRING_DAYS = 30 };

static char *subject_of(const char *pem)
{
    g_autofree char *text = NULL;
    BIO *in = BIO_new_mem_buf(pem, -1), *out = BIO_new(BIO_s_mem());
    X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    char *bytes;
    if (cert && out && X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long n = BIO_get_mem_data(out, &bytes);
        text = g_strndup(bytes, (gsize) n);
    }
    X509_free(cert);
    BIO_free(in);
    BIO_free(out);
    return text ? g_utf8_make_valid(text, -1) : NULL;
}

static void add_certificate(facts *f, gint64 index, const char *file)
{
    g_autofree char *pem = NULL, *subject = NULL;
    gint64 end, now = g_get_real_time() / G_USEC_PER_SEC;
    if (!g_file_get_contents(file, &pem, NULL, NULL) || !tls_expiry(pem, &end, NULL))
        return;                 /* zmalertd says that it cannot be checked */
    gint64 left = end - now, days = left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S);
    record *r = record_new();
    subject = subject_of(pem);
    record_set_number(r, "INDEX", index);
    record_set(r, "FILE", file);
    record_set(r, "SUBJECT", subject);
    record_set_number(r, "NOT_AFTER", end);
    record_set_number(r, "DAYS_LEFT", days);
    record_set_number(r, "STATE", left <= 0 ? 3 : left <= (gint64) EXPIRING_DAYS * DAY_S ? 2 : 1);
    facts_add(f, GROUP_CERT, r);
}

void certificates_collect(facts *f)
{
    static const char *const files[] = { TLS_SERVER_CERT, TLS_CA_CERT };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        add_certificate(f, (gint64) i + 1, files[i]);
}
