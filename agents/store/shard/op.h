/* A change of one mailbox, as it is logged, kept until it is in the database and
 * replayed. An operation says what the result is (uids, items, modseq, counts),
 * never "what would happen now": applying it needs no other state, so memory,
 * database and recovery cannot disagree. */
#ifndef MAILSTEAD_STORE_OP_H
#define MAILSTEAD_STORE_OP_H

#include <glib.h>

#include "agents/store/shard/mailbox.h"

typedef enum {
    OP_MAILBOX = 1,     /* account, name, group, uidvalidity: five folders */
    OP_ADD,             /* record into folder; summary; body or incoming */
    OP_FLAGS,           /* uids of folder: mode, flags, tags, modseq */
    OP_COPY,            /* copies from folder to folder TO; move: sources go */
    OP_EXPUNGE,         /* uids of folder */
    OP_FOLDER,          /* new or no longer \Noselect: folder, name, ... */
    OP_FOLDER_DELETE,   /* with its messages; noselect: the name stays */
    OP_FOLDER_RENAME,   /* and its children */
    OP_SUBSCRIBE,
    OP_TAG,             /* keyword NAME is bit FLAGS */
    OP_CHECKPOINT,      /* all records below BYTES are in databases and durable */
    OP_TYPES
} op_type;

typedef struct { uint32_t first, last; } uid_range;
typedef struct { uint32_t uid, item; message_record record; } op_copy;   /* source, result */
typedef struct { const void *data; size_t len; } op_span;

typedef struct {
    op_type type;
    uint64_t lsn, end;          /* position in the log; not part of the payload */
    uint64_t mailbox;           /* likewise */
    uint64_t modseq, tags, incoming;
    uint64_t bytes;             /* of messages added or removed */
    uint32_t folder, to, flags, mode, special_use, uidvalidity, group;
    uint32_t subscribed, noselect, move;    /* booleans */
    uint32_t messages;          /* added or removed */
    int64_t unseen;             /* change of FOLDER's (COPY: TO's) unseen count */
    message_record record;
    uid_range *uids;            /* ascending, disjoint */
    size_t n_uids;
    op_copy *copies;            /* ascending by source uid and by new uid */
    size_t n_copies;
    char *name, *account;
    op_span summary, body;      /* borrowed, unless summary_owned */
    void *summary_owned;
} op;

op *op_new(op_type type);
void op_free(op *o);
/* Bytes in memory, for back-pressure. */
size_t op_memory(const op *o);
void op_own_summary(op *o);    /* copies what was borrowed */

/* Payload of a log record. Decoding borrows summary and body from BYTES; limits
 * are what the payload itself can hold. -EBADMSG. */
void op_encode(const op *o, GByteArray *out);
int op_decode(op_type type, const void *bytes, size_t len, op **ret);
const char *op_type_name(op_type type);
void op_describe(const op *o, GString *out);    /* one line for people; no message text */

/* UIDs to ranges and back. */
void op_set_uids(op *o, const uint32_t *uids, size_t n);

#endif
