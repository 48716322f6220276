/* One log line of Postfix 3.7 taken apart. Everything between brackets and after
 * status= comes from the network: a line is told apart by the program that wrote
 * it and by what stands at its front, fields are read in the order in which
 * Postfix writes them, and addresses by their quoting
 * (info_log_address_format = external), so that text inside one field cannot pass
 * for another. Pure: no state, no I/O, nothing allocated. */
#ifndef MAILSTEAD_LOGGER_POSTFIX_LINE_H
#define MAILSTEAD_LOGGER_POSTFIX_LINE_H

#include "agents/logger/span.h"

enum { QUEUE_ID_MAX = 24 };

typedef enum {
    POSTFIX_OTHER,          /* nothing that is counted or traced */
    POSTFIX_CLIENT,         /* smtpd takes a message: client, user, origin */
    POSTFIX_PICKUP,         /* pickup takes a message: sender */
    POSTFIX_MESSAGE_ID,     /* cleanup: message_id */
    POSTFIX_ACTIVE,         /* qmgr: sender, size, recipients */
    POSTFIX_DELIVERY,       /* a delivery agent: recipient, relay, delay, dsn, status, text */
    POSTFIX_EXPIRED,        /* qmgr gives up: sender */
    POSTFIX_REMOVED,        /* the queue file is gone */
    POSTFIX_NOTICE,         /* bounce made the message notice_id about this one */
    POSTFIX_REJECT,         /* client, code (of text), recipient, sender, text; queue_id may be empty */
    POSTFIX_PROBLEM,        /* warning, error, fatal, panic: text */
} postfix_kind;

typedef struct {
    postfix_kind kind;
    span service, program;  /* "submission", "smtpd"; service empty: the plain one */
    char queue_id[QUEUE_ID_MAX + 1];
    char other_id[QUEUE_ID_MAX + 1];    /* CLIENT: the id this message had before; NOTICE: the new message's;
                                         * DELIVERY: "queued as" of the next hop */
    span client, user, sender, recipient, relay, delay, dsn, status, text, message_id;
    gint64 size, recipients;
} postfix_line;

/* IDENT is the syslog identifier, e.g. "postfix/submission/smtpd". The spans point
 * into IDENT and TEXT. Kind POSTFIX_OTHER for everything unknown. */
postfix_line postfix_parse(span ident, span text);

#endif
