/* Encoding and decoding of the messages that wire.h describes. Bytes in, struct
 * out; no sockets, no logs. */
#include "lib/auth/wire.h"

#include <errno.h>
#include <string.h>

#define HEAD_LEN 13
#define VERSION 1

static const uint16_t limits[AUTH_F_MAX] = {
    [AUTH_F_PROTOCOL] = 16,
    [AUTH_F_USER] = 512,
    [AUTH_F_PASSWORD] = 1024,
    [AUTH_F_CLIENT_IP] = 64,
    [AUTH_F_ADDRESS] = 512,
    [AUTH_F_SENDER] = 512,
    [AUTH_F_LOGGED_IN] = 1,
    [AUTH_F_ACCOUNT_ID] = 128,
    [AUTH_F_NAME] = 512,
    [AUTH_F_ACCOUNT_STATUS] = 32,
    [AUTH_F_MAIL_HOST] = 256,
    [AUTH_F_MAIL_TRANSPORT] = 512,
    [AUTH_F_QUOTA] = 20,
    [AUTH_F_REASON] = 512,
    [AUTH_F_TICKET] = 256,
    [AUTH_F_IMAP_PORT] = 5,
    [AUTH_F_POP3_PORT] = 5,
    [AUTH_F_LIST] = 512,
    [AUTH_F_ROUTE_KEY] = 64,
};

size_t auth_wire_limit(auth_field field)
{
    return limits[field];
}

static void append_field(GByteArray *out, auth_field tag, const char *value, size_t len)
{
    uint8_t head[3] = { (uint8_t) tag, (uint8_t) (len >> 8), (uint8_t) len };
    g_byte_array_append(out, head, sizeof head);
    g_byte_array_append(out, (const uint8_t *) value, (guint) len + 1);
}

GByteArray *auth_wire_encode(const auth_message *m)
{
    /* Room for the largest message: growing would leave copies of passwords. */
    GByteArray *out = g_byte_array_sized_new(AUTH_WIRE_MAX);
    uint8_t head[HEAD_LEN] = { 'Z', 'A', VERSION, (uint8_t) m->op };
    for (int i = 0; i < 8; i++)
        head[4 + i] = (uint8_t) (m->id >> (56 - 8 * i));
    head[12] = m->status;
    g_byte_array_append(out, head, sizeof head);
    for (auth_field f = 0; f < AUTH_F_MAX; f++) {
        if (!m->field[f])
            continue;
        size_t len = strnlen(m->field[f], (size_t) limits[f] + 1);
        if (len > limits[f]) {
            auth_wire_free(out);
            return NULL;
        }
        append_field(out, f, m->field[f], len);
    }
    g_assert(out->len <= AUTH_WIRE_MAX);
    return out;
}

void auth_wire_free(GByteArray *bytes)
{
    if (!bytes)
        return;
    explicit_bzero(bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

/* Takes the field at P into M; its length on the wire, or -EBADMSG. */
static ssize_t take_field(const uint8_t *p, size_t left, auth_message *m)
{
    if (left < 4)
        return -EBADMSG;
    unsigned tag = p[0];
    size_t len = (size_t) p[1] << 8 | p[2];
    if (left < 4 + len || p[3 + len] != 0 || memchr(p + 3, 0, len))
        return -EBADMSG;
    if (tag < AUTH_F_MAX) {
        if (m->field[tag] || len > limits[tag])
            return -EBADMSG;
        m->field[tag] = (const char *) p + 3;
    }
    return (ssize_t) (4 + len);
}

int auth_wire_decode(const void *bytes, size_t len, auth_message *ret)
{
    const uint8_t *p = bytes;
    if (len < HEAD_LEN || len > AUTH_WIRE_MAX || p[0] != 'Z' || p[1] != 'A' || p[2] != VERSION)
        return -EBADMSG;
    if (p[3] == 0 || p[3] >= AUTH_OP_MAX)
        return -EBADMSG;
    auth_message m = { .op = (auth_op) p[3], .status = p[12] };
    for (int i = 0; i < 8; i++)
        m.id = m.id << 8 | p[4 + i];
    for (size_t pos = HEAD_LEN; pos < len; ) {
        ssize_t took = take_field(p + pos, len - pos, &m);
        if (took < 0)
            return -EBADMSG;
        pos += (size_t) took;
    }
    *ret = m;
    return 0;
}
