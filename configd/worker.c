/* The worker thread: everything that can block (directory, validators, units)
 * happens here, so that the main loop always answers. Updates that wait are
 * folded into one. */
#include "configd/worker.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "configd/collect.h"
#include "configd/services.h"
#include "lib/directory/directory.h"
#include "lib/journal/journal.h"

#define TRIAL_MINUTES 10

struct worker {
    engine *e;
    collector *c;
    unit_driver units;
    GAsyncQueue *in, *out;
    int to_main;
    sd_event_source *io;
    pthread_t thread;
    bool running;
    bool recovered;            /* of the thread */
    int update_waits;          /* atomic: a JOB_UPDATE is in the queue */
    GMutex lock;               /* of what follows */
    char *status;
    gint64 busy_since;
};

static job *job_new(job_kind kind, void (*done)(job *, void *), void *data)
{
    job *j = g_new0(job, 1);
    j->kind = kind;
    j->done = done;
    j->data = data;
    return j;
}

static void job_free(job *j)
{
    request_clear(&j->req);
    g_free(j->text);
    g_free(j);
}

/* ---- in the thread ---- */

static void fail(job *j, GError *error)
{
    j->ok = false;
    j->unavailable = error->domain == DIRECTORY_ERROR;
    g_free(j->text);
    j->text = g_strdup(error->message);
}

/* What a crash interrupted comes before anything else. */
static bool recover(worker *w, job *j)
{
    g_autoptr(GError) error = NULL;
    if (!w->recovered && !engine_recover(w->e, &error))
        fail(j, error);
    else
        w->recovered = true;
    return w->recovered;
}

/* An update without applying. FORCED may be NULL. */
static bool update(worker *w, job *j, char **forced, const char *trigger)
{
    g_autoptr(GError) error = NULL;
    if (!recover(w, j))
        return false;
    facts *values = collector_read(w->c, engine_plan(w->e), NULL, NULL, &error);
    if (!values || !engine_update(w->e, values, forced, trigger, &error)) {
        fail(j, error);
        return false;
    }
    return true;
}

/* Applies whatever is turned, even when the update refused something. */
static void apply(worker *w, job *j)
{
    g_autoptr(GError) error = NULL, services_error = NULL;
    if (!engine_apply(w->e, &error))
        fail(j, error);
    const facts *values = engine_values(w->e);
    if (values && !j->unavailable && !services_follow(&w->units, values, &services_error))
        journal_error("enabled services: %s", services_error->message);
}

static void do_start(worker *w, job *j)
{
    if (recover(w, j) && engine_tick(w->e))    /* a trial that ended meanwhile goes back first */
        journal_debug("an update is due");
    update(w, j, NULL, "start");
    j->has_live = engine_has_live(w->e);
}

static void do_update(worker *w, job *j)
{
    g_atomic_int_set(&w->update_waits, 0);
    update(w, j, NULL, j->trigger);
    apply(w, j);
    j->has_live = engine_has_live(w->e);
}

static void do_templates(worker *w, job *j)
{
    g_autoptr(GError) error = NULL;
    if (!engine_reload_plan(w->e, &error)) {
        journal_alert(LOG_ERR, "config-refused", "the templates cannot be read again, the old ones stay: %s", error->message);
        fail(j, error);
        return;
    }
    do_update(w, j);
}

/* ---- requests ---- */

static char *rewrite(worker *w, job *j, GError **error)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (char **name = j->req.args; *name; name++) {
        g_autoptr(GPtrArray) folders = plan_select(engine_plan(w->e), *name);
        if (!folders->len) {
            g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_UNKNOWN, "%s has no rendered files", *name);
            return NULL;
        }
        for (guint i = 0; i < folders->len; i++)
            g_strv_builder_add(b, ((const plan_folder *) folders->pdata[i])->name);
    }
    g_auto(GStrv) forced = g_strv_builder_end(b);
    j->ok = true;
    update(w, j, forced, "rewrite");
    apply(w, j);
    if (j->ok)
        return g_strdup("");
    g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_REFUSED, "%s", j->text);
    return NULL;
}

static char *resume(worker *w, job *j, GError **error)
{
    if (!engine_resume(w->e, j->req.args, error))
        return NULL;
    j->ok = true;
    update(w, j, NULL, "resume");
    apply(w, j);
    if (j->ok)
        return g_strdup("");
    g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_REFUSED, "%s", j->text);
    return NULL;
}

static char *answer(worker *w, job *j, GError **error)
{
    const request *r = &j->req;
    g_autoptr(facts) f = NULL;
    switch (r->verb) {
    case REQUEST_STATUS:
        return engine_status(w->e);
    case REQUEST_HISTORY:
        return engine_history(w->e, r->numbers[0] ? r->numbers[0] : 20);
    case REQUEST_DIFF:
        return engine_diff(w->e, r->numbers[0], r->numbers[1], error);
    case REQUEST_DRY_RUN:
        f = collector_read(w->c, engine_plan(w->e), NULL, r->args, error);
        return f ? engine_dry_run(w->e, f, error) : NULL;
    case REQUEST_RENDER:
        f = collector_read(w->c, engine_plan(w->e), NULL, r->args + 1, error);
        return f ? engine_render(w->e, r->args[0], f, error) : NULL;
    case REQUEST_ROLLBACK:
        return engine_rollback(w->e, r->numbers[0], error) ? g_strdup("") : NULL;
    case REQUEST_RESUME:
        return resume(w, j, error);
    case REQUEST_COMMIT_CONFIRM:
        return engine_trial_begin(w->e, r->numbers[0] ? r->numbers[0] : TRIAL_MINUTES, error);
    case REQUEST_CONFIRM:
        return engine_trial_confirm(w->e, error) ? g_strdup("") : NULL;
    case REQUEST_REWRITE:
        return rewrite(w, j, error);
    }
    g_assert_not_reached();
}

static void do_request(worker *w, job *j)
{
    g_autoptr(GError) error = NULL;
    char *text = answer(w, j, &error);
    g_free(j->text);
    j->ok = text != NULL;
    j->text = text ? text : g_strdup(error->message);
}

static void do_job(worker *w, job *j)
{
    j->ok = true;
    switch (j->kind) {
    case JOB_START: do_start(w, j); break;
    case JOB_APPLY: apply(w, j); break;
    case JOB_UPDATE: do_update(w, j); break;
    case JOB_TEMPLATES: do_templates(w, j); break;
    case JOB_REQUEST: do_request(w, j); break;
    }
}

/* What the engine does by itself. */
static void tick(worker *w)
{
    job j = { .kind = JOB_UPDATE, .ok = true };
    if (!engine_tick(w->e))
        return;
    update(w, &j, NULL, "retry");
    apply(w, &j);
    g_free(j.text);
}

static void set_busy(worker *w, bool busy)
{
    char *status = busy ? NULL : engine_status(w->e);
    g_mutex_lock(&w->lock);
    w->busy_since = busy ? g_get_monotonic_time() : 0;
    if (status) {
        g_free(w->status);
        w->status = status;
    }
    g_mutex_unlock(&w->lock);
}

/* NULL: nothing was asked, but the engine has something to do. */
static job *next_job(worker *w)
{
    gint64 due = w->recovered ? engine_next_due(w->e) : 0;
    if (!due)
        return g_async_queue_pop(w->in);
    return g_async_queue_timeout_pop(w->in, MAX(due - g_get_monotonic_time(), 1));
}

static void *run(void *data)
{
    worker *w = data;
    for (;;) {
        job *j = next_job(w);
        if (!j) {
            set_busy(w, true);
            tick(w);
            set_busy(w, false);
            continue;
        }
        if (j->kind == JOB_REQUEST && !j->done) {    /* worker_free()'s last word */
            job_free(j);
            return NULL;
        }
        set_busy(w, true);
        do_job(w, j);
        set_busy(w, false);
        (void) malloc_trim(0);     /* a run holds every text and value; rest is long */
        g_async_queue_push(w->out, j);
        uint64_t one = 1;
        (void) !write(w->to_main, &one, sizeof one);   /* full counter: the reader is awake anyway */
    }
}

/* ---- main thread ---- */

static int on_done(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    worker *w = data;
    uint64_t count;
    (void) !read(fd, &count, sizeof count);   /* only resets it */
    for (job *j; (j = g_async_queue_try_pop(w->out));) {
        if (j->done)
            j->done(j, j->data);
        job_free(j);
    }
    return 0;
}

worker *worker_new(sd_event *event, engine *e, const char *localconfig_path, GError **error)
{
    worker *w = g_new0(worker, 1);
    sigset_t all, old;
    w->e = e;
    w->c = collector_new(localconfig_path);
    w->units = units_systemd();
    w->in = g_async_queue_new_full((GDestroyNotify) job_free);
    w->out = g_async_queue_new_full((GDestroyNotify) job_free);
    w->status = engine_status(e);
    g_mutex_init(&w->lock);
    w->to_main = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = w->to_main < 0 ? -errno : sd_event_add_io(event, &w->io, w->to_main, EPOLLIN, on_done, w);
    if (rc >= 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        rc = -pthread_create(&w->thread, NULL, run, w);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    w->running = rc >= 0;
    if (rc < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot start the worker: %s", g_strerror(-rc));
        worker_free(w);
        return NULL;
    }
    return w;
}

void worker_free(worker *w)
{
    if (!w)
        return;
    if (w->running) {
        g_async_queue_push_front(w->in, job_new(JOB_REQUEST, NULL, NULL));
        pthread_join(w->thread, NULL);
    }
    sd_event_source_disable_unref(w->io);
    if (w->to_main >= 0)
        close(w->to_main);
    collector_free(w->c);
    w->units.done(w->units.data);
    g_async_queue_unref(w->in);
    g_async_queue_unref(w->out);
    g_mutex_clear(&w->lock);
    g_free(w->status);
    g_free(w);
}

void worker_post(worker *w, job_kind kind, const char *trigger, void (*done)(job *, void *), void *data)
{
    if (kind == JOB_UPDATE && !g_atomic_int_compare_and_exchange(&w->update_waits, 0, 1))
        return;
    job *j = job_new(kind, done, data);
    j->trigger = trigger;
    g_async_queue_push(w->in, j);
}

void worker_post_request(worker *w, request *req, void (*done)(job *, void *), void *data)
{
    job *j = job_new(JOB_REQUEST, done, data);
    j->req = *req;
    *req = (request) { 0 };
    g_async_queue_push(w->in, j);
}

unsigned worker_busy_seconds(worker *w)
{
    g_mutex_lock(&w->lock);
    gint64 since = w->busy_since;
    g_mutex_unlock(&w->lock);
    return since ? (g_get_monotonic_time() - since) / G_USEC_PER_SEC : 0;
}

char *worker_status(worker *w)
{
    g_mutex_lock(&w->lock);
    char *text = g_strdup(w->status);
    g_mutex_unlock(&w->lock);
    return text;
}
