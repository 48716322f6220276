/* The asking thread: see asker.h. A question lives on the stack of the thread that
 * asks, which waits for `done`; lib/auth always calls back. */
#include "agents/milter/asker.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
    asker *a;
    const char *address, *sender;
    bool logged_in, done;
    auth_status status;
    char *list;
} question;

struct asker {
    sd_event *event;
    auth_client *client;
    int wakeup;
    GThread *thread;
    GMutex lock;
    GCond answered;
    GQueue waiting;          /* of question, locked */
    bool stop;               /* locked */
};

static void on_answer(const auth_result *r, void *data)
{
    question *q = data;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&q->a->lock);
    q->status = r->status;
    q->list = g_strdup(r->list);
    q->done = true;
    g_cond_broadcast(&q->a->answered);
}

static question *take(asker *a, bool *ret_stop)
{
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&a->lock);
    *ret_stop = a->stop;
    return g_queue_pop_head(&a->waiting);
}

static int on_wakeup(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    asker *a = data;
    uint64_t count;
    bool stop;
    if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return -errno;
    for (question *q; (q = take(a, &stop)) != NULL; )
        auth_may_send(a->client, q->address, q->sender, q->logged_in, on_answer, q);
    return stop ? sd_event_exit(a->event, 0) : 0;
}

static void wake(asker *a)
{
    uint64_t one = 1;
    ssize_t n = write(a->wakeup, &one, sizeof one);
    g_assert(n == sizeof one || errno == EAGAIN);
}

static void *run(void *data)
{
    asker *a = data;
    int r = sd_event_loop(a->event);
    g_assert(r >= 0);
    return NULL;
}

asker *asker_new(const char *path, GError **error)
{
    asker *a = g_new0(asker, 1);
    g_mutex_init(&a->lock);
    g_cond_init(&a->answered);
    g_queue_init(&a->waiting);
    a->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = a->wakeup < 0 ? -errno : sd_event_new(&a->event);
    if (r >= 0)
        r = sd_event_add_io(a->event, NULL, a->wakeup, EPOLLIN, on_wakeup, a);
    if (r < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "event loop: %s", g_strerror(-r));
        asker_free(a);
        return NULL;
    }
    (void) sd_event_set_watchdog(a->event, true);   /* none asked for outside a unit */
    a->client = auth_client_new(a->event, path);
    a->thread = g_thread_new("asker", run, a);
    return a;
}

void asker_free(asker *a)
{
    if (!a)
        return;
    if (a->thread) {
        g_mutex_lock(&a->lock);
        a->stop = true;
        g_mutex_unlock(&a->lock);
        wake(a);
        g_thread_join(a->thread);
    }
    auth_client_free(a->client);
    sd_event_unref(a->event);
    if (a->wakeup >= 0)
        close(a->wakeup);
    g_mutex_clear(&a->lock);
    g_cond_clear(&a->answered);
    g_free(a);
}

auth_status asker_may_send(asker *a, const char *address, const char *sender, bool logged_in, char **ret_list)
{
    question q = { .a = a, .address = address, .sender = sender, .logged_in = logged_in };
    g_mutex_lock(&a->lock);
    g_queue_push_tail(&a->waiting, &q);
    wake(a);
    while (!q.done)
        g_cond_wait(&a->answered, &a->lock);
    g_mutex_unlock(&a->lock);
    *ret_list = q.list;
    return q.status;
}
