/* Bytes to and from a client, plain or under TLS (OpenSSL on the non-blocking
 * socket). TLS 1.2 and up, no renegotiation; buffers are released while idle. */
#include "agents/store/login/login.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_tls_error(GError **error, const char *what, const char *path)
{
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s %s: %s", what, path, reason);
}

SSL_CTX *transport_context(const char *certificate, const char *key, GError **error)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    g_assert(ctx);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);   /* tickets resume without memory here */
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        set_tls_error(error, "cannot use the certificate", certificate);
    else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        set_tls_error(error, "cannot use the private key", key);
    else if (SSL_CTX_check_private_key(ctx) != 1)
        set_tls_error(error, "certificate does not fit the private key", key);
    else
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

int transport_start_tls(client *c)
{
    c->ssl = SSL_new(c->login->tls);
    if (!c->ssl)
        return -ENOMEM;
    SSL_set_accept_state(c->ssl);
    return SSL_set_fd(c->ssl, c->fd) == 1 ? 0 : -ENOMEM;
}

/* What OpenSSL wants next, as errno; remembers the crossed wants. */
static int tls_result(client *c, int r, bool *crossed, int crossed_want)
{
    int want = SSL_get_error(c->ssl, r);
    if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) {
        *crossed = want == crossed_want;
        return -EAGAIN;
    }
    return want == SSL_ERROR_ZERO_RETURN ? 0 : -ECONNRESET;
}

int transport_handshake(client *c)
{
    ERR_clear_error();
    int r = SSL_do_handshake(c->ssl);
    if (r == 1) {
        c->read_wants_write = false;
        return 1;
    }
    r = tls_result(c, r, &c->read_wants_write, SSL_ERROR_WANT_WRITE);
    return r == 0 ? -ECONNRESET : r;
}

ssize_t transport_read(client *c, void *to, size_t n)
{
    if (!c->ssl) {
        ssize_t r = read(c->fd, to, n);
        return r < 0 ? -errno : r;
    }
    ERR_clear_error();
    c->read_wants_write = false;
    int r = SSL_read(c->ssl, to, (int) MIN(n, (size_t) INT_MAX));
    return r > 0 ? r : tls_result(c, r, &c->read_wants_write, SSL_ERROR_WANT_WRITE);
}

ssize_t transport_write(client *c, const void *from, size_t n)
{
    if (!c->ssl) {
        ssize_t r = send(c->fd, from, n, MSG_NOSIGNAL);
        return r < 0 ? -errno : r;
    }
    ERR_clear_error();
    c->write_wants_read = false;
    int r = SSL_write(c->ssl, from, (int) MIN(n, (size_t) INT_MAX));
    if (r > 0)
        return r;
    r = tls_result(c, r, &c->write_wants_read, SSL_ERROR_WANT_READ);
    return r == 0 ? -ECONNRESET : r;
}

uint32_t transport_events(const client *c, bool want_read, bool want_write)
{
    bool in = (want_read && !c->read_wants_write) || (want_write && c->write_wants_read);
    bool out = (want_write && !c->write_wants_read) || (want_read && c->read_wants_write);
    return (in ? (uint32_t) EPOLLIN : 0) | (out ? (uint32_t) EPOLLOUT : 0);
}
