/* See sampler.h. The thread and the loop share `ready` and `kicked` alone. */
#include "agents/snmp/sampler.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SHOWQ "/var/spool/postfix/public/showq"
#define STATS "/run/zimbra/stats"

enum { QUEUE_SHARE = 20 };      /* at most a 20th of the time is spent on queues */

struct sampler {
    const snmpagent_config *config;
    sampler_fn take;
    void *data;
    int wake_fd;
    GMutex lock;
    GCond cond;
    facts *ready;               /* not yet taken by the loop */
    bool kicked;
    gint64 queue_next_usec;     /* the thread's own */
    GPtrArray *queue_rows;
};

/* The last rows again while asking would cost too much. */
static void collect_queues(sampler *s, facts *f)
{
    gint64 begun = g_get_monotonic_time();
    if (begun < s->queue_next_usec) {
        for (guint i = 0; s->queue_rows && i < s->queue_rows->len; i++)
            facts_add(f, GROUP_QUEUE, record_ref(s->queue_rows->pdata[i]));
        return;
    }
    queues_collect(f, SHOWQ);
    s->queue_next_usec = g_get_monotonic_time() + (g_get_monotonic_time() - begun) * QUEUE_SHARE;
    g_clear_pointer(&s->queue_rows, g_ptr_array_unref);
    s->queue_rows = g_ptr_array_ref(f->rows[GROUP_QUEUE]);
}

static facts *collect(sampler *s)
{
    facts *f = facts_new();
    services_collect(f);
    collect_queues(s, f);
    disks_collect(f, "/proc/self/mountinfo", s->config);
    certificates_collect(f);
    samples_collect(f, STATS);
    standard_collect(f);
    return f;
}

static void hand_over(sampler *s, facts *f)
{
    const uint64_t one = 1;
    g_mutex_lock(&s->lock);
    facts_free(s->ready);
    s->ready = f;
    g_mutex_unlock(&s->lock);
    ssize_t n = write(s->wake_fd, &one, sizeof one);
    g_assert(n == sizeof one);
}

static void wait_for_next(sampler *s)
{
    gint64 end = g_get_monotonic_time() + SAMPLER_S * G_USEC_PER_SEC;
    g_mutex_lock(&s->lock);
    while (!s->kicked && g_cond_wait_until(&s->cond, &s->lock, end))
        ;
    s->kicked = false;
    g_mutex_unlock(&s->lock);
}

static void *run(void *data)
{
    for (;;) {
        hand_over(data, collect(data));
        wait_for_next(data);
    }
    return NULL;
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
    sampler *s = data;
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return 0;
    g_mutex_lock(&s->lock);
    facts *f = g_steal_pointer(&s->ready);
    g_mutex_unlock(&s->lock);
    if (f)
        s->take(f, s->data);
    return 0;
}

void sampler_kick(sampler *s)
{
    g_mutex_lock(&s->lock);
    s->kicked = true;
    g_cond_signal(&s->cond);
    g_mutex_unlock(&s->lock);
}

sampler *sampler_new(sd_event *event, const snmpagent_config *config, sampler_fn take, void *data, GError **error)
{
    sampler *s = g_new0(sampler, 1);
    *s = (sampler) { .config = config, .take = take, .data = data };
    g_mutex_init(&s->lock);
    g_cond_init(&s->cond);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = s->wake_fd < 0 ? -errno : sd_event_add_io(event, NULL, s->wake_fd, EPOLLIN, on_ready, s);
    if (r < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "no event descriptor: %s", g_strerror(-r));
        g_free(s);
        return NULL;
    }
    g_autoptr(GThread) thread = g_thread_try_new("sampler", run, s, error);
    if (!thread)
        return NULL;            /* main ends; the few bytes stay */
    return s;
}
