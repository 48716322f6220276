/* See manager.h. Samples are taken at whole multiples of the interval on the wall
 * clock: hosts sample at the same moment, and RRD keeps values as they are instead
 * of shares of two neighbours. One more at the start, which is not recorded, is
 * what the first recorded one is measured against. */
#include "agents/stats/manager.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

#include "agents/stats/http.h"
#include "lib/journal/journal.h"

enum { ACCURACY_US = 20000, LATE_S = 2 };

struct manager {
    char *config_path;
    stats_config *config;
    sampler *sampler;
    http *http;
    sd_event_source *timer, *hup;
    guint64 samples;
};

static gint64 now_s(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

/* The first multiple of the interval after now; a step of the clock is followed. */
static int set_timer(manager *m)
{
    gint64 step = m->config->interval_s, next = (now_s() / step + 1) * step;
    int r = sd_event_source_set_time(m->timer, (uint64_t) next * G_USEC_PER_SEC);
    return r < 0 ? r : sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    gint64 begun = g_get_monotonic_time(), step = m->config->interval_s, now = now_s();
    bool first = m->samples == 0;
    gint64 stamp = first ? now : now - now % step;
    http_set(m->http, sampler_take(m->sampler, stamp, (double) begun / G_USEC_PER_SEC, !first));
    m->samples++;
    gint64 ms = (g_get_monotonic_time() - begun) / 1000;
    if (ms > LATE_S * 1000)
        journal_warning("a sample took %" G_GINT64_FORMAT " ms", ms);
    (void) sd_notifyf(false, "STATUS=%" G_GUINT64_FORMAT " samples, the last one took %" G_GINT64_FORMAT " ms", m->samples, ms);
    return set_timer(m);
}

static stats_config *load_config(const manager *m)
{
    g_autofree char *problem = NULL;
    stats_config *c = stats_config_load(m->config_path, &problem);
    if (problem)
        journal_warning("%s: %s", m->config_path, problem);
    return c;
}

/* zmstatctl rotate, or new settings: both are cheap, so a HUP is both. */
static int on_hup(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
    manager *m = data;
    stats_config *old = m->config;
    sampler_rotate(m->sampler);
    m->config = load_config(m);
    sampler_configure(m->sampler, m->config);
    stats_config_free(old);
    return set_timer(m);
}

manager *manager_new(sd_event *event, const char *config_path, const stats_paths *paths, guint16 port, GError **error)
{
    manager *m = g_new0(manager, 1);
    m->config_path = g_strdup(config_path);
    m->config = load_config(m);
    m->http = http_new(event, port, error);
    if (!m->http) {
        manager_free(m);
        return NULL;
    }
    m->sampler = sampler_new(paths, m->config);
    int r = sd_event_add_signal(event, &m->hup, SIGHUP, on_hup, m);
    if (r >= 0)
        r = sd_event_add_time(event, &m->timer, CLOCK_REALTIME, 0, ACCURACY_US, on_timer, m);
    if (r < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no timer: %s", g_strerror(-r));
        g_clear_pointer(&m, manager_free);
    }
    return m;
}

void manager_free(manager *m)
{
    if (!m)
        return;
    sd_event_source_disable_unref(m->timer);
    sd_event_source_disable_unref(m->hup);
    http_free(m->http);
    sampler_free(m->sampler);
    stats_config_free(m->config);
    g_free(m->config_path);
    g_free(m);
}
