/* PEM text in and out, and the file that holds it. */
#include "lib/tls/private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(mailstead-tls-error, tls_error)

void tls_set_error(GError **error, int code, const char *what)
{
    unsigned long first = ERR_get_error();
    g_set_error(error, TLS_ERROR, code, "%s: %s", what, first ? ERR_reason_error_string(first) : "no reason given");
    ERR_clear_error();
}

static BIO *text_bio(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    g_assert(bio);
    return bio;
}

X509 *tls_read_cert(const char *pem, GError **error)
{
    BIO *bio = text_bio(pem);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!cert)
        tls_set_error(error, TLS_ERROR_PEM, "not a certificate in PEM form");
    return cert;
}

static EVP_PKEY *read_key(const char *pem, GError **error)
{
    BIO *bio = text_bio(pem);
    /* The empty password keeps OpenSSL from asking at the terminal. */
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *) "");
    BIO_free(bio);
    if (!key)
        tls_set_error(error, TLS_ERROR_PEM, "not an unencrypted private key in PEM form");
    return key;
}

tls_identity *tls_from_pem(const char *cert_pem, const char *key_pem, GError **error)
{
    g_autoptr(tls_identity) id = g_new0(tls_identity, 1);
    id->cert = tls_read_cert(cert_pem, error);
    if (!id->cert)
        return NULL;
    id->key = read_key(key_pem, error);
    if (!id->key)
        return NULL;
    if (X509_check_private_key(id->cert, id->key) != 1) {
        tls_set_error(error, TLS_ERROR_PEM, "the private key does not belong to the certificate");
        return NULL;
    }
    return g_steal_pointer(&id);
}

static char *take_text(BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = g_strndup(bytes, (gsize) len);
    BIO_free(bio);
    return text;
}

char *tls_cert_pem(const tls_identity *id)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = PEM_write_bio_X509(bio, id->cert);
    g_assert(written == 1);    /* fails for want of memory only */
    return take_text(bio);
}

char *tls_key_pem(const tls_identity *id)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    int written = PEM_write_bio_PKCS8PrivateKey(bio, id->key, NULL, NULL, 0, NULL, NULL);
    g_assert(written == 1);
    return take_text(bio);
}

static bool write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0; ) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            left -= (size_t) n;
        }
    }
    return true;
}

static bool sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void) close(fd);    /* nothing was written through it */
    return good;
}

bool tls_write_file(const char *path, const char *text, mode_t mode, gid_t gid, GError **error)
{
    g_autofree char *next = g_strconcat(path, ".new", NULL);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, text) && (gid == (gid_t) -1 || fchown(fd, (uid_t) -1, gid) == 0) &&
                fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (good && (rename(next, path) != 0 || !sync_folder(path))) {
        good = false;
        reason = errno;
    }
    if (!good)
        g_set_error(error, TLS_ERROR, TLS_ERROR_WRITE, "%s: cannot write: %s", path, g_strerror(reason));
    return good;
}
