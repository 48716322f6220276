/* A small thread pool; finished work comes back through a queue and an eventfd. */
#include "agents/store/shard/session/work.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

struct work_pool {
    GThreadPool *threads;
    GAsyncQueue *finished;    /* of task */
    int bell;
    sd_event_source *io;
};

typedef struct { work_fn work, done; void *data; } task;

static void run_task(void *item, void *data)
{
    work_pool *p = data;
    task *t = item;
    t->work(t->data);
    g_async_queue_push(p->finished, t);
    uint64_t one = 1;
    (void) !write(p->bell, &one, sizeof one);   /* full: it rings already */
}

static void reap(work_pool *p)
{
    task *t;
    while ((t = g_async_queue_try_pop(p->finished)) != NULL) {
        t->done(t->data);
        g_free(t);
    }
}

static int on_bell(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    uint64_t n;
    (void) !read(fd, &n, sizeof n);
    reap(data);
    return 0;
}

work_pool *work_pool_new(sd_event *event, unsigned threads)
{
    work_pool *p = g_new0(work_pool, 1);
    p->finished = g_async_queue_new();
    p->threads = g_thread_pool_new(run_task, p, (gint) threads, FALSE, NULL);
    p->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_assert(p->bell >= 0 && sd_event_add_io(event, &p->io, p->bell, EPOLLIN, on_bell, p) >= 0);
    return p;
}

void work_pool_free(work_pool *p)
{
    if (!p)
        return;
    g_thread_pool_free(p->threads, FALSE, TRUE);
    reap(p);
    sd_event_source_disable_unref(p->io);
    close(p->bell);
    g_async_queue_unref(p->finished);
    g_free(p);
}

void work_run(work_pool *p, work_fn work, work_fn done, void *data)
{
    task *t = g_new(task, 1);
    *t = (task) { .work = work, .done = done, .data = data };
    (void) g_thread_pool_push(p->threads, t, NULL);   /* queued even when no thread could be made now */
}

/* ---- blobs ---- */

typedef struct { int fd; uint64_t offset; size_t n; ssize_t r; char *bytes; blob_read_cb cb; void *data; } blob_task;

static void blob_work(void *data)
{
    blob_task *t = data;
    ssize_t r;
    do
        r = pread(t->fd, t->bytes, t->n, (off_t) t->offset);
    while (r < 0 && errno == EINTR);
    t->r = r < 0 ? -errno : r;
}

static void blob_done(void *data)
{
    g_autofree blob_task *t = data;
    g_autofree char *bytes = t->bytes;
    t->cb(t->r, bytes, t->data);
}

void blob_read(work_pool *p, int fd, uint64_t offset, size_t n, blob_read_cb cb, void *data)
{
    g_autofree char *bytes = g_malloc(n + 1);
    struct iovec iov = { .iov_base = bytes, .iov_len = n };
    ssize_t r = preadv2(fd, &iov, 1, (off_t) offset, RWF_NOWAIT);
    if (r >= 0 && (size_t) r == n) {
        cb(r, bytes, data);
        return;
    }
    /* A short read may be the end of what is cached: let a thread find out. */
    blob_task *t = g_new(blob_task, 1);
    *t = (blob_task) { .fd = fd, .offset = offset, .n = n, .bytes = g_steal_pointer(&bytes), .cb = cb, .data = data };
    work_run(p, blob_work, blob_done, t);
}
