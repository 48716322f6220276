/* Writes, reads and flushes of the store; see disk.h. */
#include "agents/store/shard/disk.h"

#include <errno.h>
#include <stdarg.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/journal/journal.h"

int disk_write(int fd, const void *bytes, size_t len, uint64_t offset)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        p += n;
        offset += (uint64_t) n;
        len -= (size_t) n;
    }
    return 0;
}

int disk_read(int fd, void *bytes, size_t len, uint64_t offset)
{
    char *p = bytes;
    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -ENODATA;
        p += n;
        offset += (uint64_t) n;
        len -= (size_t) n;
    }
    return 0;
}

#ifdef MAILSTEAD_NO_SYNC
/* The variant that must fail the power-cut test. */
int disk_flush_data(int fd) { (void) fd; return 0; }
int disk_flush(int fd) { (void) fd; return 0; }
int disk_flush_fs(int fd) { (void) fd; return 0; }
#else
int disk_flush_data(int fd) { return fdatasync(fd) < 0 ? -errno : 0; }
int disk_flush(int fd) { return fsync(fd) < 0 ? -errno : 0; }
int disk_flush_fs(int fd) { return syncfs(fd) < 0 ? -errno : 0; }
#endif

void disk_fatal(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *message = g_strdup_vprintf(format, ap);
    va_end(ap);
    journal_alert(LOG_CRIT, "store-dead", "%s. The shard ends here; nothing acknowledged is lost, it recovers at the next start", message);
    _exit(EX_IOERR);
}
