/* Messages between the processes of the store (design §6): SOCK_SEQPACKET
 * datagrams with descriptors (SCM_RIGHTS). login hands sessions to shards and
 * LMTP connections to intake; intake checks recipients with and delivers to
 * shards; a shard has messages parsed by intake.
 *
 * Encoding and decoding are pure (codec.c); a connection lives in the caller's
 * sd-event loop and never blocks (conn.c). Peers are other programs of ours under
 * other users: what they send is checked like network input. */
#ifndef MAILSTEAD_STORE_WIRE_H
#define MAILSTEAD_STORE_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define WIRE_VERSION       1
#define WIRE_DATAGRAM_MAX  (64 * 1024)     /* larger payloads travel in a memfd, unseen by callers */
#define WIRE_PAYLOAD_MAX   (512 * 1024)
#define WIRE_MAX_FDS       2
#define WIRE_LIST_MAX      1000            /* recipients of one DELIVER */
#define WIRE_QUEUE_MAX     1024            /* unsent messages of one connection */
#define WIRE_STORE_DIR     "/run/zimbra/store"   /* shard-N, intake */

typedef enum {
    WIRE_HANDOFF = 1,    /* login -> shard: a session after its login; no answer */
    WIRE_LMTP,           /* login -> intake: an LMTP connection; no answer */
    WIRE_RCPT_CHECK,     /* intake -> shard */
    WIRE_RCPT_VERDICT,   /* its answer */
    WIRE_DELIVER,        /* intake -> shard */
    WIRE_DELIVERED,      /* its answer, after commit */
    WIRE_PARSE,          /* shard -> intake: fds[0] holds a message (CRLF text) */
    WIRE_PARSED,         /* its answer */
} wire_type;

/* Strings are UTF-8 or ASCII, never NULL once decoded (absent: ""). */
typedef struct { const void *data; size_t len; } wire_bytes;

typedef enum { WIRE_IMAP = 1, WIRE_POP3 } wire_protocol;

typedef struct {                 /* fds[0]: the client's socket, or the relay's end under TLS */
    uint32_t protocol;           /* wire_protocol */
    uint32_t tls;                /* 1: the client's side is encrypted */
    int64_t quota_bytes;         /* 0: none */
    const char *account_id, *name;
    const char *client;          /* client's address, for the log */
    const char *tag;             /* IMAP: of the login command; the shard sends its OK */
    wire_bytes unread;           /* what the client sent after the login command */
} wire_handoff;

typedef struct {                 /* fds[0]: the connection, nothing read or written yet */
    const char *client;          /* peer address */
} wire_lmtp;

typedef struct {
    const char *account_id, *name;
    int64_t quota_bytes;
    uint64_t size;               /* MAIL's SIZE=, 0 unknown */
    uint32_t want_spool;         /* 1: answer with an O_TMPFILE of the shard's volume in fds[0] */
} wire_rcpt_check;

typedef enum { WIRE_OK, WIRE_TEMPFAIL, WIRE_OVER_QUOTA, WIRE_NO_SUCH, WIRE_REFUSED } wire_status;

typedef struct {
    uint32_t status;             /* wire_status */
    const char *text;            /* reason, for the log and the reply */
} wire_rcpt_verdict;

typedef enum { WIRE_INBOX, WIRE_JUNK } wire_folder;

typedef struct {
    const char *account_id, *name;
    int64_t quota_bytes;
    uint32_t folder;             /* wire_folder: a hint */
} wire_recipient;

typedef struct {                 /* body inline, or in fds[0] (complete, CRLF text) */
    const char *sender;          /* envelope sender, "" for <> */
    const char *client;          /* peer, for the log */
    const char *message_id;      /* for the log */
    const char *incoming;        /* path below incoming/ when another shard linked it, or "" */
    int64_t date;                /* INTERNALDATE */
    uint64_t size;
    wire_bytes body;             /* at most 32 KiB */
    wire_bytes summary;          /* mime_summary_encode() */
    const wire_recipient *recipients; size_t n_recipients;
} wire_deliver;

typedef struct { uint32_t status; uint32_t uid; const char *text; } wire_result;

typedef struct {                 /* one result per recipient, in order */
    const char *incoming;
    const wire_result *results; size_t n_results;
} wire_delivered;

typedef struct { uint64_t size; } wire_parse;
typedef struct { uint32_t status; wire_bytes summary; } wire_parsed;

typedef struct {
    wire_type type;
    uint32_t id;                 /* an answer has its request's; set by wire_call() */
    unsigned n_fds;
    int fds[WIRE_MAX_FDS];       /* borrowed when sent; owned by the message when received */
    union {
        wire_handoff handoff;
        wire_lmtp lmtp;
        wire_rcpt_check rcpt_check;
        wire_rcpt_verdict rcpt_verdict;
        wire_deliver deliver;
        wire_delivered delivered;
        wire_parse parse;
        wire_parsed parsed;
    };
    GPtrArray *memory;           /* private: what the decoded pointers point into */
} wire_message;

/* The shard that owns an account: what a sender must address. */
unsigned wire_shard_of(const char *account_id, unsigned count);

/* ---- codec: no descriptors involved ---- */

/* Header and payload; NULL when a field exceeds its limit. */
GByteArray *wire_encode(const wire_message *m);
/* Copies BYTES; *RET must be cleared. -EBADMSG: malformed, -EPROTONOSUPPORT: version. */
int wire_decode(const void *bytes, size_t len, wire_message *ret);
/* Frees the memory and closes descriptors not taken. */
void wire_message_clear(wire_message *m);
/* Descriptor I becomes the caller's; -1 when there is none. */
int wire_take_fd(wire_message *m, unsigned i);

/* ---- connections ---- */

typedef struct wire_conn wire_conn;
/* A message, or NULL once when the connection is lost (then drop your
 * reference). The message is cleared after the call. */
typedef void (*wire_handler)(wire_conn *c, wire_message *m, void *data);

/* Connects at once or fails (-ECONNREFUSED, -ENOENT: the other is not up). */
int wire_connect(sd_event *event, const char *path, wire_handler handler, void *data, wire_conn **ret);
/* Over a connected socket (taken on success); tests use a socketpair. */
int wire_conn_new(sd_event *event, int fd, wire_handler handler, void *data, wire_conn **ret);
wire_conn *wire_conn_ref(wire_conn *c);
void wire_conn_unref(wire_conn *c);     /* the last closes; the handler is not called */
void wire_conn_set_data(wire_conn *c, wire_handler handler, void *data);
/* Sends or queues; descriptors stay the caller's. -ENOBUFS: the peer does not
 * read, -ENOTCONN: lost, -EMSGSIZE: over a limit. */
int wire_send(wire_conn *c, const wire_message *m);
/* Sends M with a fresh id; REPLY gets the answer, or NULL when the connection is
 * lost. An answer does not reach the connection's handler. */
int wire_call(wire_conn *c, wire_message *m, wire_handler reply, void *data);

/* Listens on PATH, or on the socket systemd passed (sd_listen_fds). Peers must be
 * one of USERS (NULL-terminated), our own user or root. Each accepted connection
 * gets HANDLER; the listener holds its reference until it is lost. */
typedef struct wire_listener wire_listener;
int wire_listen(sd_event *event, const char *path, const char *const *users, wire_handler handler, void *data, wire_listener **ret);
void wire_listener_free(wire_listener *l);

#endif
