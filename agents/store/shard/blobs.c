/* Message files; see blobs.h. A file appears under its name complete (linked from
 * an unnamed one) and is never written again. Folders are made when a link finds
 * none. Their durability is the checkpoint's syncfs, or for incoming/ an fsync. */
#include "agents/store/shard/blobs.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"

enum { NAME_BYTES = 128 };

struct blobs {
    char *dir;
    int volume, incoming;
};

typedef struct { char s[NAME_BYTES]; } path;

static path message_path(uint64_t mailbox, uint32_t item)
{
    path p;
    (void) g_snprintf(p.s, sizeof p.s, "%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "/msg/%u/%u.msg",
                      mailbox >> 12, mailbox, item >> 12, item);
    return p;
}

static path incoming_name(uint64_t id)
{
    path p;
    (void) g_snprintf(p.s, sizeof p.s, "%016" G_GINT64_MODIFIER "x", id);
    return p;
}

static path fd_path(int fd)
{
    path p;
    (void) g_snprintf(p.s, sizeof p.s, "/proc/self/fd/%d", fd);
    return p;
}

/* Folders above NAME, one after the other. */
static int make_parents(int dir, const char *name)
{
    path p;
    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
        (void) g_snprintf(p.s, sizeof p.s, "%.*s", (int) (slash - name), name);
        if (mkdirat(dir, p.s, 0700) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

int blobs_open(const char *store_dir, unsigned shard, blobs **ret)
{
    g_autofree char *incoming = g_strdup_printf("%s/incoming/%u", store_dir, shard);
    if (g_mkdir_with_parents(incoming, 0700) < 0)
        return -errno;
    blobs *b = g_new0(blobs, 1);
    b->dir = g_strdup(store_dir);
    b->volume = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    b->incoming = open(incoming, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = b->volume < 0 || b->incoming < 0 ? -errno : disk_flush_fs(b->volume);
    if (r < 0) {
        blobs_close(b);
        return r;
    }
    *ret = b;
    return 0;
}

void blobs_close(blobs *b)
{
    if (!b)
        return;
    if (b->volume >= 0)
        close(b->volume);
    if (b->incoming >= 0)
        close(b->incoming);
    g_free(b->dir);
    g_free(b);
}

int blobs_volume_fd(const blobs *b) { return b->volume; }

int blob_spool(const blobs *b)
{
    int fd = openat(b->volume, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

/* A second inode with the same bytes, for a file that has no links left to give. */
static int duplicate(const blobs *b, int from_dir, const char *from)
{
    int in = openat(from_dir, from, O_RDONLY | O_CLOEXEC), out = blob_spool(b);
    int r = in < 0 || out < 0 ? -EIO : 0;
    off_t at = 0;
    for (ssize_t n = 1; r == 0 && n > 0; ) {
        n = sendfile(out, in, &at, 1 << 20);
        r = n < 0 ? -errno : 0;
    }
    if (in >= 0)
        close(in);
    if (r < 0 && out >= 0)
        close(out);
    return r < 0 ? r : out;
}

static int link_duplicate(const blobs *b, int from_dir, const char *from, path to)
{
    int fd = duplicate(b, from_dir, from);
    if (fd < 0)
        return fd;
    int r = linkat(AT_FDCWD, fd_path(fd).s, b->volume, to.s, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
    close(fd);
    return r;
}

/* Links FROM (below FROM_DIR, or a /proc path) to the message's name. What stands
 * there already is an orphan of an operation that never was durable, or the file
 * itself in recovery: item numbers are never given twice. */
static int link_message(const blobs *b, int from_dir, const char *from, int flags, path to)
{
    int last = 0;
    for (unsigned tries = 0; tries < 3; tries++) {
        if (linkat(from_dir, from, b->volume, to.s, flags) == 0)
            return 0;
        last = -errno;
        int r = 0;
        if (last == -ENOENT)
            r = make_parents(b->volume, to.s);
        else if (last == -EEXIST)
            r = unlinkat(b->volume, to.s, 0) < 0 ? -errno : 0;
        else if (last == -EMLINK)
            return link_duplicate(b, from_dir, from, to);
        else
            return last;
        if (r < 0)
            return r;
    }
    return last;
}

int blob_link(const blobs *b, int fd, uint64_t mailbox, uint32_t item)
{
    return link_message(b, AT_FDCWD, fd_path(fd).s, AT_SYMLINK_FOLLOW, message_path(mailbox, item));
}

int blob_write(const blobs *b, const void *bytes, size_t len, uint64_t mailbox, uint32_t item)
{
    int fd = blob_spool(b);
    if (fd < 0)
        return fd;
    int r = disk_write(fd, bytes, len, 0);
    if (r == 0)
        r = blob_link(b, fd, mailbox, item);
    close(fd);
    return r;
}

int blob_copy(const blobs *b, uint64_t mailbox, uint32_t from, uint32_t to)
{
    path source = message_path(mailbox, from);
    if (faccessat(b->volume, source.s, F_OK, 0) < 0)
        return -errno;
    return link_message(b, b->volume, source.s, 0, message_path(mailbox, to));
}

int blob_unlink(const blobs *b, uint64_t mailbox, uint32_t item)
{
    path p = message_path(mailbox, item);
    return unlinkat(b->volume, p.s, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int opened(int fd, uint64_t *ret_size)
{
    struct stat st;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    *ret_size = (uint64_t) st.st_size;
    return fd;
}

int blob_open(const blobs *b, uint64_t mailbox, uint32_t item, uint64_t *ret_size)
{
    path p = message_path(mailbox, item);
    return opened(openat(b->volume, p.s, O_RDONLY | O_CLOEXEC | O_NOATIME), ret_size);
}

int blob_open_cached(const blobs *b, uint64_t mailbox, uint32_t item, uint64_t *ret_size)
{
    path p = message_path(mailbox, item);
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOATIME, .resolve = RESOLVE_CACHED | RESOLVE_BENEATH };
    int r = opened((int) syscall(SYS_openat2, b->volume, p.s, &how, sizeof how), ret_size);
    return r < 0 ? -EAGAIN : r;      /* whatever it is, a worker finds out */
}

bool blob_is(const blobs *b, uint64_t mailbox, uint32_t item, const void *bytes, uint64_t len)
{
    uint64_t size = 0;
    int fd = blob_open(b, mailbox, item, &size);
    if (fd < 0)
        return false;
    bool same = size == len;
    if (same && bytes) {
        g_autofree char *have = g_malloc(len + 1);
        same = disk_read(fd, have, len, 0) == 0 && memcmp(have, bytes, len) == 0;
    }
    close(fd);
    return same;
}

/* ---- incoming ---- */

int blob_keep(const blobs *b, int fd, uint64_t id)
{
    int r = disk_flush_data(fd);
    if (r < 0)
        return r;
    if (linkat(AT_FDCWD, fd_path(fd).s, b->incoming, incoming_name(id).s, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    return disk_flush(b->incoming);
}

int blob_link_incoming(const blobs *b, uint64_t id, uint64_t mailbox, uint32_t item)
{
    path from = incoming_name(id);
    if (faccessat(b->incoming, from.s, F_OK, 0) < 0)
        return -errno;
    return link_message(b, b->incoming, from.s, 0, message_path(mailbox, item));
}

int blob_drop_incoming(const blobs *b, uint64_t id)
{
    return unlinkat(b->incoming, incoming_name(id).s, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int blobs_clear_incoming(const blobs *b)
{
    int fd = dup(b->incoming);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return -errno;
    rewinddir(d);
    for (struct dirent *e; (e = readdir(d)) != NULL; )
        if (e->d_name[0] != '.')
            (void) unlinkat(b->incoming, e->d_name, 0);    /* one left over is dropped at the next start */
    closedir(d);
    return 0;
}

int blobs_percent_used(const blobs *b)
{
    struct statvfs v;
    if (fstatvfs(b->volume, &v) < 0)
        return -errno;
    uint64_t used = v.f_blocks - v.f_bfree, all = used + v.f_bavail;
    return all ? (int) (used * 100 / all) : 0;
}
