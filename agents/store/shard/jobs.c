/* Worker threads; see jobs.h. A queue that has jobs is itself one entry in the
 * thread pool; after each job it goes to the end again, so that no queue holds a
 * thread for long. OUTSTANDING belongs to the loop, the rest is under the lock. */
#include "agents/store/shard/jobs.h"

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

typedef struct { job_fn run, done; void *data; } job;

struct job_pool {
    GThreadPool *threads;
    int eventfd;
    GMutex lock;
    GCond some_done;
    GQueue done;             /* job */
    unsigned outstanding;
};

struct job_queue {
    job_pool *pool;
    GQueue jobs;
    bool scheduled;
};

static void run_one(gpointer data, gpointer user)
{
    job_queue *q = data;
    job_pool *p = user;
    g_mutex_lock(&p->lock);
    job *j = g_queue_pop_head(&q->jobs);
    g_mutex_unlock(&p->lock);
    j->run(j->data);
    g_mutex_lock(&p->lock);
    q->scheduled = !g_queue_is_empty(&q->jobs);
    bool ring = g_queue_is_empty(&p->done);
    g_queue_push_tail(&p->done, j);
    g_cond_broadcast(&p->some_done);
    if (q->scheduled)
        g_thread_pool_push(p->threads, q, NULL);
    g_mutex_unlock(&p->lock);
    uint64_t one = 1;
    /* Fails only when the counter is full: then the loop is awake anyway. */
    if (ring)
        (void) !write(p->eventfd, &one, sizeof one);
}

job_pool *job_pool_new(unsigned threads, int eventfd)
{
    job_pool *p = g_new0(job_pool, 1);
    p->eventfd = eventfd;
    g_mutex_init(&p->lock);
    g_cond_init(&p->some_done);
    g_queue_init(&p->done);
    p->threads = g_thread_pool_new(run_one, p, (gint) MAX(threads, 1), TRUE, NULL);
    return p;
}

void job_pool_free(job_pool *p)
{
    if (!p)
        return;
    g_assert(p->outstanding == 0);
    g_thread_pool_free(p->threads, FALSE, TRUE);
    g_mutex_clear(&p->lock);
    g_cond_clear(&p->some_done);
    g_free(p);
}

job_queue *job_queue_new(job_pool *p)
{
    job_queue *q = g_new0(job_queue, 1);
    q->pool = p;
    g_queue_init(&q->jobs);
    return q;
}

void job_queue_free(job_queue *q)
{
    if (!q)
        return;
    g_assert(g_queue_is_empty(&q->jobs));
    g_free(q);
}

void job_push(job_queue *q, job_fn run, job_fn done, void *data)
{
    job *j = g_new(job, 1);
    *j = (job) { run, done, data };
    q->pool->outstanding++;
    g_mutex_lock(&q->pool->lock);
    g_queue_push_tail(&q->jobs, j);
    if (!q->scheduled) {
        q->scheduled = true;
        g_thread_pool_push(q->pool->threads, q, NULL);
    }
    g_mutex_unlock(&q->pool->lock);
}

void job_pool_reap(job_pool *p)
{
    for (;;) {
        g_mutex_lock(&p->lock);
        job *j = g_queue_pop_head(&p->done);
        g_mutex_unlock(&p->lock);
        if (!j)
            return;
        p->outstanding--;
        if (j->done)
            j->done(j->data);
        g_free(j);
    }
}

unsigned job_pool_outstanding(const job_pool *p)
{
    return p->outstanding;
}

void job_pool_wait(job_pool *p)
{
    g_mutex_lock(&p->lock);
    while (g_queue_is_empty(&p->done))
        g_cond_wait(&p->some_done, &p->lock);
    g_mutex_unlock(&p->lock);
}

void job_pool_drain(job_pool *p)
{
    while (p->outstanding > 0) {
        job_pool_wait(p);
        job_pool_reap(p);
    }
}
