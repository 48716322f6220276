/* db/<shard>.db: one row per mailbox with what a delivery needs to know without
 * opening it. Used by one worker at a time; all calls block. */
#ifndef MAILSTEAD_STORE_HEADER_DB_H
#define MAILSTEAD_STORE_HEADER_DB_H

#include "agents/store/shard/op.h"

typedef struct {
    uint64_t id;
    char *account, *name;
    uint32_t group;
    uint32_t inbox_uidvalidity, inbox_uidnext;
    uint32_t next_item, next_folder, next_uidvalidity;
    uint64_t modseq;             /* of the last change */
    uint64_t size, messages;
    uint64_t lsn;                /* of the last operation counted in here */
} mailbox_header;

/* Counts O in; the same for new operations and in recovery. */
void mailbox_header_apply(mailbox_header *h, const op *o);

typedef struct header_db header_db;
typedef void (*header_fn)(const mailbox_header *h, void *data);
header_db *header_db_open(const char *path);
void header_db_close(header_db *d);
void header_db_each(header_db *d, header_fn fn, void *data);
int header_db_put(header_db *d, const mailbox_header *headers, size_t n);    /* -ENOSPC */
/* Numbers of the shard as a whole; 0 when not set. */
int64_t header_db_number(header_db *d, const char *key);
int header_db_set_number(header_db *d, const char *key, int64_t value);      /* -ENOSPC */
uint64_t header_db_wal_bytes(const header_db *d);
void header_db_backfill(header_db *d);
void header_db_reset_wal(header_db *d);

#endif
