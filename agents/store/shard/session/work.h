/* Work that may block (reading blobs, searching them), done by threads: WORK runs
 * in one of them, then DONE in the loop. Nothing is ordered. */
#ifndef MAILSTEAD_STORE_WORK_H
#define MAILSTEAD_STORE_WORK_H

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct work_pool work_pool;
typedef void (*work_fn)(void *data);

work_pool *work_pool_new(sd_event *event, unsigned threads);
void work_pool_free(work_pool *p);     /* waits for what runs; DONE of it is called */
void work_run(work_pool *p, work_fn work, work_fn done, void *data);

/* Reads up to N bytes of FD at OFFSET: from the page cache at once, else in a
 * thread. CB gets the bytes read (borrowed), 0 at the end, or negative errno; it
 * may be called before the call returns. */
typedef void (*blob_read_cb)(ssize_t r, const void *bytes, void *data);
void blob_read(work_pool *p, int fd, uint64_t offset, size_t n, blob_read_cb cb, void *data);

#endif
