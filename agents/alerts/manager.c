/* See manager.h. Journal and datagram bring the same alert twice; SEEN knows the
 * last ones whether they were news or not. State is written right away for news
 * (before mail goes out) and within SAVE_S for cursors. */
#include "agents/alerts/manager.h"

#include <stdarg.h>
#include "agents/alerts/certificates.h"
#include "agents/alerts/disks.h"
#include "agents/alerts/failures.h"
#include "agents/alerts/feed.h"
#include "agents/alerts/intake.h"
#include "agents/alerts/mailer.h"
#include "agents/alerts/records.h"
#include "agents/alerts/services.h"
#include "lib/journal/journal.h"

enum { SEEN_MAX = 4096, SAVE_S = 5, EXPIRE_S = 10 };

struct manager {
    sd_event *event;
    char *config_path;
    alerts_config *config;
    conditions *conditions;
    keep *keep;
    mailer *mailer;
    feed *feed;
    intake *intake;
    records *records;
    failures *failures;
    services *services;
    disks *disks;
    certificates *certificates;
    GHashTable *seen;           /* char *, uuids */
    GQueue seen_order;          /* the same strings */
    sd_event_source *hup, *save_timer, *expire_timer;
    bool dirty;
};

static void save(manager *m)
{
    g_autoptr(GError) error = NULL;
    GKeyFile *state = keep_state(m->keep);
    (void) g_key_file_remove_group(state, "conditions", NULL);  /* none the first time */
    conditions_save(m->conditions, state);
    if (keep_save_state(m->keep, &error))
        m->dirty = false;
    else
        journal_error("state cannot be saved, conditions may be told twice after a restart: %s", error->message);
}

static int on_save(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    if (m->dirty)
        save(m);
    return 0;
}

void manager_state_changed(manager *m)
{
    if (m->dirty)
        return;
    m->dirty = true;
    int r = sd_event_source_set_time_relative(m->save_timer, SAVE_S * UINT64_C(1000000));
    if (r >= 0)
        r = sd_event_source_set_enabled(m->save_timer, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

static int on_expire(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    if (conditions_expire(m->conditions, g_get_real_time() / G_USEC_PER_SEC))
        manager_state_changed(m);
    int r = sd_event_source_set_time_relative(s, EXPIRE_S * UINT64_C(1000000));
    return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* False when it was seen before. */
static bool see(manager *m, const char *uuid)
{
    if (keep_knows(m->keep, uuid) || g_hash_table_contains(m->seen, uuid))
        return false;
    char *copy = g_strdup(uuid);
    g_hash_table_add(m->seen, copy);
    g_queue_push_tail(&m->seen_order, copy);
    if (m->seen_order.length > SEEN_MAX)
        g_hash_table_remove(m->seen, g_queue_pop_head(&m->seen_order));
    return true;
}

void manager_take(manager *m, alert *a)
{
    if (!see(m, alert_uuid(a)))
        return;
    const alert_def *def = alert_find(alert_id(a));
    g_autofree char *key = alert_condition(a);
    if (key && !conditions_take(m->conditions, key, alert_level(a), def->hold_s, g_get_real_time() / G_USEC_PER_SEC)) {
        manager_state_changed(m);       /* a report is newer than the last */
        return;
    }
    (void) keep_add(m->keep, a);
    save(m);
    feed_publish(m->feed);
    mailer_kick(m->mailer);
}

void manager_raise(manager *m, const char *id, ...)
{
    g_autoptr(alert) a = alert_new(id);
    (void) alert_set(a, "HOST", m->config->host);   /* a good name, and there already */
    va_list ap;
    va_start(ap, id);
    for (const char *name; (name = va_arg(ap, const char *)) != NULL; ) {
        int r = alert_set(a, name, va_arg(ap, const char *));
        g_assert(r != -EINVAL);
    }
    va_end(ap);
    alert_record(a);
    manager_take(m, a);
}

sd_event *manager_event(manager *m)
{
    return m->event;
}

const alerts_config *manager_config(manager *m)
{
    return m->config;
}

int manager_level(manager *m, const char *condition)
{
    return conditions_level(m->conditions, condition);
}

conditions *manager_conditions(manager *m)
{
    return m->conditions;
}

keep *manager_keep(manager *m)
{
    return m->keep;
}

void manager_kick_mail(manager *m)
{
    mailer_kick(m->mailer);
}

static void configure(manager *m)
{
    alerts_config *old = m->config;
    g_autofree char *problem = NULL;
    m->config = alerts_config_load(m->config_path, &problem);
    if (problem)
        journal_warning("%s: %s", m->config_path, problem);
    mailer_configure(m->mailer, m->config);
    failures_configure(m->failures);
    alerts_config_free(old);
}

static int on_hup(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
    manager *m = data;
    configure(m);
    certificates_check(m->certificates);
    disks_check(m->disks);
    return 0;
}

static bool start_parts(manager *m, const manager_paths *paths, GError **error)
{
    m->mailer = mailer_new(m->event, m->keep);
    m->feed = feed_new(m->event, paths->feed_socket, m->keep, error);
    if (!m->feed)
        return false;
    m->failures = failures_new(m);
    configure(m);
    m->intake = intake_new(m, paths->raise_socket, error);
    if (!m->intake)
        return false;
    m->records = records_new(m);
    failures_start(m->failures);
    m->services = services_new(m);
    m->disks = disks_new(m);
    m->certificates = certificates_new(m);
    return true;
}

manager *manager_new(sd_event *event, const manager_paths *paths, GError **error)
{
    manager *m = g_new0(manager, 1);
    m->event = sd_event_ref(event);
    m->config_path = g_strdup(paths->config);
    m->conditions = conditions_new();
    m->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_queue_init(&m->seen_order);
    m->keep = keep_open(paths->folder, error);
    if (!m->keep) {
        manager_free(m);
        return NULL;
    }
    conditions_load(m->conditions, keep_state(m->keep));
    int r = sd_event_add_signal(event, &m->hup, SIGHUP, on_hup, m);
    if (r >= 0)
        r = sd_event_add_time(event, &m->save_timer, CLOCK_MONOTONIC, 0, 0, on_save, m);
    if (r >= 0)
        r = sd_event_add_time_relative(event, &m->expire_timer, CLOCK_MONOTONIC, 0, 0, on_expire, m);
    g_assert(r >= 0);
    if (!start_parts(m, paths, error))
        g_clear_pointer(&m, manager_free);
    return m;
}

void manager_free(manager *m)
{
    if (!m)
        return;
    certificates_free(m->certificates);
    disks_free(m->disks);
    services_free(m->services);
    failures_free(m->failures);
    records_free(m->records);
    intake_free(m->intake);
    feed_free(m->feed);
    if (m->keep)
        save(m);
    mailer_free(m->mailer);
    keep_close(m->keep);
    conditions_free(m->conditions);
    g_queue_clear(&m->seen_order);
    g_hash_table_unref(m->seen);
    sd_event_source_disable_unref(m->hup);
    sd_event_source_disable_unref(m->save_timer);
    sd_event_source_disable_unref(m->expire_timer);
    alerts_config_free(m->config);
    sd_event_unref(m->event);
    g_free(m->config_path);
    g_free(m);
}
