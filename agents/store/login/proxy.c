/* Reads a PROXY header: version 1 is a line, version 2 binary. Whether the sender
 * may be believed is the caller's question. */
#include "agents/store/login/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdint.h>

static const char signature_v2[12] = "\r\n\r\n\0\r\nQUIT\n";
enum { V1_MAX = 107, V2_FIXED = 16 };

static int header_v1(const char *bytes, size_t len, char *address, size_t *ret_used)
{
    const char *lf = memchr(bytes, '\n', MIN(len, (size_t) V1_MAX));
    if (!lf)
        return len >= V1_MAX ? -EBADMSG : 0;
    if (lf[-1] != '\r' || memchr(bytes, 0, (size_t) (lf - bytes)))
        return -EBADMSG;
    g_autofree char *line = g_strndup(bytes, (gsize) (lf - bytes) - 1);
    g_auto(GStrv) word = g_strsplit(line, " ", 0);
    guint n = g_strv_length(word);
    if (n >= 2 && g_str_equal(word[1], "UNKNOWN")) {
        *address = 0;
    } else {
        int family = n == 6 && g_str_equal(word[1], "TCP4") ? AF_INET : n == 6 && g_str_equal(word[1], "TCP6") ? AF_INET6 : -1;
        uint8_t from[16], to[16];
        if (family < 0 || inet_pton(family, word[2], from) != 1 || inet_pton(family, word[3], to) != 1)
            return -EBADMSG;
        (void) inet_ntop(family, from, address, PROXY_ADDRESS_MAX);
    }
    *ret_used = (size_t) (lf - bytes) + 1;
    return 1;
}

static int header_v2(const uint8_t *bytes, size_t len, char *address, size_t *ret_used)
{
    if (len < V2_FIXED)
        return 0;
    size_t rest = (size_t) bytes[14] << 8 | bytes[15];
    if (bytes[12] >> 4 != 2 || (bytes[12] & 15) > 1 || V2_FIXED + rest > PROXY_HEADER_MAX)
        return -EBADMSG;
    if (len < V2_FIXED + rest)
        return 0;
    int family = bytes[13] == 0x11 ? AF_INET : bytes[13] == 0x21 ? AF_INET6 : -1;
    if ((bytes[12] & 15) == 0 || family < 0)
        *address = 0;
    else if (rest < (family == AF_INET ? 12U : 36U))
        return -EBADMSG;
    else
        (void) inet_ntop(family, bytes + V2_FIXED, address, PROXY_ADDRESS_MAX);
    *ret_used = V2_FIXED + rest;
    return 1;
}

int proxy_header(const void *bytes, size_t len, char address[PROXY_ADDRESS_MAX], size_t *ret_used)
{
    if (memcmp(bytes, "PROXY ", MIN(len, 6)) == 0)
        return len < 6 ? 0 : header_v1(bytes, len, address, ret_used);
    if (memcmp(bytes, signature_v2, MIN(len, sizeof signature_v2)) == 0)
        return len < sizeof signature_v2 ? 0 : header_v2(bytes, len, address, ret_used);
    return -ENOMSG;
}
