/* The shard's redo log, being written: records are appended by the loop, one
 * thread writes and flushes all that waits at once (group commit) and rings an
 * eventfd. A failed write or flush ends the process. */
#ifndef MAILSTEAD_STORE_REDO_LOG_H
#define MAILSTEAD_STORE_REDO_LOG_H

#include <stdbool.h>

#include "agents/store/shard/redo-scan.h"

typedef struct redo_log redo_log;

/* Starts writing behind CHAIN (taken over), at or above MIN_LSN, in a new
 * segment of SEGMENT_BYTES. Makes SPARES free segments first; blocks. */
int redo_log_start(redo_chain *chain, uint32_t shard, uint32_t segment_bytes, uint64_t min_lsn, unsigned spares, int eventfd, redo_log **ret);
void redo_log_stop(redo_log *l);    /* flushes; blocks */

/* Bytes of payload that a record may have. */
size_t redo_log_max_payload(const redo_log *l);
/* False: no free segment or too much waits; hold changes back for a moment. The
 * last free segment is kept for what must go on: checkpoints, new mailboxes. */
bool redo_log_ready(const redo_log *l);
bool redo_log_has_reserve(const redo_log *l);
/* Returns the record's LSN, *RET_END where it is durable from. */
uint64_t redo_log_append(redo_log *l, uint64_t mailbox, uint16_t type, const void *payload, size_t len, uint64_t *ret_end);
uint64_t redo_log_end(const redo_log *l);        /* of what was appended */
uint64_t redo_log_durable(const redo_log *l);    /* all below is on disk */
uint64_t redo_log_flushes(const redo_log *l);
void redo_log_wait(redo_log *l, uint64_t end);   /* blocks until durable */

/* Segments wholly below LSN may be written anew. */
void redo_log_release(redo_log *l, uint64_t lsn);

/* Free segments are made by a worker: when wanted, the loop has make() run there
 * and add() called in the loop with its result (negative errno: none). */
bool redo_log_wants_spare(redo_log *l);         /* asks once until added */
int redo_log_make_spare(redo_log *l, unsigned slot);
void redo_log_add_spare(redo_log *l, int r, unsigned slot);
unsigned redo_log_next_slot(redo_log *l);

#endif
