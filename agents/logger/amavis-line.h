/* amavisd's summary line of a message, one a message whatever the number of
 * recipients:
 *
 *   (id) Passed CLEAN {…}, [ip]:port <sender> -> <rcpt>,…, Queue-ID: Q,
 *   Message-ID: <…>, mail_id: M, Hits: N, size: N, queued_as: Q, 99 ms
 *
 * Lines above 980 bytes come in pieces that end and go on with "...": the first
 * has the verdict, later ones may have the ids. Pure like postfix-line.h. */
#ifndef MAILSTEAD_LOGGER_AMAVIS_LINE_H
#define MAILSTEAD_LOGGER_AMAVIS_LINE_H

#include "agents/logger/postfix-line.h"

typedef enum { AMAVIS_OTHER, AMAVIS_VERDICT, AMAVIS_MORE } amavis_kind;
typedef enum { VERDICT_CLEAN, VERDICT_SPAM, VERDICT_VIRUS, VERDICT_BANNED, VERDICT_OTHER, VERDICT_FAILED } amavis_verdict;

typedef struct {
    amavis_kind kind;
    amavis_verdict verdict;
    bool passed;
    span id;                /* of amavisd's task: what joins the pieces */
    span category;          /* "CLEAN", "SPAMMY", "INFECTED"… */
    span names;             /* of virus or banned part; may be empty */
    span sender, message_id, hits;
    char queue_id[QUEUE_ID_MAX + 1];    /* the message that was scanned */
    char queued_as[QUEUE_ID_MAX + 1];   /* the one it became */
} amavis_line;

amavis_line amavis_parse(span text);

#endif
