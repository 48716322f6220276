/* Message files of a volume. Names are relative to store_dir; all calls block but
 * blob_open_cached(). 0 or negative errno.
 *
 *   <mailbox>>12>/<mailbox>/msg/<item>>12>/<item>.msg     a message
 *   incoming/<shard>/<id>                                 a large one that a log
 *                                        record names and no checkpoint covers */
#ifndef MAILSTEAD_STORE_BLOBS_H
#define MAILSTEAD_STORE_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct blobs blobs;

int blobs_open(const char *store_dir, unsigned shard, blobs **ret);
void blobs_close(blobs *b);
int blobs_volume_fd(const blobs *b);

int blob_spool(const blobs *b);                        /* O_TMPFILE descriptor */
int blob_link(const blobs *b, int fd, uint64_t mailbox, uint32_t item);      /* replaces an orphan */
int blob_write(const blobs *b, const void *bytes, size_t len, uint64_t mailbox, uint32_t item);
int blob_copy(const blobs *b, uint64_t mailbox, uint32_t from, uint32_t to);
int blob_unlink(const blobs *b, uint64_t mailbox, uint32_t item);            /* 0 when not there */
int blob_open(const blobs *b, uint64_t mailbox, uint32_t item, uint64_t *ret_size);
int blob_open_cached(const blobs *b, uint64_t mailbox, uint32_t item, uint64_t *ret_size);  /* -EAGAIN: would block */
/* Whether the file holds just these bytes (BYTES NULL: has that length). */
bool blob_is(const blobs *b, uint64_t mailbox, uint32_t item, const void *bytes, uint64_t len);

/* Makes FD's data durable and gives it a durable name in incoming/. */
int blob_keep(const blobs *b, int fd, uint64_t id);
int blob_link_incoming(const blobs *b, uint64_t id, uint64_t mailbox, uint32_t item);
int blob_drop_incoming(const blobs *b, uint64_t id);
int blobs_clear_incoming(const blobs *b);              /* all; after recovery */
/* Percent of the volume in use; negative errno. */
int blobs_percent_used(const blobs *b);

#endif
