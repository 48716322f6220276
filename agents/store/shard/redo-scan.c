/* Finds the segments of a log, puts them in order and hands out their records.
 * What makes a chain and where it ends: redo-format.c. */
#include "agents/store/shard/redo-scan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"

enum { SEGMENT_MAX = 1 << 30 };

char *redo_slot_path(const char *dir, unsigned slot)
{
    return g_strdup_printf("%s/%04u.redo", dir, slot);
}

void redo_chain_free(redo_chain *c)
{
    if (!c)
        return;
    g_free(c->dir);
    g_array_unref(c->segments);
    g_free(c);
}

static int read_header(const char *path, redo_segment *s)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    uint8_t bytes[REDO_SEGMENT_HEADER];
    int r = disk_read(fd, bytes, sizeof bytes, 0);
    close(fd);
    if (r < 0 && r != -ENODATA)
        return r;
    s->valid = r == 0 && redo_segment_header_decode(bytes, &s->header) > 0;
    return 0;
}

/* The whole segment; short files (an interrupted creation) read as they are. */
static int read_segment(const redo_chain *c, const redo_segment *s, uint8_t **ret, size_t *ret_len)
{
    g_autofree char *path = redo_slot_path(c->dir, s->slot);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || st.st_size > SEGMENT_MAX) {
        close(fd);
        return -EFBIG;
    }
    size_t len = MIN((size_t) st.st_size, s->header.segment_bytes);
    g_autofree uint8_t *bytes = g_malloc(len + 1);
    int r = disk_read(fd, bytes, len, 0);
    close(fd);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&bytes);
    *ret_len = len;
    return 0;
}

/* Records of one segment up to LIMIT; *RET_END is where it stopped. */
static int each_in_segment(const redo_chain *c, const redo_segment *s, uint64_t limit, redo_fn fn, void *data, uint64_t from, uint64_t *ret_end)
{
    g_autofree uint8_t *bytes = NULL;
    size_t len = 0;
    int r = read_segment(c, s, &bytes, &len);
    if (r < 0)
        return r;
    size_t at = REDO_SEGMENT_HEADER;
    redo_record record;
    while (at < len && s->header.start + at < limit &&
           redo_record_decode(bytes + at, len - at, s->header.start + at, s->header.salt, &record) > 0) {
        if (fn && record.lsn >= from && (r = fn(&record, data)) < 0)
            return r;
        at = record.end - s->header.start;
    }
    *ret_end = s->header.start + at;
    return 0;
}

static int by_start(const void *a, const void *b)
{
    const redo_segment *x = a, *y = b;
    if (x->valid != y->valid)
        return x->valid ? 1 : -1;
    return x->header.start < y->header.start ? -1 : x->header.start > y->header.start;
}

static int list_segments(redo_chain *c)
{
    GError *error = NULL;
    GDir *d = g_dir_open(c->dir, 0, &error);
    if (!d) {
        int r = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? 0 : -EIO;
        g_error_free(error);
        return r;
    }
    int r = 0;
    for (const char *name; r == 0 && (name = g_dir_read_name(d)) != NULL; ) {
        char *end;
        guint64 slot = g_ascii_strtoull(name, &end, 10);
        if (end == name || !g_str_equal(end, ".redo") || slot > 9999)
            continue;
        redo_segment s = { .slot = (unsigned) slot };
        g_autofree char *path = g_build_filename(c->dir, name, NULL);
        r = read_header(path, &s);
        g_array_append_val(c->segments, s);
    }
    g_dir_close(d);
    g_array_sort(c->segments, by_start);
    return r;
}

static int check_segment(redo_chain *c, uint32_t shard, guint i, char **ret_why)
{
    redo_segment *s = &g_array_index(c->segments, redo_segment, i);
    redo_segment *before = i ? s - 1 : NULL;
    if (s->header.shard != shard) {
        *ret_why = g_strdup_printf("%s/%04u.redo belongs to shard %u", c->dir, s->slot, s->header.shard);
        return -ESTALE;
    }
    if (c->segment_bytes && s->header.segment_bytes != c->segment_bytes) {
        *ret_why = g_strdup_printf("%s/%04u.redo has another segment size", c->dir, s->slot);
        return -EBADMSG;
    }
    c->segment_bytes = s->header.segment_bytes;
    if (!before || !before->valid) {
        c->first = s->header.start;
    } else if (before->header.start + c->segment_bytes != s->header.start || before->end != s->header.previous_end) {
        *ret_why = g_strdup_printf("%s: the log is damaged between %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT
                                   " (%04u.redo ends too early): restore this file, or move the folder aside to give up what is only in it",
                                   c->dir, before->end, s->header.start, before->slot);
        return -EBADMSG;
    }
    return 0;
}

int redo_chain_read(const char *dir, uint32_t shard, redo_chain **ret, char **ret_why)
{
    g_autoptr(redo_chain) c = g_new0(redo_chain, 1);
    c->dir = g_strdup(dir);
    c->segments = g_array_new(FALSE, TRUE, sizeof(redo_segment));
    int r = list_segments(c);
    if (r < 0) {
        *ret_why = g_strdup_printf("%s cannot be read: %s", dir, g_strerror(-r));
        return r;
    }
    for (guint i = 0; i < c->segments->len; i++) {
        redo_segment *s = &g_array_index(c->segments, redo_segment, i);
        if (!s->valid)
            continue;
        if ((r = check_segment(c, shard, i, ret_why)) < 0)
            return r;
        uint64_t limit = i + 1 < c->segments->len ? s[1].header.previous_end : UINT64_MAX;
        if ((r = each_in_segment(c, s, limit, NULL, NULL, 0, &s->end)) < 0) {
            *ret_why = g_strdup_printf("%s/%04u.redo cannot be read: %s", dir, s->slot, g_strerror(-r));
            return r;
        }
        c->end = s->end;
    }
    *ret = g_steal_pointer(&c);
    return 0;
}

int redo_chain_each(const redo_chain *c, uint64_t from, redo_fn fn, void *data)
{
    for (guint i = 0; i < c->segments->len; i++) {
        const redo_segment *s = &g_array_index(c->segments, redo_segment, i);
        uint64_t end;
        if (!s->valid || s->end <= from)
            continue;
        int r = each_in_segment(c, s, s->end, fn, data, from, &end);
        if (r < 0)
            return r;
    }
    return 0;
}
