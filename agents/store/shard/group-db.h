/* db/<shard>/group-NN.db: the mailboxes of one group. Used by one worker at a
 * time; all calls block. Why mailboxes share a database:
 * docs/decisions/group-databases.md. */
#ifndef MAILSTEAD_STORE_GROUP_DB_H
#define MAILSTEAD_STORE_GROUP_DB_H

#include "agents/store/shard/content.h"

typedef struct group_db group_db;

group_db *group_db_open(const char *path);
void group_db_close(group_db *g);
uint64_t group_db_applied(const group_db *g);     /* LSN of the last operation in it */
uint64_t group_db_wal_bytes(const group_db *g);
void group_db_backfill(group_db *g);              /* sql.h has the order */
void group_db_reset_wal(group_db *g);

/* Operations in LSN order, one transaction; those already in it are passed over.
 * -ENOSPC: nothing was changed. */
int group_db_apply(group_db *g, op *const *ops, size_t n);

/* Folders without pages, keywords. Yours; without folders when unknown. */
content *group_db_load(group_db *g, uint64_t mailbox);
folder *group_db_load_folder(group_db *g, uint64_t mailbox, uint32_t id);    /* with pages; NULL: none */
/* -ENOENT. *RET is yours (g_free). */
int group_db_summary(group_db *g, uint64_t mailbox, uint32_t item, void **ret, size_t *ret_len);

/* Blobs of expunged messages, to be removed when a checkpoint covers LSN. */
typedef struct { uint64_t mailbox; uint32_t item; } group_unlink;
GArray *group_db_unlinks(group_db *g, uint64_t lsn);     /* of group_unlink, expunged below LSN */
int group_db_forget_unlinks(group_db *g, uint64_t lsn);  /* they are gone for good; -ENOSPC */

#endif
