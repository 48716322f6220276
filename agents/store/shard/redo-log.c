/* Writing the redo log. The loop owns the position, the segments and the chunk
 * that is being filled; under the lock it hands chunks to the thread, which owns
 * nothing but the chunk it writes. A chunk lies within one segment.
 *
 * Invariants: DURABLE never passes a byte that is not flushed; a segment is only
 * reused when released, that is when a durable checkpoint record covers it. */
#include "agents/store/shard/redo-log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"

enum { QUEUE_MAX = 32 * 1024 * 1024, SPARES_WANTED = 4, ZEROS = 1024 * 1024 };

typedef struct { unsigned slot; int fd; uint64_t start; uint32_t salt; } segment;

typedef struct {
    int fd;
    uint64_t offset, end;      /* in the file; LSN behind it */
    GByteArray *bytes;
} chunk;

struct redo_log {
    char *dir;
    uint32_t shard, segment_bytes;
    int eventfd;
    /* loop */
    GArray *used;              /* segment, oldest first; the last is being filled */
    GArray *spare;             /* segment */
    unsigned next_slot;
    bool making;
    uint64_t end;
    /* both */
    GMutex lock;
    GCond wake, flushed;
    GQueue queue;              /* chunk; the last one may still grow */
    size_t queued;
    bool stopping;
    _Atomic uint64_t durable, flushes;
    GThread *thread;
};

/* ---- the thread ---- */

static void write_chunk(redo_log *l, chunk *c)
{
    int r = disk_write(c->fd, c->bytes->data, c->bytes->len, c->offset);
    if (r < 0)
        disk_fatal("the redo log in %s cannot be written: %s", l->dir, g_strerror(-r));
    r = disk_flush_data(c->fd);
    if (r < 0)
        disk_fatal("the redo log in %s cannot be flushed: %s", l->dir, g_strerror(-r));
}

static void chunk_free(chunk *c)
{
    g_byte_array_unref(c->bytes);
    g_free(c);
}

static void publish(redo_log *l, uint64_t end)
{
    g_mutex_lock(&l->lock);
    atomic_store(&l->durable, end);
    atomic_fetch_add(&l->flushes, 1);
    g_cond_broadcast(&l->flushed);
    g_mutex_unlock(&l->lock);
    uint64_t one = 1;
    /* Fails only when the counter is full: then the loop is awake anyway. */
    (void) !write(l->eventfd, &one, sizeof one);
}

static chunk *next_chunk(redo_log *l)
{
    g_mutex_lock(&l->lock);
    while (g_queue_is_empty(&l->queue) && !l->stopping)
        g_cond_wait(&l->wake, &l->lock);
    chunk *c = g_queue_pop_head(&l->queue);
    if (c)
        l->queued -= c->bytes->len;
    g_mutex_unlock(&l->lock);
    return c;
}

static void *log_thread(void *data)
{
    redo_log *l = data;
    for (chunk *c; (c = next_chunk(l)) != NULL; ) {
        write_chunk(l, c);
        publish(l, c->end);
        chunk_free(c);
    }
    return NULL;
}

/* ---- segments ---- */

static int write_zeros(int fd, uint32_t bytes)
{
    g_autofree char *zeros = g_malloc0(ZEROS);
    for (uint32_t at = 0; at < bytes; at += ZEROS) {
        int r = disk_write(fd, zeros, MIN((uint32_t) ZEROS, bytes - at), at);
        if (r < 0)
            return r;
    }
    return disk_flush(fd);
}

static int flush_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = disk_flush(fd);
    close(fd);
    return r;
}

int redo_log_make_spare(redo_log *l, unsigned slot)
{
    g_autofree char *path = redo_slot_path(l->dir, slot);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = write_zeros(fd, l->segment_bytes);
    if (r == 0)
        r = flush_dir(l->dir);
    if (r < 0) {
        close(fd);
        (void) g_unlink(path);     /* an incomplete segment is read as none anyway */
        return r;
    }
    return fd;
}

unsigned redo_log_next_slot(redo_log *l)
{
    return l->next_slot++;
}

void redo_log_add_spare(redo_log *l, int fd, unsigned slot)
{
    l->making = false;
    if (fd >= 0)
        g_array_append_vals(l->spare, &(segment) { .slot = slot, .fd = fd }, 1);
}

bool redo_log_wants_spare(redo_log *l)
{
    if (l->making || l->spare->len >= SPARES_WANTED)
        return false;
    return l->making = true;
}

void redo_log_release(redo_log *l, uint64_t lsn)
{
    while (l->used->len > 1 && g_array_index(l->used, segment, 1).start <= lsn) {
        g_array_append_vals(l->spare, l->used->data, 1);
        g_array_remove_index(l->used, 0);
    }
}

/* Takes the oldest spare, begins its chunk with the header. */
static void begin_segment(redo_log *l, uint64_t start, uint64_t previous_end)
{
    g_assert(l->spare->len > 0);
    segment s = g_array_index(l->spare, segment, 0);
    g_array_remove_index(l->spare, 0);
    s.start = start;
    s.salt = g_random_int();
    g_array_append_val(l->used, s);
    chunk *c = g_new0(chunk, 1);
    c->fd = s.fd;
    c->bytes = g_byte_array_new();
    g_byte_array_set_size(c->bytes, REDO_SEGMENT_HEADER);
    redo_segment_header h = { l->shard, l->segment_bytes, start, previous_end, s.salt };
    redo_segment_header_encode(&h, c->bytes->data);
    l->end = c->end = start + REDO_SEGMENT_HEADER;
    g_queue_push_tail(&l->queue, c);
    l->queued += REDO_SEGMENT_HEADER;
}

/* ---- the loop's side ---- */

size_t redo_log_max_payload(const redo_log *l)
{
    return l->segment_bytes - REDO_SEGMENT_HEADER - REDO_RECORD_HEADER - 8;
}

bool redo_log_ready(const redo_log *l)
{
    redo_log *w = (redo_log *) (uintptr_t) l;    /* the lock is no part of the state */
    g_mutex_lock(&w->lock);
    bool ready = l->queued < QUEUE_MAX;
    g_mutex_unlock(&w->lock);
    return ready && l->spare->len > 1;
}

bool redo_log_has_reserve(const redo_log *l)
{
    return l->spare->len > 0;
}

static chunk *open_chunk(redo_log *l)
{
    const segment *s = &g_array_index(l->used, segment, l->used->len - 1);
    chunk *c = g_queue_peek_tail(&l->queue);
    if (c && c->fd == s->fd)
        return c;
    c = g_new0(chunk, 1);
    c->fd = s->fd;
    c->offset = l->end - s->start;
    c->bytes = g_byte_array_new();
    g_queue_push_tail(&l->queue, c);
    return c;
}

uint64_t redo_log_append(redo_log *l, uint64_t mailbox, uint16_t type, const void *payload, size_t len, uint64_t *ret_end)
{
    uint64_t size = redo_record_size(len);
    g_assert(len <= redo_log_max_payload(l));
    g_mutex_lock(&l->lock);
    uint64_t start = g_array_index(l->used, segment, l->used->len - 1).start;
    if (l->end + size > start + l->segment_bytes)
        begin_segment(l, start + l->segment_bytes, l->end);
    chunk *c = open_chunk(l);
    uint64_t lsn = l->end;
    redo_record_encode(c->bytes, lsn, g_array_index(l->used, segment, l->used->len - 1).salt, mailbox, type, payload, len);
    l->queued += size;
    l->end = c->end = lsn + size;
    g_cond_signal(&l->wake);
    g_mutex_unlock(&l->lock);
    *ret_end = lsn + size;
    return lsn;
}

uint64_t redo_log_end(const redo_log *l) { return l->end; }
uint64_t redo_log_durable(const redo_log *l) { return atomic_load(&l->durable); }
uint64_t redo_log_flushes(const redo_log *l) { return atomic_load(&l->flushes); }

void redo_log_wait(redo_log *l, uint64_t end)
{
    g_mutex_lock(&l->lock);
    while (atomic_load(&l->durable) < end)
        g_cond_wait(&l->flushed, &l->lock);
    g_mutex_unlock(&l->lock);
}

/* ---- start and stop ---- */

static int take_over(redo_log *l, const redo_chain *chain)
{
    for (guint i = 0; i < chain->segments->len; i++) {
        const redo_segment *s = &g_array_index(chain->segments, redo_segment, i);
        g_autofree char *path = redo_slot_path(l->dir, s->slot);
        l->next_slot = MAX(l->next_slot, s->slot + 1);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        struct stat st;
        if (fd < 0)
            return -errno;
        if (!s->valid && (fstat(fd, &st) < 0 || st.st_size != l->segment_bytes)) {
            int r = write_zeros(fd, l->segment_bytes);     /* its creation was interrupted */
            if (r < 0) {
                close(fd);
                return r;
            }
        }
        /* What a killed process wrote may still be in memory only. */
        int r = s->valid ? disk_flush_data(fd) : 0;
        if (r < 0)
            disk_fatal("%s cannot be flushed: %s", path, g_strerror(-r));
        g_array_append_vals(s->valid ? l->used : l->spare, &(segment) { .slot = s->slot, .fd = fd, .start = s->header.start }, 1);
    }
    return 0;
}

static int make_spares(redo_log *l, unsigned spares)
{
    while (l->spare->len < spares) {
        unsigned slot = redo_log_next_slot(l);
        int fd = redo_log_make_spare(l, slot);
        if (fd < 0)
            return fd;
        redo_log_add_spare(l, fd, slot);
    }
    return 0;
}

int redo_log_start(redo_chain *chain, uint32_t shard, uint32_t segment_bytes, uint64_t min_lsn, unsigned spares, int eventfd, redo_log **ret)
{
    redo_log *l = g_new0(redo_log, 1);
    l->dir = g_strdup(chain->dir);
    l->shard = shard;
    l->segment_bytes = chain->segment_bytes ? chain->segment_bytes : segment_bytes;
    l->eventfd = eventfd;
    l->used = g_array_new(FALSE, FALSE, sizeof(segment));
    l->spare = g_array_new(FALSE, FALSE, sizeof(segment));
    g_mutex_init(&l->lock);
    g_cond_init(&l->wake);
    g_cond_init(&l->flushed);
    g_queue_init(&l->queue);
    int r = take_over(l, chain);
    if (r == 0)
        r = make_spares(l, spares);
    if (r == 0) {
        /* Directly behind the last segment, so that the chain has no hole. */
        uint64_t start = 0;
        if (l->used->len)
            start = g_array_index(l->used, segment, l->used->len - 1).start + l->segment_bytes;
        else if (min_lsn)
            start = (min_lsn / l->segment_bytes + 1) * l->segment_bytes;
        g_assert(start >= min_lsn);
        atomic_store(&l->durable, chain->end);
        begin_segment(l, start, chain->end);
        l->thread = g_thread_new("redo-log", log_thread, l);
    } else {
        redo_log_stop(l);
        l = NULL;
    }
    redo_chain_free(chain);
    if (l)
        *ret = l;
    return r;
}

static void close_all(GArray *segments)
{
    for (guint i = 0; i < segments->len; i++)
        close(g_array_index(segments, segment, i).fd);
    g_array_unref(segments);
}

void redo_log_stop(redo_log *l)
{
    if (!l)
        return;
    g_mutex_lock(&l->lock);
    l->stopping = true;
    g_cond_signal(&l->wake);
    g_mutex_unlock(&l->lock);
    if (l->thread)
        g_thread_join(l->thread);
    close_all(l->used);
    close_all(l->spare);
    g_mutex_clear(&l->lock);
    g_cond_clear(&l->wake);
    g_cond_clear(&l->flushed);
    g_free(l->dir);
    g_free(l);
}
