/* The appliance's own certificate authority and the certificates of its hosts.
 *
 * Keys are EC P-256. A CA lasts ten years, a host's certificate five and never
 * longer than its CA's. Everything here is in memory but tls_write_file(); PEM
 * text goes to files, to the directory or back. */
#ifndef MAILSTEAD_TLS_H
#define MAILSTEAD_TLS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define TLS_CA_DIR      PREFIX "/ssl/zimbra/ca"
#define TLS_CA_CERT     TLS_CA_DIR "/ca.pem"
#define TLS_CA_KEY      TLS_CA_DIR "/ca.key"
#define TLS_SERVER_DIR  PREFIX "/ssl/zimbra/server"
#define TLS_SERVER_CERT TLS_SERVER_DIR "/server.crt"   /* with chain */
#define TLS_SERVER_KEY  TLS_SERVER_DIR "/server.key"

/* A private key with its certificate. */
typedef struct tls_identity tls_identity;

/* A self-signed CA; NAME is its common name (at most 64 bytes). */
tls_identity *tls_make_ca(const char *name, GError **error);
/* A certificate signed by CA for servers and clients. NAMES: host names or
 * addresses, NULL-terminated, the first is the common name. */
tls_identity *tls_make_host(const tls_identity *ca, const char *const *names, GError **error);
/* Reads both; an error when they do not belong together. */
tls_identity *tls_from_pem(const char *cert_pem, const char *key_pem, GError **error);
void tls_identity_free(tls_identity *id);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tls_identity, tls_identity_free)

char *tls_cert_pem(const tls_identity *id);      /* caller frees */
char *tls_key_pem(const tls_identity *id);       /* PKCS #8; caller frees */

/* True when the first certificate of CERT_PEM is signed by CA_PEM, in force, and
 * (HOST not NULL) for that host name or address. */
bool tls_verify(const char *cert_pem, const char *ca_pem, const char *host, GError **error);
/* End of validity of the first certificate, seconds since the epoch. */
bool tls_expiry(const char *cert_pem, gint64 *ret_time, GError **error);

/* Replaces PATH by TEXT durably (write, fsync, rename, fsync of the folder);
 * a GID of -1 leaves the group. Never readable with more than MODE. */
bool tls_write_file(const char *path, const char *text, mode_t mode, gid_t gid, GError **error);

#define TLS_ERROR (tls_error_quark())
GQuark tls_error_quark(void);
enum { TLS_ERROR_LIBRARY, TLS_ERROR_PEM, TLS_ERROR_VERIFY, TLS_ERROR_WRITE };

#endif
