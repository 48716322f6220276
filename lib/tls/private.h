/* Between the files of lib/tls. */
#ifndef MAILSTEAD_TLS_PRIVATE_H
#define MAILSTEAD_TLS_PRIVATE_H

#include "lib/tls/tls.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct tls_identity {
    EVP_PKEY *key;
    X509 *cert;
};

/* Sets ERROR to WHAT and OpenSSL's first reason, and empties its queue. */
void tls_set_error(GError **error, int code, const char *what);
/* First certificate of PEM. */
X509 *tls_read_cert(const char *pem, GError **error);

#endif
