/* Reading a shard's redo log from its folder. Blocks; nothing is written. */
#ifndef MAILSTEAD_STORE_REDO_SCAN_H
#define MAILSTEAD_STORE_REDO_SCAN_H

#include <stdbool.h>

#include "agents/store/shard/redo-format.h"

typedef struct {
    unsigned slot;           /* file NNNN.redo */
    bool valid;              /* part of the chain; else free for reuse */
    redo_segment_header header;
    uint64_t end;            /* LSN behind its last valid record */
} redo_segment;

typedef struct {
    char *dir;
    GArray *segments;        /* redo_segment: free ones, then the chain in order */
    uint32_t segment_bytes;  /* 0: no segments yet */
    uint64_t first, end;     /* LSNs; both 0: empty log */
} redo_chain;

/* -EBADMSG: a segment in the middle is damaged; -ESTALE: of another shard. The
 * reason is put into *RET_WHY (yours) whenever an error is returned. */
int redo_chain_read(const char *dir, uint32_t shard, redo_chain **ret, char **ret_why);
void redo_chain_free(redo_chain *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(redo_chain, redo_chain_free)

/* Every record from LSN on, in order; stops at the first negative answer and
 * returns it. */
typedef int (*redo_fn)(const redo_record *r, void *data);
int redo_chain_each(const redo_chain *c, uint64_t from, redo_fn fn, void *data);

char *redo_slot_path(const char *dir, unsigned slot);

#endif
