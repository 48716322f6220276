/* blockrec: the disk of the power-cut tests. A FUSE file system with two files:
 *
 *   disk   backing of a loop device; reads and writes go to IMAGE at once. Every
 *          write and every flush (fsync of it: what the loop driver turns
 *          REQ_OP_FLUSH into) is appended to JOURNAL in the order it arrived.
 *   mark   whatever is written here is appended as well: the test notes what was
 *          acknowledged, in the same order as the writes.
 *
 * Served by one thread, so the journal's order is the order of completion. The
 * kernel caches nothing (direct_io). A journal record is, little-endian:
 *   type 1 byte (W, F, M), 7 bytes zero, offset u64, length u64, the bytes.
 *
 *   blockrec IMAGE JOURNAL MOUNTPOINT      (IMAGE exists and has its size) */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct { int image, journal; off_t size; } recorder;
typedef struct { char type; char zero[7]; uint64_t offset, length; } record;

static recorder *self(void)
{
    return fuse_get_context()->private_data;
}

/* A journal that cannot be written makes the test meaningless: EIO upwards. */
static int note(char type, const void *bytes, uint64_t length, uint64_t offset)
{
    record r = { .type = type, .offset = offset, .length = length };
    struct iovec iov[] = { { &r, sizeof r }, { (void *) (uintptr_t) bytes, length } };
    ssize_t n = writev(self()->journal, iov, length ? 2 : 1);
    return n == (ssize_t) (sizeof r + length) ? 0 : -EIO;
}

static int rec_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    memset(st, 0, sizeof *st);
    st->st_mode = S_IFREG | 0600;
    st->st_nlink = 1;
    if (strcmp(path, "/") == 0)
        st->st_mode = S_IFDIR | 0700;
    else if (strcmp(path, "/disk") == 0)
        st->st_size = self()->size;
    else if (strcmp(path, "/mark") != 0)
        return -ENOENT;
    return 0;
}

static int rec_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                       struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    return fill(buffer, "disk", NULL, 0, 0) || fill(buffer, "mark", NULL, 0, 0) ? -ENOMEM : 0;
}

static int rec_open(const char *path, struct fuse_file_info *fi)
{
    fi->direct_io = 1;
    fi->fh = strcmp(path, "/mark") == 0;
    return 0;
}

static int rec_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *fi)
{
    if (fi->fh)
        return 0;
    ssize_t n = pread(self()->image, buffer, size, offset);
    return n < 0 ? -errno : (int) n;
}

static int rec_write(const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *fi)
{
    if (fi->fh)
        return note('M', bytes, size, 0) < 0 ? -EIO : (int) size;
    if (offset + (off_t) size > self()->size)
        return -ENOSPC;
    if (pwrite(self()->image, bytes, size, offset) != (ssize_t) size || note('W', bytes, size, (uint64_t) offset) < 0)
        return -EIO;
    return (int) size;
}

static int rec_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
    return strcmp(path, "/mark") == 0 ? 0 : -EPERM;
}

static int rec_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
    return fi->fh ? 0 : note('F', NULL, 0, 0);
}

static const struct fuse_operations operations = {
    .getattr = rec_getattr, .readdir = rec_readdir, .open = rec_open, .read = rec_read,
    .write = rec_write, .truncate = rec_truncate, .fsync = rec_fsync,
};

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: blockrec IMAGE JOURNAL MOUNTPOINT\n");
        return 2;
    }
    recorder r = { .image = open(argv[1], O_RDWR | O_CLOEXEC),
                   .journal = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) };
    struct stat st;
    if (r.image < 0 || r.journal < 0 || fstat(r.image, &st) < 0) {
        perror("blockrec");
        return 1;
    }
    r.size = st.st_size;
    char *arguments[] = { argv[0], (char *) (uintptr_t) "-f", (char *) (uintptr_t) "-s", argv[3], NULL };
    return fuse_main(4, arguments, &operations, &r);
}
