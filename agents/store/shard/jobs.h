/* Work that blocks, done by worker threads: jobs of one queue run one after the
 * other in order, queues run beside each other. When a job has run, its DONE is
 * called in the loop, for one queue in the order of the jobs. */
#ifndef MAILSTEAD_STORE_JOBS_H
#define MAILSTEAD_STORE_JOBS_H

#include <glib.h>

typedef struct job_pool job_pool;
typedef struct job_queue job_queue;
typedef void (*job_fn)(void *data);

job_pool *job_pool_new(unsigned threads, int eventfd);   /* rings EVENTFD when there is something to reap */
void job_pool_free(job_pool *p);                         /* no job may be left: job_pool_drain() */
job_queue *job_queue_new(job_pool *p);
void job_queue_free(job_queue *q);

void job_push(job_queue *q, job_fn run, job_fn done, void *data);   /* DONE may be NULL */
void job_pool_reap(job_pool *p);       /* in the loop: calls what is done */
unsigned job_pool_outstanding(const job_pool *p);   /* pushed and not reaped */
void job_pool_wait(job_pool *p);       /* blocks until at least one can be reaped */
void job_pool_drain(job_pool *p);      /* reaps until nothing is outstanding; blocks */

#endif
