/* Private to intake: one LMTP session. session.c moves bytes, commands.c answers
 * commands, transaction.c holds a message and its recipients. */
#ifndef MAILSTEAD_INTAKE_SESSION_H
#define MAILSTEAD_INTAKE_SESSION_H

#include "agents/store/intake/intake.h"
#include "agents/store/intake/lmtp.h"
#include "lib/mime/mime.h"

#define SESSION_INPUT (16 * 1024)
#define SESSION_MAX_ERRORS 20

typedef struct {
    char *address;               /* as given in RCPT, for replies */
    char *account_id, *name;
    int64_t quota_bytes;
    unsigned shard;
    int same_as;                 /* index of the recipient with the same account, or -1 */
    uint32_t status;             /* wire_status after delivery */
    char *text;
} recipient;

typedef struct {
    char *sender;                /* NULL: no MAIL yet */
    uint64_t declared_size;
    GArray *recipients;          /* of recipient */
    mime_parser *parser;
    spam_watch spam;
    GByteArray *body;            /* the message while it is at most 32 KiB */
    int spool;                   /* then a descriptor on the volume of the first recipient's shard */
    uint64_t size, limit;        /* bytes with the Return-Path field; how many it may become */
    const char *failure;         /* reply to all recipients; set once, the rest of DATA is read and dropped */
    GBytes *summary;
    char *message_id;
    unsigned pending;            /* shards that have not answered yet */
    uint64_t begun_us;           /* when the last byte had come; 0: not yet */
} transaction;

struct session {
    unsigned refs;
    intake *in;
    int fd;                      /* -1: closed, callbacks that still come find nothing to do */
    char *client;
    sd_event_source *io, *timer;
    char input[SESSION_INPUT];
    size_t input_at, input_len;
    GString *output;
    lmtp_line line;
    lmtp_data data;
    bool greeted, in_data, busy, closing, stop, writing;
    unsigned errors;
    uint64_t auth_request;       /* outstanding resolve, 0 none */
    transaction t;
};

session *session_ref(session *s);
void session_unref(session *s);
/* "CODE ENHANCED text": queued; sent with whatever else is queued when the
 * session would wait. */
void session_reply(session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* While busy no input is read; resume when the answer is queued. */
void session_busy(session *s);
void session_resume(session *s);
/* Sends what is queued, then closes. */
void session_close(session *s);

/* One command line. */
void session_command(session *s, const char *line, size_t len);

void transaction_init(transaction *t);
void transaction_reset(transaction *t);
/* DATA accepted: text follows. */
void transaction_begin_data(session *s);
void transaction_text(const char *bytes, size_t len, void *data);    /* lmtp_emit; DATA a session */
/* All text of this read was given: gets a spool when one is needed. */
void transaction_spool(session *s);
/* The final dot: delivers, replies per recipient, resumes. */
void transaction_deliver(session *s);

#endif
