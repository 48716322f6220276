/* The thread pool: see workers.h. A job carries its question and callback; a
 * thread puts the answer into it and hands it back through `done` and an eventfd.
 * A job that waited longer than its asker does is not asked any more. */
#include "agents/auth/workers.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAIT_MAX_USEC (25 * G_USEC_PER_SEC)

typedef struct {
    const question *q;
    gint64 since_usec;
    answer *a;
    bool stop;
    workers_done_fn done;
    void *data;
} job;

typedef struct { workers *pool; decider *decider; GThread *thread; } worker;

struct workers {
    int wakeup;
    sd_event_source *source;
    GAsyncQueue *jobs, *done;
    GArray *threads;       /* of worker */
};

static void hand_back(workers *w, job *j)
{
    uint64_t one = 1;
    g_async_queue_push(w->done, j);
    ssize_t n = write(w->wakeup, &one, sizeof one);
    g_assert(n == sizeof one || errno == EAGAIN);   /* EAGAIN: the counter is full, so it wakes */
}

static void *run(void *data)
{
    worker *me = data;
    for (;;) {
        job *j = g_async_queue_pop(me->pool->jobs);
        if (j->stop) {
            g_free(j);
            return NULL;
        }
        if (g_get_monotonic_time() - j->since_usec > WAIT_MAX_USEC)
            j->a = answer_new(AUTH_TEMPFAIL, "the directory is too slow");
        else
            j->a = decide(me->decider, j->q);
        hand_back(me->pool, j);
    }
}

static void deliver(job *j)
{
    j->done(j->a, j->data);
    answer_unref(j->a);
    g_free(j);
}

static int on_done(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    workers *w = data;
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return -errno;
    for (job *j; (j = g_async_queue_try_pop(w->done)) != NULL; )
        deliver(j);
    return 0;
}

void workers_submit(workers *w, const question *q, workers_done_fn done, void *data)
{
    job j = { .q = q, .since_usec = g_get_monotonic_time(), .done = done, .data = data };
    g_async_queue_push(w->jobs, g_memdup2(&j, sizeof j));
}

static bool add_worker(workers *w, worker *at, keys *k, const freshness *fresh, GError **error)
{
    localconfig *lc = localconfig_load(NULL, error);
    if (!lc)
        return false;
    *at = (worker) { .pool = w, .decider = decider_new(lc, k, fresh) };
    at->thread = g_thread_new("ldap", run, at);
    return true;
}

workers *workers_new(sd_event *event, unsigned n, keys *k, const freshness *fresh, GError **error)
{
    workers *w = g_new0(workers, 1);
    w->jobs = g_async_queue_new();
    w->done = g_async_queue_new();
    w->threads = g_array_sized_new(FALSE, TRUE, sizeof(worker), n);   /* never grows: threads point into it */
    w->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = w->wakeup < 0 ? -errno : sd_event_add_io(event, &w->source, w->wakeup, EPOLLIN, on_done, w);
    if (r < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "eventfd: %s", g_strerror(-r));
        workers_free(w);
        return NULL;
    }
    for (unsigned i = 0; i < n; i++) {
        g_array_set_size(w->threads, i + 1);
        if (!add_worker(w, &g_array_index(w->threads, worker, i), k, fresh, error)) {
            g_array_set_size(w->threads, i);
            workers_free(w);
            return NULL;
        }
    }
    return w;
}

void workers_free(workers *w)
{
    if (!w)
        return;
    g_autoptr(GPtrArray) waiting = g_ptr_array_new();
    for (job *j; (j = g_async_queue_try_pop(w->jobs)) != NULL; )
        g_ptr_array_add(waiting, j);
    for (guint i = 0; i < w->threads->len; i++) {
        job *stop = g_new0(job, 1);
        stop->stop = true;
        g_async_queue_push(w->jobs, stop);
    }
    for (guint i = 0; i < w->threads->len; i++) {
        worker *t = &g_array_index(w->threads, worker, i);
        g_thread_join(t->thread);
        decider_free(t->decider);
    }
    for (job *j; (j = g_async_queue_try_pop(w->done)) != NULL; )
        deliver(j);
    for (guint i = 0; i < waiting->len; i++) {
        job *j = waiting->pdata[i];
        j->a = answer_new(AUTH_TEMPFAIL, "shutting down");
        deliver(j);
    }
    sd_event_source_disable_unref(w->source);
    if (w->wakeup >= 0)
        close(w->wakeup);
    g_array_unref(w->threads);
    g_async_queue_unref(w->jobs);
    g_async_queue_unref(w->done);
    g_free(w);
}
