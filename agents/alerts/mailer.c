/* See mailer.h. "upto" in the state file is the number of the last alert that is
 * done with. A message is sent for the first alert after it; upto moves when the
 * server has taken it, so a crash in between repeats one mail and loses none.
 *
 * BURST messages may go out at once and one more every REFILL_S; while more
 * than DIGEST_FROM wait, one message tells them all. */
#include "agents/alerts/mailer.h"

#include "agents/alerts/message.h"
#include "agents/alerts/smtp.h"
#include "lib/journal/journal.h"

enum { BURST = 30, REFILL_S = 120, DIGEST_FROM = 20, DIGEST_MAX = 100, RETRY_MIN_S = 5, RETRY_MAX_S = 300 };

struct mailer {
    sd_event *event;
    sd_event_source *timer;
    keep *k;
    const alerts_config *config;
    smtp *sending;
    guint64 sending_upto;       /* done with so far when SENDING succeeds */
    guint64 upto;
    unsigned tokens;
    gint64 tokens_usec;         /* monotonic: when they were last counted */
    gint64 not_before_usec;     /* monotonic */
    unsigned retry_s;
    unsigned server;            /* of the configured SMTP servers */
    char *told;                 /* problem already in the journal */
};

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    mailer_kick(data);
    return 0;
}

mailer *mailer_new(sd_event *event, keep *k)
{
    mailer *m = g_new0(mailer, 1);
    *m = (mailer) { .event = sd_event_ref(event), .k = k, .tokens = BURST, .tokens_usec = g_get_monotonic_time(),
                    .retry_s = RETRY_MIN_S };
    m->upto = g_key_file_get_uint64(keep_state(k), "mail", "upto", NULL);
    int r = sd_event_add_time(event, &m->timer, CLOCK_MONOTONIC, 0, 0, on_timer, m);
    g_assert(r >= 0);
    return m;
}

void mailer_free(mailer *m)
{
    if (!m)
        return;
    smtp_cancel(m->sending);
    sd_event_source_disable_unref(m->timer);
    sd_event_unref(m->event);
    g_free(m->told);
    g_free(m);
}

static void wake_at(mailer *m, gint64 usec)
{
    int r = sd_event_source_set_time(m->timer, (uint64_t) usec);
    if (r >= 0)
        r = sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

static void set_upto(mailer *m, guint64 upto)
{
    g_autoptr(GError) error = NULL;
    m->upto = upto;
    g_key_file_set_uint64(keep_state(m->k), "mail", "upto", upto);
    if (!keep_save_state(m->k, &error))
        journal_error("how far mail has gone out cannot be saved: %s", error->message);
}

static bool is_mailed(const alert *a)
{
    const alert_def *def = alert_find(alert_id(a));
    return !def || !def->no_mail;
}

static bool is_abuse(const alert *a)
{
    return g_str_has_prefix(alert_id(a), "abuse-");
}

/* Alerts to mail after upto, oldest first; nothing is owned. */
static GPtrArray *pending(mailer *m)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint64 n = MAX(m->upto + 1, keep_first(m->k)); n < keep_next(m->k); n++) {
        alert *a = keep_get(m->k, n);
        if (a && is_mailed(a))
            g_ptr_array_add(list, a);
    }
    return list;
}

static guint64 number_of(mailer *m, const alert *a)
{
    for (guint64 n = keep_first(m->k); n < keep_next(m->k); n++)
        if (keep_get(m->k, n) == a)
            return n;
    return m->upto;
}

static void tell_once(mailer *m, const char *problem)
{
    if (g_strcmp0(problem, m->told) == 0)
        return;
    g_free(m->told);
    m->told = g_strdup(problem);
    if (problem)
        journal_warning("alerts wait to be mailed: %s", problem);
    else
        journal_info("alerts are mailed again");
}

static void on_sent(const char *problem, void *data)
{
    mailer *m = data;
    m->sending = NULL;
    if (problem) {
        m->server++;
        tell_once(m, problem);
        m->not_before_usec = g_get_monotonic_time() + m->retry_s * G_USEC_PER_SEC;
        m->retry_s = MIN(m->retry_s * 2, (unsigned) RETRY_MAX_S);
    } else {
        if (m->told)
            tell_once(m, NULL);
        m->retry_s = RETRY_MIN_S;
        m->tokens -= m->tokens > 0;
        set_upto(m, m->sending_upto);
    }
    mailer_kick(m);
}

static void refill(mailer *m, gint64 now)
{
    gint64 n = (now - m->tokens_usec) / (REFILL_S * G_USEC_PER_SEC);
    if (m->tokens >= BURST) {
        m->tokens_usec = now;
        return;
    }
    m->tokens = (unsigned) MIN(m->tokens + n, (gint64) BURST);
    m->tokens_usec += n * REFILL_S * G_USEC_PER_SEC;
}

static void send_text(mailer *m, const char *to, char *text)
{
    guint hosts = g_strv_length(m->config->smtp_hosts);
    m->sending = smtp_send(m->event, m->config->smtp_hosts[m->server % hosts], m->config->smtp_port, m->config->host,
                           m->config->source, to, text, on_sent, m);
    g_free(text);
}

static void send_one(mailer *m, alert *a)
{
    const alerts_config *c = m->config;
    const char *to = is_abuse(a) && c->abuse_destination ? c->abuse_destination : c->destination;
    m->sending_upto = number_of(m, a);
    send_text(m, to, message_of_alert(a, c->source, to));
}

static void send_many(mailer *m, GPtrArray *list)
{
    const alerts_config *c = m->config;
    guint64 omitted = keep_first(m->k) > m->upto + 1 ? keep_first(m->k) - m->upto - 1 : 0;
    if (list->len > DIGEST_MAX) {
        omitted += list->len - DIGEST_MAX;
        g_ptr_array_remove_range(list, 0, list->len - DIGEST_MAX);
    }
    m->sending_upto = keep_next(m->k) - 1;
    send_text(m, c->destination, message_of_many(list, omitted, c->host, c->source, c->destination));
}

void mailer_kick(mailer *m)
{
    gint64 now = g_get_monotonic_time();
    if (m->sending || !m->config)
        return;
    g_autoptr(GPtrArray) list = pending(m);
    if (!m->config->notify || list->len == 0) {
        if (m->upto + 1 < keep_next(m->k))
            set_upto(m, keep_next(m->k) - 1);
        return;
    }
    if (!m->config->destination) {
        tell_once(m, "nobody is named to send them to: zmlocalconfig -e smtp_destination=ADDRESS");
        return;
    }
    refill(m, now);
    if (now < m->not_before_usec)
        wake_at(m, m->not_before_usec);
    else if (m->tokens == 0)
        wake_at(m, m->tokens_usec + REFILL_S * G_USEC_PER_SEC);
    else if (list->len > DIGEST_FROM)
        send_many(m, list);
    else
        send_one(m, list->pdata[0]);
}

void mailer_configure(mailer *m, const alerts_config *config)
{
    m->config = config;
    m->not_before_usec = 0;
    m->retry_s = RETRY_MIN_S;
    mailer_kick(m);
}
