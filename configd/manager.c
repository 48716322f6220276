/* The manager: changes of the directory, of localconfig and of templates, and
 * the clock, become updates; a burst becomes one (100 ms of quiet, one second at
 * most). Readiness is told after the first update turned its links, before any
 * unit is acted on: those units may be ordered after us. */
#include "configd/manager.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "configd/control.h"
#include "configd/localwatch.h"
#include "configd/publish.h"
#include "configd/watch.h"
#include "configd/worker.h"
#include "lib/journal/journal.h"
#include "lib/localconfig/localconfig.h"

#define QUIET_USEC (100 * 1000)
#define BURST_USEC (G_USEC_PER_SEC)
#define POLL_DEFAULT_S 120
#define JOB_LIMIT_S 600        /* longer than any job may take: then the watchdog ends us */
#define RETRY_START_USEC (2 * G_USEC_PER_SEC)

struct manager {
    sd_event *event;
    const layout *l;
    worker *worker;
    watch *watch;
    publisher *publisher;
    control *control;
    localwatch *localwatch;
    char *localconfig_path;
    sd_event_source *quiet;    /* fires when a burst is over */
    sd_event_source *poll;
    sd_event_source *watchdog;
    uint64_t watchdog_usec, poll_usec;
    uint64_t burst_since;      /* 0: no burst */
    bool templates;            /* the burst holds a change of templates */
    bool started, ready;
    char *directory_state;
    char *complaint;           /* last failure told: not told again */
};

static uint64_t now_usec(manager *m)
{
    uint64_t now = 0;
    (void) sd_event_now(m->event, CLOCK_MONOTONIC, &now);   /* own loop: cannot fail */
    return now;
}

/* ---- results ---- */

static void complain(manager *m, const job *j)
{
    if (j->ok) {
        g_clear_pointer(&m->complaint, g_free);
        return;
    }
    /* what was refused or failed has its own alert */
    if (j->unavailable && g_strcmp0(m->complaint, j->text))
        journal_warning("configuration cannot be read, the last good one stays: %s", j->text);
    g_free(m->complaint);
    m->complaint = g_strdup(j->text);
}

static void set_ready(manager *m)
{
    if (m->ready)
        return;
    m->ready = true;
    (void) sd_notify(false, "READY=1\nSTATUS=Following the directory");
}

static void on_updated(job *j, void *data)
{
    complain(data, j);
}

static int on_retry_start(sd_event_source *s, uint64_t usec, void *data);

static void on_started(job *j, void *data)
{
    manager *m = data;
    complain(m, j);
    if (!j->unavailable)
        m->started = true;
    if (m->started || j->has_live)
        set_ready(m);
    if (m->started)
        worker_post(m->worker, JOB_APPLY, NULL, on_updated, m);
    else
        (void) sd_event_add_time_relative(m->event, NULL, CLOCK_MONOTONIC, RETRY_START_USEC, 0, on_retry_start, m);
}

static int on_retry_start(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    worker_post(m->worker, JOB_START, NULL, on_started, m);
    return 0;
}

/* ---- updates ---- */

static int on_quiet(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    m->burst_since = 0;
    if (m->started)
        worker_post(m->worker, m->templates ? JOB_TEMPLATES : JOB_UPDATE, "change", on_updated, m);
    m->templates = false;
    return 0;
}

static void schedule(manager *m)
{
    uint64_t now = now_usec(m);
    if (!m->burst_since)
        m->burst_since = now;
    /* own source: cannot fail */
    (void) sd_event_source_set_time(m->quiet, MIN(now + QUIET_USEC, m->burst_since + BURST_USEC));
    (void) sd_event_source_set_enabled(m->quiet, SD_EVENT_ONESHOT);
}

static int on_poll(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    schedule(m);
    (void) sd_event_source_set_time_relative(s, m->poll_usec);   /* own source: cannot fail */
    (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    return 0;
}

/* ---- the directory ---- */

static void on_changed(const char *csn, const char *dn, bool config, void *data)
{
    manager *m = data;
    publisher_send(m->publisher, csn, dn);
    if (config)
        schedule(m);
}

static void on_gap(void *data)
{
    manager *m = data;
    publisher_send_gap(m->publisher);
    schedule(m);
}

static void on_state(const char *reason, void *data)
{
    manager *m = data;
    g_autofree char *state = reason ? g_strdup_printf("not followed: %s", reason) : g_strdup("followed");
    if (!g_strcmp0(state, m->directory_state))
        return;
    if (reason)
        journal_warning("the directory is not followed: %s", reason);
    else
        journal_info("following the directory");
    g_free(m->directory_state);
    m->directory_state = g_steal_pointer(&state);
    (void) sd_notifyf(false, "STATUS=Directory %s", m->directory_state);
}

static const char *directory_state(void *data)
{
    return ((manager *) data)->directory_state;
}

/* ---- this host's files, signals ---- */

static uint64_t poll_interval(const manager *m)
{
    g_autoptr(localconfig) lc = localconfig_load(m->localconfig_path, NULL);
    gint64 seconds = lc ? localconfig_get_int(lc, "zmconfigd_interval", POLL_DEFAULT_S) : POLL_DEFAULT_S;
    return CLAMP(seconds, 5, 86400) * G_USEC_PER_SEC;
}

static void on_localconfig(void *data)
{
    manager *m = data;
    m->poll_usec = poll_interval(m);
    (void) sd_event_source_set_time_relative(m->poll, m->poll_usec);   /* own source: cannot fail */
    schedule(m);
    watch_retry(m->watch);
}

static void on_templates(void *data)
{
    manager *m = data;
    m->templates = true;
    schedule(m);
}

static int on_hup(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
    on_templates(data);
    return 0;
}

static int on_watchdog(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    if (worker_busy_seconds(m->worker) < JOB_LIMIT_S)
        (void) sd_notify(false, "WATCHDOG=1");
    else
        journal_error("a change has been under way for %d s: giving up", JOB_LIMIT_S);
    (void) sd_event_source_set_time_relative(s, m->watchdog_usec / 2);   /* own source: cannot fail */
    (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    return 0;
}

/* ---- life ---- */

static int add_sources(manager *m)
{
    m->poll_usec = poll_interval(m);

    int rc = sd_event_add_time_relative(m->event, &m->quiet, CLOCK_MONOTONIC, 0, 1000, on_quiet, m);
    if (rc >= 0)
        rc = sd_event_source_set_enabled(m->quiet, SD_EVENT_OFF);
    if (rc >= 0)
        rc = sd_event_add_time_relative(m->event, &m->poll, CLOCK_MONOTONIC, m->poll_usec, 0, on_poll, m);
    if (rc >= 0)
        rc = sd_event_add_signal(m->event, NULL, SIGHUP, on_hup, m);
    if (rc >= 0 && sd_watchdog_enabled(false, &m->watchdog_usec) > 0)
        rc = sd_event_add_time_relative(m->event, &m->watchdog, CLOCK_MONOTONIC, m->watchdog_usec / 2, 0, on_watchdog, m);
    return rc;
}

static bool open_parts(manager *m, engine *e, GError **error)
{
    static const watch_callbacks callbacks = { .changed = on_changed, .gap = on_gap, .state = on_state };
    g_autofree char *control_path = g_build_filename(m->l->run, "control", NULL);
    g_autofree char *cookie_path = g_build_filename(m->l->state, "cookie", NULL);
    g_autofree char *changes_path = g_build_filename(m->l->run, "changes", NULL);

    m->worker = worker_new(m->event, e, m->localconfig_path, error);
    if (!m->worker)
        return false;
    m->publisher = publisher_new(m->event, changes_path, error);
    m->control = m->publisher ? control_new(m->event, control_path, m->worker, directory_state, m, error) : NULL;
    m->localwatch = m->control ? localwatch_new(m->event, m->l, m->localconfig_path, on_localconfig, on_templates, m, error) : NULL;
    m->watch = m->localwatch ? watch_new(m->event, m->localconfig_path, cookie_path, &callbacks, m, error) : NULL;
    return m->watch;
}

manager *manager_new(sd_event *event, const layout *l, engine *e, const char *localconfig_path, GError **error)
{
    manager *m = g_new0(manager, 1);
    m->event = sd_event_ref(event);
    m->l = l;
    m->localconfig_path = g_strdup(localconfig_path);
    m->directory_state = g_strdup("not followed yet");
    int rc = add_sources(m);
    if (rc < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no event source: %s", g_strerror(-rc));
    if (rc < 0 || !open_parts(m, e, error)) {
        manager_free(m);
        return NULL;
    }
    worker_post(m->worker, JOB_START, NULL, on_started, m);
    return m;
}

void manager_free(manager *m)
{
    if (!m)
        return;
    watch_free(m->watch);
    worker_free(m->worker);
    control_free(m->control);
    publisher_free(m->publisher);
    localwatch_free(m->localwatch);
    sd_event_source_disable_unref(m->quiet);
    sd_event_source_disable_unref(m->poll);
    sd_event_source_disable_unref(m->watchdog);
    sd_event_unref(m->event);
    g_free(m->localconfig_path);
    g_free(m->directory_state);
    g_free(m->complaint);
    g_free(m);
}
