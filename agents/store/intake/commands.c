/* The commands of LMTP (RFC 2033): one row each with the state it needs. RCPT asks
 * zmauthd who the address is, then the account's shard. */
#include "agents/store/intake/session.h"

#include "agents/store/intake/replies.h"
#include "lib/journal/journal.h"

static void lhlo(session *s, const lmtp_command *c)
{
    const intake_config *config = &s->in->config;
    transaction_reset(&s->t);
    s->greeted = true;
    session_reply(s, "250-%s", config->advertised_name);
    session_reply(s, "250-PIPELINING");
    session_reply(s, "250-ENHANCEDSTATUSCODES");
    session_reply(s, "250-8BITMIME");
    session_reply(s, "250-SMTPUTF8");
    if (config->max_message_size)
        session_reply(s, "250 SIZE %" G_GUINT64_FORMAT, config->max_message_size);
    else
        session_reply(s, "250 SIZE");
}

static void mail(session *s, const lmtp_command *c)
{
    uint64_t max = s->in->config.max_message_size;
    if (max && c->size > max) {
        session_reply(s, "552 5.3.4 Message of %" G_GUINT64_FORMAT " bytes exceeds the limit of %" G_GUINT64_FORMAT, c->size, max);
        return;
    }
    s->t.sender = g_strdup(c->path);
    s->t.declared_size = c->size;
    session_reply(s, "250 2.1.0 Sender accepted");
}

/* ---- RCPT ---- */

/* A NULL code: mail for R is ours. */
static verdict judge(const session *s, const auth_result *r)
{
    if (r->status == AUTH_TEMPFAIL)
        return (verdict) { "451 4.3.0", "directory does not answer, try later" };
    if (r->status != AUTH_OK || !r->account_id || !r->name)
        return (verdict) { "550 5.1.1", "no such user here" };
    verdict v = verdict_of_account(r->account_status);
    if (v.code)
        return v;
    if (!r->mail_host || g_ascii_strcasecmp(r->mail_host, s->in->config.hostname) != 0)
        return (verdict) { "450 4.3.5", "mailbox is on another host, check zimbraMailTransport" };
    return v;
}

static recipient *last_recipient(session *s)
{
    return &g_array_index(s->t.recipients, recipient, s->t.recipients->len - 1);
}

/* The last recipient, still to be decided, is not taken. */
static void refuse(session *s, verdict v, const char *reason)
{
    const recipient *r = last_recipient(s);
    journal_info("refused recipient <%s> from <%s> by %s: %s %s%s%s", r->address, s->t.sender, s->client,
                 v.code, v.text, reason && *reason ? ": " : "", reason ? reason : "");
    session_reply(s, "%s <%s> %s", v.code, r->address, v.text);
    g_array_set_size(s->t.recipients, s->t.recipients->len - 1);
    session_resume(s);
}

static void on_verdict(wire_conn *conn, wire_message *m, void *data)
{
    session *s = data;
    if (s->fd >= 0) {
        verdict v = verdict_of_shard(m ? m->rcpt_verdict.status : WIRE_TEMPFAIL, s->in->config.over_quota_permanent);
        if (v.code) {
            refuse(s, v, m ? m->rcpt_verdict.text : "connection to the shard lost");
        } else {
            session_reply(s, "250 2.1.5 Recipient accepted");
            session_resume(s);
        }
    }
    session_unref(s);
}

static void find_same(session *s, recipient *r)
{
    r->same_as = -1;
    for (guint i = 0; i + 1 < s->t.recipients->len && r->same_as < 0; i++)
        if (g_str_equal(g_array_index(s->t.recipients, recipient, i).account_id, r->account_id))
            r->same_as = (int) i;
}

static void on_resolved(const auth_result *result, void *data)
{
    session *s = data;
    s->auth_request = 0;
    verdict v = judge(s, result);
    if (v.code) {
        refuse(s, v, result->reason);
        session_unref(s);
        return;
    }
    recipient *r = last_recipient(s);
    r->account_id = g_strdup(result->account_id);
    r->name = g_strdup(result->name);
    r->quota_bytes = result->quota_bytes;
    r->shard = wire_shard_of(r->account_id, s->in->config.shards);
    find_same(s, r);
    wire_message m = { .type = WIRE_RCPT_CHECK, .rcpt_check = {
        .account_id = r->account_id, .name = r->name, .quota_bytes = r->quota_bytes, .size = s->t.declared_size } };
    wire_conn *conn = intake_shard(s->in, r->shard);
    if (conn && wire_call(conn, &m, on_verdict, s) == 0)
        return;                          /* the reference goes on to on_verdict */
    refuse(s, verdict_of_shard(WIRE_TEMPFAIL, false), "the shard is down");
    session_unref(s);
}

static void rcpt(session *s, const lmtp_command *c)
{
    if (s->t.recipients->len >= s->in->config.max_recipients) {
        session_reply(s, "452 4.5.3 Too many recipients");
        return;
    }
    recipient r = { .address = g_strdup(c->path), .same_as = -1 };
    g_array_append_val(s->t.recipients, r);
    session_busy(s);
    s->auth_request = auth_resolve(s->in->auth, c->path, on_resolved, session_ref(s));
}

/* ---- the rest ---- */

static void data(session *s, const lmtp_command *c)
{
    session_reply(s, "354 End data with <CR><LF>.<CR><LF>");
    transaction_begin_data(s);
}

static void rset(session *s, const lmtp_command *c)
{
    transaction_reset(&s->t);
    session_reply(s, "250 2.0.0 OK");
}

static void noop(session *s, const lmtp_command *c)
{
    session_reply(s, "250 2.0.0 OK");
}

static void quit(session *s, const lmtp_command *c)
{
    session_reply(s, "221 2.0.0 %s closing connection", s->in->config.advertised_name);
    session_close(s);
}

static void vrfy(session *s, const lmtp_command *c)
{
    session_reply(s, "252 2.5.0 Use RCPT");      /* RFC 5321 §3.5.3 */
}

static void other_greeting(session *s, const lmtp_command *c)
{
    s->errors++;
    session_reply(s, "500 5.5.1 This is LMTP: use LHLO");   /* RFC 2033 §4.1 */
}

enum { NEED_LHLO = 1, NEED_MAIL = 2, NEED_RCPT = 4, NO_MAIL = 8 };

static const struct {
    unsigned needs;
    void (*run)(session *s, const lmtp_command *c);
} commands[LMTP_VERBS] = {
    [LMTP_LHLO] = { 0, lhlo },
    [LMTP_MAIL] = { NEED_LHLO | NO_MAIL, mail },
    [LMTP_RCPT] = { NEED_LHLO | NEED_MAIL, rcpt },
    [LMTP_DATA] = { NEED_LHLO | NEED_MAIL | NEED_RCPT, data },
    [LMTP_RSET] = { 0, rset },
    [LMTP_NOOP] = { 0, noop },
    [LMTP_QUIT] = { 0, quit },
    [LMTP_VRFY] = { 0, vrfy },
    [LMTP_HELO] = { 0, other_greeting },
    [LMTP_EHLO] = { 0, other_greeting },
};

static const char *wrong_state(const session *s, unsigned needs)
{
    if ((needs & NEED_LHLO) && !s->greeted)
        return "503 5.5.1 LHLO first";
    if ((needs & NEED_MAIL) && !s->t.sender)
        return "503 5.5.1 MAIL first";
    if ((needs & NEED_RCPT) && s->t.recipients->len == 0)
        return "503 5.5.1 No valid recipients";       /* RFC 2033 §4.2 */
    if ((needs & NO_MAIL) && s->t.sender)
        return "503 5.5.1 A transaction is open: RSET first";
    return NULL;
}

void session_command(session *s, const char *line, size_t len)
{
    lmtp_command c;
    lmtp_command_parse(line, len, &c);
    const char *bad = c.reply;
    if (!bad)
        bad = wrong_state(s, commands[c.verb].needs);
    if (bad) {
        s->errors++;
        session_reply(s, "%s", bad);
        return;
    }
    commands[c.verb].run(s, &c);
}
