/* Tickets: see ticket.h.
 *
 * Form: "zt1." and the unpadded base64url of
 *
 *     expires   8 bytes, big endian, Unix seconds
 *     nonce     16 bytes
 *     purpose   1 byte length, then so many bytes
 *     account   1 byte length, then so many bytes
 *     mac       32 bytes: HMAC-SHA256 of "zt1." and all bytes above
 *
 * There is exactly one text for each content: unused bits of the last character
 * must be zero. Remembering nonces is left to the one that redeems. */
#include "lib/ticket/ticket.h"

#include <errno.h>
#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#define MAC_LEN 32
#define HEAD_LEN (8 + TICKET_NONCE_LEN)
#define BYTES_MAX (HEAD_LEN + 1 + TICKET_PURPOSE_MAX + 1 + TICKET_ACCOUNT_MAX + MAC_LEN)
#define PREFIX_LEN (sizeof TICKET_PREFIX - 1)
G_STATIC_ASSERT(PREFIX_LEN + (BYTES_MAX * 4 + 2) / 3 <= TICKET_MAX);

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void base64url_append(GString *out, const uint8_t *p, size_t n)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= 6; have -= 6)
            g_string_append_c(out, alphabet[bits >> (have - 6) & 63]);
    }
    if (have > 0)
        g_string_append_c(out, alphabet[bits << (6 - have) & 63]);
}

/* Bytes written, or -EBADMSG. */
static ssize_t base64url_decode(const char *s, uint8_t *out, size_t max)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (; *s; s++) {
        const char *at = strchr(alphabet, *s);
        if (!at)
            return -EBADMSG;
        bits = bits << 6 | (uint32_t) (at - alphabet);
        have += 6;
        if (have >= 8) {
            if (n == max)
                return -EBADMSG;
            have -= 8;
            out[n++] = (uint8_t) (bits >> have);
        }
    }
    if (have == 6 || (bits & ((1u << have) - 1)) != 0)
        return -EBADMSG;
    return (ssize_t) n;
}

static void sign(const uint8_t *key, size_t key_len, const uint8_t *bytes, size_t n, uint8_t ret_mac[MAC_LEN])
{
    uint8_t text[PREFIX_LEN + BYTES_MAX];
    unsigned len = MAC_LEN;
    g_assert(n <= BYTES_MAX && key_len > 0 && key_len <= G_MAXINT);
    memcpy(text, TICKET_PREFIX, PREFIX_LEN);
    memcpy(text + PREFIX_LEN, bytes, n);
    const uint8_t *done = HMAC(EVP_sha256(), key, (int) key_len, text, PREFIX_LEN + n, ret_mac, &len);
    g_assert(done && len == MAC_LEN);
}

int ticket_derive_key(const char *secret, const char *host, uint8_t ret_key[TICKET_KEY_LEN])
{
    static char salt[] = "mailstead ticket 1";
    if (!secret || !*secret || !host || !*host)
        return -EINVAL;
    g_autofree char *info = g_ascii_strdown(host, -1);
    g_autofree char *ikm = g_strdup(secret);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm, strlen(ikm)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int done = ctx ? EVP_KDF_derive(ctx, ret_key, TICKET_KEY_LEN, params) : 0;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(ikm, strlen(ikm));
    g_assert(done == 1);
    return 0;
}

static size_t put_text(uint8_t *at, const char *s)
{
    size_t n = strlen(s);
    at[0] = (uint8_t) n;
    memcpy(at + 1, s, n);
    return 1 + n;
}

static bool fits(const char *s, size_t max)
{
    return s && *s && strnlen(s, max + 1) <= max;
}

char *ticket_issue(const uint8_t *key, size_t key_len, const char *account_id, const char *purpose, int64_t expires)
{
    if (!fits(account_id, TICKET_ACCOUNT_MAX) || !fits(purpose, TICKET_PURPOSE_MAX))
        return NULL;
    uint8_t bytes[BYTES_MAX];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t) ((uint64_t) expires >> (56 - 8 * i));
    int random = RAND_bytes(bytes + 8, TICKET_NONCE_LEN);
    g_assert(random == 1);
    size_t n = HEAD_LEN;
    n += put_text(bytes + n, purpose);
    n += put_text(bytes + n, account_id);
    sign(key, key_len, bytes, n, bytes + n);
    GString *out = g_string_new(TICKET_PREFIX);
    base64url_append(out, bytes, n + MAC_LEN);
    return g_string_free(out, FALSE);
}

bool ticket_is(const char *password)
{
    return strncmp(password, TICKET_PREFIX, PREFIX_LEN) == 0;
}

/* The length-prefixed text at *POS, which moves behind it; NULL when it does not
 * fit. Caller frees. */
static char *take_text(const uint8_t *bytes, size_t n, size_t *pos, size_t max)
{
    if (*pos >= n)
        return NULL;
    size_t len = bytes[*pos];
    if (len == 0 || len > max || n - *pos - 1 < len || memchr(bytes + *pos + 1, 0, len))
        return NULL;
    char *s = g_strndup((const char *) bytes + *pos + 1, len);
    *pos += 1 + len;
    return s;
}

int ticket_verify(const uint8_t *key, size_t key_len, const char *ticket, const char *purpose,
                  int64_t now, char **ret_account_id, uint8_t ret_nonce[TICKET_NONCE_LEN],
                  int64_t *ret_expires)
{
    uint8_t bytes[BYTES_MAX], mac[MAC_LEN];
    if (!ticket_is(ticket) || strnlen(ticket, TICKET_MAX + 1) > TICKET_MAX)
        return -EBADMSG;
    ssize_t got = base64url_decode(ticket + PREFIX_LEN, bytes, sizeof bytes);
    if (got < HEAD_LEN + 2 + MAC_LEN)
        return -EBADMSG;
    size_t n = (size_t) got - MAC_LEN, pos = HEAD_LEN;
    sign(key, key_len, bytes, n, mac);
    if (CRYPTO_memcmp(mac, bytes + n, MAC_LEN) != 0)
        return -EBADMSG;

    g_autofree char *for_purpose = take_text(bytes, n, &pos, TICKET_PURPOSE_MAX);
    g_autofree char *account = for_purpose ? take_text(bytes, n, &pos, TICKET_ACCOUNT_MAX) : NULL;
    if (!account || pos != n)
        return -EBADMSG;
    uint64_t expires = 0;
    for (int i = 0; i < 8; i++)
        expires = expires << 8 | bytes[i];
    if ((int64_t) expires < now)
        return -ETIME;
    if (strcmp(for_purpose, purpose) != 0)
        return -EPERM;
    memcpy(ret_nonce, bytes + 8, TICKET_NONCE_LEN);
    if (ret_expires)
        *ret_expires = (int64_t) expires;
    *ret_account_id = g_steal_pointer(&account);
    return 0;
}
