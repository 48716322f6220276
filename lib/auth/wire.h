/* Messages between lib/auth and zmauthd: one datagram of a SOCK_SEQPACKET
 * connection each, at most AUTH_WIRE_MAX bytes.
 *
 *     magic     2 bytes "ZA"
 *     version   1 byte: 1
 *     op        1 byte: auth_op; a reply carries the op of its request
 *     id        8 bytes, big endian: chosen by the client, repeated in the reply
 *     status    1 byte: auth_status in a reply, AUTH_WIRE_REQUEST in a request
 *     fields    any number: tag (1 byte, auth_field), length (2 bytes, big
 *               endian, without the NUL), so many bytes, NUL
 *
 * Values are text without NUL, each within its field's own limit. A field stands
 * at most once; unknown tags are skipped. Replies come in any order. The server
 * closes a connection that breaks these rules or asks for what its user may not. */
#ifndef MAILSTEAD_AUTH_WIRE_H
#define MAILSTEAD_AUTH_WIRE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define AUTH_WIRE_MAX 8192
#define AUTH_WIRE_REQUEST 0xff

typedef enum {
    AUTH_OP_LOGIN = 1,      /* protocol, user, password, client_ip */
    AUTH_OP_TICKET,         /* same; the reply has ticket, ports, route_key */
    AUTH_OP_RESOLVE,        /* address */
    AUTH_OP_MAY_SEND,       /* address, sender, logged_in ("1" or absent) */
    AUTH_OP_MAX,
} auth_op;

typedef enum {
    AUTH_F_PROTOCOL, AUTH_F_USER, AUTH_F_PASSWORD, AUTH_F_CLIENT_IP, AUTH_F_ADDRESS, AUTH_F_SENDER,
    AUTH_F_LOGGED_IN,
    AUTH_F_ACCOUNT_ID, AUTH_F_NAME, AUTH_F_ACCOUNT_STATUS, AUTH_F_MAIL_HOST, AUTH_F_MAIL_TRANSPORT,
    AUTH_F_QUOTA, AUTH_F_REASON, AUTH_F_TICKET, AUTH_F_IMAP_PORT, AUTH_F_POP3_PORT, AUTH_F_LIST,
    AUTH_F_ROUTE_KEY,
    AUTH_F_MAX,
} auth_field;

/* Longest value of a field in bytes. */
size_t auth_wire_limit(auth_field field);

typedef struct {
    auth_op op;
    uint64_t id;
    uint8_t status;
    const char *field[AUTH_F_MAX];   /* NULL: absent */
} auth_message;

/* The datagram of M, or NULL when a value exceeds its limit. Caller frees with
 * auth_wire_free(), which wipes it (passwords). */
GByteArray *auth_wire_encode(const auth_message *m);
void auth_wire_free(GByteArray *bytes);

/* 0, or -EBADMSG. The fields point into BYTES, which must stay. */
int auth_wire_decode(const void *bytes, size_t len, auth_message *ret);

#endif
