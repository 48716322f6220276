/* Every write and flush the store's promises rest on. Here alone flushes are
 * switched off (-DMAILSTEAD_NO_SYNC, VARIANT=nosync), and tests put a failing
 * sibling of this file in its place. All block. 0 or negative errno. */
#ifndef MAILSTEAD_STORE_DISK_H
#define MAILSTEAD_STORE_DISK_H

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

int disk_write(int fd, const void *bytes, size_t len, uint64_t offset);   /* all of it */
int disk_read(int fd, void *bytes, size_t len, uint64_t offset);          /* all of it; -ENODATA: file too short */
int disk_flush_data(int fd);       /* fdatasync: data and size */
int disk_flush(int fd);            /* fsync: for folders and new files */
int disk_flush_fs(int fd);         /* syncfs: the whole volume FD lies on */

/* Ends the process: what failed cannot be undone and must not be repeated
 * (design §6: a failed flush is never retried). Recovery at the next start makes
 * it good. Exit status 74 (EX_IOERR). */
G_NORETURN void disk_fatal(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
