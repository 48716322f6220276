/* See manager.h. */
#include "agents/snmp/manager.h"

#include "agents/snmp/agentx.h"
#include "agents/snmp/config.h"
#include "agents/snmp/facts.h"
#include "agents/snmp/feed.h"
#include "agents/snmp/outbox.h"
#include "agents/snmp/packet.h"
#include "agents/snmp/sampler.h"
#include "lib/journal/journal.h"

struct manager {
    snmpagent_config *config;
    agentx *agentx;
    feed *feed;
    outbox *outbox;
    sampler *sampler;
    sd_event_source *rebuild;   /* deferred: a burst of alerts builds one tree */
    facts *facts;
    GQueue alerts;              /* record *, oldest first */
};

static void wake_rebuild(manager *m)
{
    int r = sd_event_source_set_enabled(m->rebuild, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

static void add_host(manager *m, tree *t)
{
    g_autoptr(record) host = record_new();
    const GPtrArray *samples = m->facts->rows[GROUP_TRAFFIC];
    record_set(host, "NAME", m->config->host);
    record_set_number(host, "SENT", outbox_sent(m->outbox));
    record_set_number(host, "WAITING", outbox_waiting(m->outbox));
    if (samples->len > 0)
        record_set(host, "SAMPLE_TIME", record_get(samples->pdata[0], "SAMPLE_TIME"));
    mib_add(t, GROUP_HOST, host);
}

static int on_rebuild(sd_event_source *s, void *data)
{
    manager *m = data;
    tree *t = tree_new();
    add_host(m, t);
    for (int g = 0; g < GROUPS; g++)
        for (guint i = 0; i < m->facts->rows[g]->len; i++)
            mib_add(t, (group_id) g, m->facts->rows[g]->pdata[i]);
    for (GList *a = m->alerts.head; a; a = a->next)
        mib_add(t, GROUP_ALERT, a->data);
    tree_sort(t);
    agentx_show(m->agentx, t);
    return 0;
}

static void take_facts(facts *f, void *data)
{
    manager *m = data;
    facts_free(m->facts);
    m->facts = f;
    wake_rebuild(m);
}

/* After a lost connection the feed gives everything again: a row takes the place
 * of the one with its number. */
static void keep_alert(manager *m, record *row)
{
    const char *number = record_get(row, "NUMBER");
    for (GList *a = m->alerts.tail; a; a = a->prev)
        if (g_str_equal(record_get(a->data, "NUMBER"), number)) {
            record_unref(a->data);
            a->data = record_ref(row);
            return;
        }
    g_queue_push_tail(&m->alerts, record_ref(row));
    if (m->alerts.length > MANAGER_ALERTS)
        record_unref(g_queue_pop_head(&m->alerts));
}

static void take_alert(record *row, void *data)
{
    manager *m = data;
    keep_alert(m, row);
    outbox_add(m->outbox, row, m->config->notify && packet_notification(row));
    wake_rebuild(m);
    sampler_kick(m->sampler);   /* what it is about may show in a table */
}

static void on_taken(bool taken, void *data)
{
    manager *m = data;
    outbox_taken(m->outbox, taken);
    wake_rebuild(m);
}

static bool send_alert(const record *row, void *data)
{
    manager *m = data;
    return agentx_notify(m->agentx, packet_notification(row), row, on_taken, m);
}

static void on_session(void *data)
{
    manager *m = data;
    if (m->agentx && agentx_is_connected(m->agentx))
        outbox_kick(m->outbox);
}

static bool start_parts(manager *m, sd_event *event, const manager_paths *paths, GError **error)
{
    m->outbox = outbox_new(event, paths->sent_file, send_alert, m);
    m->agentx = agentx_new(event, paths->agentx_socket, on_session, m);
    if (!m->agentx) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "net-snmp's agent library does not start");
        return false;
    }
    m->sampler = sampler_new(event, m->config, take_facts, m, error);
    if (!m->sampler)
        return false;
    m->feed = feed_new(event, paths->feed_socket, take_alert, m);
    outbox_kick(m->outbox);
    return true;
}

manager *manager_new(sd_event *event, const manager_paths *paths, GError **error)
{
    manager *m = g_new0(manager, 1);
    g_autofree char *problem = NULL;
    m->config = snmpagent_config_load(paths->config, &problem);
    if (problem)
        journal_warning("%s: %s", paths->config, problem);
    m->facts = facts_new();
    g_queue_init(&m->alerts);
    int r = sd_event_add_defer(event, &m->rebuild, on_rebuild, m);
    if (r >= 0)
        r = sd_event_source_set_enabled(m->rebuild, SD_EVENT_OFF);
    g_assert(r >= 0);
    if (start_parts(m, event, paths, error))
        return m;
    manager_free(m);
    return NULL;
}

/* The sampler's thread goes on, and with it the configuration it reads. */
void manager_free(manager *m)
{
    if (!m)
        return;
    feed_free(m->feed);
    agentx_free(m->agentx);
    outbox_free(m->outbox);
    sd_event_source_disable_unref(m->rebuild);
    facts_free(m->facts);
    g_queue_clear_full(&m->alerts, (GDestroyNotify) record_unref);
    if (!m->sampler) {
        snmpagent_config_free(m->config);
        g_free(m);
    }
}
