/* One message on its way: parsed while it streams in, kept in memory up to 32 KiB
 * and above that in an unnamed file of the first recipient's shard, then given to
 * each shard that has recipients. Their answers come after their commits; only
 * then is a recipient told 250.
 *
 * What is stored is the text as received (dots unstuffed, nothing converted) with
 * one Return-Path field before it (RFC 5321 §4.4). */
#include "agents/store/intake/session.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "agents/store/intake/replies.h"
#include "lib/journal/journal.h"

#define INLINE_MAX (32 * 1024)

static const char no_spool[] = "451 4.3.0 The mail store is not available, try later";

static void recipient_clear(void *p)
{
    recipient *r = p;
    g_free(r->address);
    g_free(r->account_id);
    g_free(r->name);
    g_free(r->text);
}

void transaction_init(transaction *t)
{
    *t = (transaction) { .spool = -1, .recipients = g_array_new(FALSE, FALSE, sizeof(recipient)) };
    g_array_set_clear_func(t->recipients, recipient_clear);
}

void transaction_reset(transaction *t)
{
    if (t->parser)
        mime_summary_free(mime_parser_end(t->parser));
    g_clear_pointer(&t->body, g_byte_array_unref);
    g_clear_pointer(&t->summary, g_bytes_unref);
    if (t->spool >= 0)
        close(t->spool);
    g_free(t->sender);
    g_free(t->message_id);
    GArray *recipients = t->recipients;
    g_array_set_size(recipients, 0);
    *t = (transaction) { .spool = -1, .recipients = recipients };
}

/* ---- text ---- */

static void spool_write(transaction *t, const void *bytes, size_t len)
{
    for (const char *p = bytes; len > 0 && !t->failure; ) {
        ssize_t n = write(t->spool, p, len);
        if (n < 0 && errno != EINTR) {
            bool full = errno == ENOSPC || errno == EDQUOT;
            journal_error("cannot spool a message: %s", g_strerror(errno));
            t->failure = full ? "452 4.3.1 The mail store is full, try later" : no_spool;
        } else if (n > 0) {
            p += n;
            len -= (size_t) n;
        }
    }
}

static void store_text(transaction *t, const char *bytes, size_t len)
{
    t->size += len;
    mime_parser_feed(t->parser, bytes, len);
    if (t->spool >= 0)
        spool_write(t, bytes, len);
    else
        g_byte_array_append(t->body, (const guint8 *) bytes, (guint) len);
}

void transaction_begin_data(session *s)
{
    transaction *t = &s->t;
    lmtp_data_init(&s->data);
    s->in_data = true;
    t->parser = mime_parser_new(&mime_default_limits);
    t->body = g_byte_array_sized_new(4096);
    g_autofree char *trace = g_strdup_printf("Return-Path: <%s>\r\n", t->sender);
    store_text(t, trace, strlen(trace));
    uint64_t max = s->in->config.max_message_size;
    t->limit = max ? max + t->size : UINT32_MAX;         /* the store's own limit */
}

void transaction_text(const char *bytes, size_t len, void *data)
{
    session *s = data;
    transaction *t = &s->t;
    if (t->failure)
        return;
    if (t->size + len > t->limit) {
        t->failure = "552 5.3.4 The message exceeds the limit";
        g_byte_array_set_size(t->body, 0);
        return;
    }
    spam_watch_feed(&t->spam, bytes, len);
    store_text(t, bytes, len);
}

/* ---- spool ---- */

static void on_spool(wire_conn *conn, wire_message *m, void *data)
{
    session *s = data;
    transaction *t = &s->t;
    if (s->fd >= 0) {
        t->spool = m && m->rcpt_verdict.status == WIRE_OK ? wire_take_fd(m, 0) : -1;
        if (t->spool >= 0) {
            spool_write(t, t->body->data, t->body->len);
        } else {
            t->failure = no_spool;
            journal_warning("no place to spool a message: %s", m ? m->rcpt_verdict.text : "connection to the shard lost");
        }
        g_byte_array_set_size(t->body, 0);
        if (s->in_data)
            session_resume(s);
        else
            transaction_deliver(s);
    }
    session_unref(s);
}

/* Asks the first recipient's shard. False: it is down. */
static bool request_spool(session *s)
{
    const recipient *r = &g_array_index(s->t.recipients, recipient, 0);
    wire_message m = { .type = WIRE_RCPT_CHECK, .rcpt_check = {
        .account_id = r->account_id, .name = r->name, .quota_bytes = 0, .want_spool = 1 } };
    wire_conn *conn = intake_shard(s->in, r->shard);
    if (!conn || wire_call(conn, &m, on_spool, session_ref(s)) < 0) {
        if (conn)
            session_unref(s);
        return false;
    }
    session_busy(s);
    return true;
}

static bool needs_spool(const transaction *t)
{
    return !t->failure && t->spool < 0 && t->size > INLINE_MAX;
}

void transaction_spool(session *s)
{
    if (needs_spool(&s->t) && !request_spool(s))
        s->t.failure = no_spool;
}

/* ---- delivery ---- */

static void count_message(const session *s, uint64_t delivered)
{
    statpage *n = s->in->numbers;
    const transaction *t = &s->t;
    statpage_inc(n, NUMBER_MESSAGES);
    statpage_add(n, NUMBER_BYTES, t->size);
    statpage_add(n, NUMBER_RECIPIENTS, t->recipients->len);
    statpage_add(n, NUMBER_DELIVERED, delivered);
    statpage_add(n, NUMBER_DELIVERED_BYTES, delivered * t->size);
    statpage_add(n, NUMBER_LMTP_US, statpage_now_us() - t->begun_us);
}

static void reply_all(session *s)
{
    transaction *t = &s->t;
    uint64_t delivered = 0;
    for (guint i = 0; i < t->recipients->len; i++) {
        const recipient *r = &g_array_index(t->recipients, recipient, i);
        const recipient *done = r->same_as >= 0 ? &g_array_index(t->recipients, recipient, r->same_as) : r;
        verdict v = verdict_of_shard(done->status, s->in->config.over_quota_permanent);
        if (t->failure)
            session_reply(s, "%s", t->failure);
        else if (v.code)
            session_reply(s, "%s <%s> %s", v.code, r->address, v.text);
        else
            session_reply(s, "250 2.0.0 <%s> stored", r->address);
        delivered += !t->failure && !v.code && r->same_as < 0;
    }
    count_message(s, delivered);
    transaction_reset(t);
    session_resume(s);
}

typedef struct { session *s; unsigned shard; } shard_call;

static void fail_shard(transaction *t, unsigned shard, const char *text)
{
    for (guint i = 0; i < t->recipients->len; i++) {
        recipient *r = &g_array_index(t->recipients, recipient, i);
        if (r->shard == shard && r->same_as < 0) {
            r->status = WIRE_TEMPFAIL;
            r->text = g_strdup(text);
        }
    }
}

/* Results come in the order recipients were sent in. */
static void take_results(transaction *t, unsigned shard, const wire_delivered *d)
{
    size_t next = 0;
    for (guint i = 0; i < t->recipients->len; i++) {
        recipient *r = &g_array_index(t->recipients, recipient, i);
        if (r->shard != shard || r->same_as >= 0)
            continue;
        bool given = next < d->n_results;
        r->status = given ? d->results[next].status : WIRE_TEMPFAIL;
        r->text = g_strdup(given ? d->results[next].text : "the shard gave no result");
        next++;
    }
}

static void on_delivered(wire_conn *conn, wire_message *m, void *data)
{
    g_autofree shard_call *call = data;
    session *s = call->s;
    transaction *t = &s->t;
    if (m)
        take_results(t, call->shard, &m->delivered);
    else
        fail_shard(t, call->shard, "the connection to the mail store was lost, try later");
    if (--t->pending == 0 && s->fd >= 0)
        reply_all(s);
    session_unref(s);                 /* the last one when the client has gone meanwhile */
}

static GArray *recipients_of(const transaction *t, unsigned shard)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(wire_recipient));
    for (guint i = 0; i < t->recipients->len; i++) {
        const recipient *r = &g_array_index(t->recipients, recipient, i);
        if (r->shard != shard || r->same_as >= 0)
            continue;
        wire_recipient w = { r->account_id, r->name, r->quota_bytes, t->spam.yes ? WIRE_JUNK : WIRE_INBOX };
        g_array_append_val(list, w);
    }
    return list;
}

static bool send_to_shard(session *s, unsigned shard, GArray *list, int64_t now)
{
    transaction *t = &s->t;
    wire_message m = { .type = WIRE_DELIVER, .deliver = {
        .sender = t->sender, .client = s->client, .message_id = t->message_id, .incoming = "", .date = now,
        .size = t->size, .recipients = (wire_recipient *) (void *) list->data, .n_recipients = list->len } };
    m.deliver.summary.data = g_bytes_get_data(t->summary, &m.deliver.summary.len);
    if (t->spool >= 0)
        m.fds[m.n_fds++] = t->spool;
    else
        m.deliver.body = (wire_bytes) { t->body->data, t->body->len };
    wire_conn *conn = intake_shard(s->in, shard);
    if (!conn)
        return false;
    shard_call *call = g_new(shard_call, 1);
    *call = (shard_call) { session_ref(s), shard };
    if (wire_call(conn, &m, on_delivered, call) == 0)
        return true;
    session_unref(s);
    g_free(call);
    return false;
}

static void finish_parsing(transaction *t)
{
    g_autoptr(mime_summary) summary = mime_parser_end(g_steal_pointer(&t->parser));
    t->summary = mime_summary_encode(summary);
    /* for the log: printable and short, whatever the sender wrote */
    const char *id = summary->envelope.message_id ? summary->envelope.message_id : "";
    t->message_id = journal_escape(id, strlen(id), 200);
}

void transaction_deliver(session *s)
{
    transaction *t = &s->t;
    if (t->begun_us == 0)
        t->begun_us = statpage_now_us();
    if (needs_spool(t)) {
        if (request_spool(s))
            return;                   /* comes back here */
        t->failure = no_spool;
    }
    session_busy(s);
    if (t->failure) {
        reply_all(s);
        return;
    }
    finish_parsing(t);
    int64_t now = (int64_t) time(NULL);
    t->pending = 1;                   /* held until all were sent */
    for (unsigned shard = 0; shard < s->in->config.shards; shard++) {
        g_autoptr(GArray) list = recipients_of(t, shard);
        if (list->len == 0)
            continue;
        t->pending++;
        if (!send_to_shard(s, shard, list, now)) {
            t->pending--;
            fail_shard(t, shard, "the mail store is down, try later");
        }
    }
    if (--t->pending == 0)
        reply_all(s);
}
