/* See trace.h. Anybody on the host may write to the journal under any identifier:
 * what counts as Postfix's, amavisd's, the store's or zmauthd's word is told by
 * the unit, which journald knows itself (tools of root count too).
 *
 * A message that goes through the filter is in the queue twice. The first row has
 * the door, the second the deliveries; the second's parent is the first, learned
 * from orig_queue_id of the client line or from the filter's "queued as". */
#include "agents/logger/trace.h"

#include <string.h>

#include "agents/logger/amavis-line.h"
#include "agents/logger/postfix-line.h"

enum { ADDRESS_MAX = 320, TEXT_MAX = 400, ID_MAX = 250, PIECES_MAX = 256 };

struct trace {
    db *d;
    counts *c;
    GHashTable *pieces;     /* amavisd's task -> event whose line goes on */
};

typedef struct {
    gint64 id;              /* 0: none */
    maillog_door door;
    gint64 size;
    bool active, done;
    char client[128];
} message;

typedef struct {
    maillog_kind kind;
    gint64 message;
    span person, peer, text, dsn;
    gint64 code, size;
    double delay;
} event;

trace *trace_new(db *d, counts *c)
{
    trace *t = g_new0(trace, 1);
    *t = (trace) { .d = d, .c = c, .pieces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
    return t;
}

void trace_free(trace *t)
{
    if (!t)
        return;
    g_hash_table_unref(t->pieces);
    g_free(t);
}

static void add_event(trace *t, const entry *e, const event *v)
{
    g_autofree char *person = span_dup(v->person, ADDRESS_MAX), *peer = span_dup(v->peer, ADDRESS_MAX);
    g_autofree char *text = span_dup(v->text, TEXT_MAX), *dsn = span_dup(v->dsn, 16);
    db_run(t->d, SQL_ADD_EVENT, "iiittiidtt", e->time_usec, (gint64) v->kind, v->message, person, peer, v->code, v->size,
           v->delay, dsn, text);
}

static void count(trace *t, const entry *e, maillog_counter which, gint64 n)
{
    counts_add(t->c, e->time_usec, which, n);
}

static message find(trace *t, const char *queue_id)
{
    message m = { .id = 0 };
    sqlite3_stmt *row = *queue_id ? db_row(t->d, SQL_FIND_QUEUE, "t", queue_id) : NULL;
    if (!row)
        return m;
    m = (message) { .id = sqlite3_column_int64(row, 0), .door = (maillog_door) sqlite3_column_int(row, 1),
                    .size = sqlite3_column_int64(row, 2), .active = sqlite3_column_int(row, 3) != 0,
                    .done = sqlite3_column_int(row, 4) != 0 };
    const char *client = (const char *) sqlite3_column_text(row, 5);
    g_strlcpy(m.client, client ? client : "", sizeof m.client);
    db_done(row);
    return m;
}

static message add_message(trace *t, const entry *e, const char *queue_id, maillog_door door, const postfix_line *line,
                           gint64 parent)
{
    g_autofree char *client = line ? span_dup(line->client, ADDRESS_MAX) : NULL;
    g_autofree char *user = line && line->user.len ? span_dup(line->user, ADDRESS_MAX) : NULL;
    db_run(t->d, SQL_ADD_MESSAGE, "tiitti", queue_id, e->time_usec, (gint64) door, client, user, parent);
    message m = { .id = db_last_id(t->d), .door = door };
    g_strlcpy(m.client, client ? client : "", sizeof m.client);
    return m;
}

/* The message that is in the queue under this id; ids are used again. */
static message current(trace *t, const entry *e, const char *queue_id, maillog_door door)
{
    message m = find(t, queue_id);
    return m.id && !m.done ? m : add_message(t, e, queue_id, door, NULL, 0);
}

static bool is_filter_door(span service)
{
    return span_is(service, "amavisd") || span_is(service, "dkim");
}

static void on_client(trace *t, const entry *e, const postfix_line *line)
{
    bool filter = is_filter_door(line->service);
    message parent = find(t, filter ? line->other_id : "");
    add_message(t, e, line->queue_id, filter ? MAILLOG_DOOR_FILTER : MAILLOG_DOOR_SMTP, line, parent.id);
}

static void on_pickup(trace *t, const entry *e, const postfix_line *line)
{
    add_message(t, e, line->queue_id, MAILLOG_DOOR_LOCAL, line, 0);
}

static void on_message_id(trace *t, const entry *e, const postfix_line *line)
{
    message m = current(t, e, line->queue_id, MAILLOG_DOOR_SYSTEM);
    g_autofree char *id = span_dup(line->message_id, ID_MAX);
    db_run(t->d, SQL_SET_MESSAGE_ID, "it", m.id, *id ? id : NULL);
}

/* qmgr says this at each attempt; the first one is the receipt. */
static void on_active(trace *t, const entry *e, const postfix_line *line)
{
    message m = current(t, e, line->queue_id, MAILLOG_DOOR_UNKNOWN);
    if (m.active)
        return;
    g_autofree char *sender = span_dup(line->sender, ADDRESS_MAX);
    db_run(t->d, SQL_SET_ACTIVE, "itii", m.id, sender, line->size, line->recipients);
    if (m.door != MAILLOG_DOOR_SMTP && m.door != MAILLOG_DOOR_LOCAL)
        return;
    add_event(t, e, &(event) { .kind = MAILLOG_RECEIVED, .message = m.id, .person = line->sender,
                               .peer = span_of(m.client), .code = line->recipients, .size = line->size });
    count(t, e, MAILLOG_N_RECEIVED, 1);
    count(t, e, MAILLOG_N_MESSAGES, line->recipients);
    count(t, e, MAILLOG_N_BYTES, line->recipients * line->size);
}

/* amavisd's two ports, templates/postfix/main.cf.in and master.cf.in. */
static bool is_filter_hop(const postfix_line *line)
{
    return span_is(line->program, "smtp") && span_starts(line->relay, "127.0.0.1[127.0.0.1]:") &&
           (span_ends(line->relay, ":10024") || span_ends(line->relay, ":10026"));
}

static void on_filtered(trace *t, const message *m, const postfix_line *line)
{
    message next = find(t, line->other_id);
    if (next.id && next.id != m->id)
        db_run(t->d, SQL_SET_PARENT, "ii", next.id, m->id);
}

static void on_deferred(trace *t, const entry *e, const event *v)
{
    g_autofree char *person = span_dup(v->person, ADDRESS_MAX);
    sqlite3_stmt *row = db_row(t->d, SQL_SEEN_DEFERRED, "it", v->message, person);
    if (row)
        db_done(row);
    else
        count(t, e, MAILLOG_N_DEFERRED, 1);
}

static maillog_kind kind_of(const postfix_line *line)
{
    if (span_is(line->status, "sent"))
        return is_filter_hop(line) ? MAILLOG_FILTERED : MAILLOG_DELIVERED;
    if (span_is(line->status, "bounced"))
        return MAILLOG_BOUNCED;
    return span_is(line->status, "deferred") || span_is(line->status, "SOFTBOUNCE") ? MAILLOG_DEFERRED : 0;
}

static void on_delivery(trace *t, const entry *e, const postfix_line *line)
{
    maillog_kind kind = kind_of(line);
    if (!kind)
        return;             /* an address probe */
    message m = current(t, e, line->queue_id, MAILLOG_DOOR_UNKNOWN);
    char number[32];
    g_snprintf(number, sizeof number, "%.*s", (int) MIN(line->delay.len, sizeof number - 1), line->delay.text);
    event v = { .kind = kind, .message = m.id, .person = line->recipient, .peer = line->relay, .text = line->text,
                .dsn = line->dsn, .size = m.size, .delay = CLAMP(g_ascii_strtod(number, NULL), 0, 1e9) };
    switch (kind) {
    case MAILLOG_FILTERED:
        on_filtered(t, &m, line);
        break;
    case MAILLOG_DELIVERED:
        count(t, e, MAILLOG_N_DELIVERED, 1);
        if (span_is(line->program, "lmtp")) {
            count(t, e, MAILLOG_N_MESSAGES, 1);
            count(t, e, MAILLOG_N_BYTES, m.size);
        }
        break;
    case MAILLOG_BOUNCED:
        count(t, e, MAILLOG_N_BOUNCED, 1);
        break;
    default:
        on_deferred(t, e, &v);
    }
    add_event(t, e, &v);
}

/* Too long in the queue: qmgr names the message, not those still waiting. */
static void on_expired(trace *t, const entry *e, const postfix_line *line)
{
    message m = current(t, e, line->queue_id, MAILLOG_DOOR_UNKNOWN);
    for (int i = 0; i < 10000; i++) {
        sqlite3_stmt *row = db_row(t->d, SQL_STILL_DEFERRED, "i", m.id);
        if (!row)
            break;
        g_autofree char *person = g_strdup((const char *) sqlite3_column_text(row, 0));
        g_autofree char *why = g_strdup_printf("too long in the queue; last: %s", (const char *) sqlite3_column_text(row, 1));
        db_done(row);
        add_event(t, e, &(event) { .kind = MAILLOG_BOUNCED, .message = m.id, .person = span_of(person),
                                   .text = span_of(why), .dsn = span_of("4.4.7"), .size = m.size });
        count(t, e, MAILLOG_N_BOUNCED, 1);
    }
}

static void on_removed(trace *t, const entry *e, const postfix_line *line)
{
    message m = find(t, line->queue_id);
    if (m.id && !m.done)
        db_run(t->d, SQL_SET_DONE, "ii", m.id, e->time_usec);
}

static void on_notice(trace *t, const entry *e, const postfix_line *line)
{
    message about = find(t, line->queue_id), notice = find(t, line->other_id);
    if (about.id && notice.id && about.id != notice.id)
        db_run(t->d, SQL_SET_PARENT, "ii", notice.id, about.id);
}

static void on_reject(trace *t, const entry *e, const postfix_line *line)
{
    gint64 code = 0;
    message m = find(t, line->queue_id);
    span_number(line->status, &code);
    add_event(t, e, &(event) { .kind = MAILLOG_REJECTED, .message = m.done ? 0 : m.id, .person = line->recipient,
                               .peer = line->client, .code = code, .text = line->text, .dsn = line->dsn });
    count(t, e, MAILLOG_N_REJECTED, 1);
}

static void on_problem(trace *t, const entry *e, const postfix_line *line)
{
    add_event(t, e, &(event) { .kind = MAILLOG_PROBLEM, .peer = line->program, .text = line->text });
}

typedef void (*line_fn)(trace *t, const entry *e, const postfix_line *line);
static const line_fn postfix_lines[] = {
    [POSTFIX_CLIENT] = on_client, [POSTFIX_PICKUP] = on_pickup, [POSTFIX_MESSAGE_ID] = on_message_id,
    [POSTFIX_ACTIVE] = on_active, [POSTFIX_DELIVERY] = on_delivery, [POSTFIX_EXPIRED] = on_expired,
    [POSTFIX_REMOVED] = on_removed, [POSTFIX_NOTICE] = on_notice, [POSTFIX_REJECT] = on_reject,
    [POSTFIX_PROBLEM] = on_problem,
};

static void on_postfix(trace *t, const entry *e)
{
    postfix_line line = postfix_parse(entry_span(e, FIELD_IDENT), entry_span(e, FIELD_MESSAGE));
    if (line.kind != POSTFIX_OTHER)
        postfix_lines[line.kind](t, e, &line);
}

static gint64 find_message_id(trace *t, span id)
{
    g_autofree char *text = span_dup(id, ID_MAX);
    sqlite3_stmt *row = *text ? db_row(t->d, SQL_FIND_MESSAGE_ID, "t", text) : NULL;
    gint64 n = row ? sqlite3_column_int64(row, 0) : 0;
    if (row)
        db_done(row);
    return n;
}

/* The message that was scanned; what it became when only that is known. */
static gint64 scanned_message(trace *t, const amavis_line *line)
{
    message m = find(t, line->queue_id);
    if (!m.id)
        m = find(t, line->queued_as);
    return m.id ? m.id : find_message_id(t, line->message_id);
}

static void on_more(trace *t, const amavis_line *line)
{
    g_autofree char *id = span_dup(line->id, 40);
    gint64 *event_id = g_hash_table_lookup(t->pieces, id);
    gint64 m = event_id ? scanned_message(t, line) : 0;
    if (m)
        db_run(t->d, SQL_SET_EVENT_MESSAGE, "ii", *event_id, m);
}

static void on_verdict(trace *t, const entry *e, const amavis_line *line)
{
    static const gint64 codes[] = {
        [VERDICT_CLEAN] = MAILLOG_CLEAN, [VERDICT_SPAM] = MAILLOG_SPAM, [VERDICT_VIRUS] = MAILLOG_VIRUS,
        [VERDICT_BANNED] = MAILLOG_BANNED, [VERDICT_OTHER] = MAILLOG_UNCHECKED,
    };
    if (line->verdict == VERDICT_FAILED)
        return;             /* it will be scanned again */
    char hits[32];
    g_snprintf(hits, sizeof hits, "%.*s", (int) MIN(line->hits.len, sizeof hits - 1), line->hits.text);
    gint64 m = scanned_message(t, line);
    add_event(t, e, &(event) { .kind = MAILLOG_SCANNED, .message = m, .person = line->sender, .peer = line->category,
                               .text = line->names, .code = codes[line->verdict],
                               .delay = CLAMP(g_ascii_strtod(hits, NULL), -1e6, 1e6),
                               .dsn = span_of(line->passed ? "passed" : "blocked") });
    gint64 event_id = db_last_id(t->d);
    count(t, e, MAILLOG_N_SCANNED, 1);
    if (line->verdict == VERDICT_SPAM)
        count(t, e, MAILLOG_N_SPAM, 1);
    if (line->verdict == VERDICT_VIRUS)
        count(t, e, MAILLOG_N_VIRUS, 1);
    if (m || !span_ends(entry_span(e, FIELD_MESSAGE), "..."))
        return;
    if (g_hash_table_size(t->pieces) >= PIECES_MAX)
        g_hash_table_remove_all(t->pieces);
    g_hash_table_replace(t->pieces, span_dup(line->id, 40), g_memdup2(&event_id, sizeof event_id));
}

static void on_amavis(trace *t, const entry *e)
{
    amavis_line line = amavis_parse(entry_span(e, FIELD_MESSAGE));
    if (line.kind == AMAVIS_VERDICT)
        on_verdict(t, e, &line);
    else if (line.kind == AMAVIS_MORE)
        on_more(t, &line);
}

static void on_store(trace *t, const entry *e)
{
    gint64 size = 0;
    span id = entry_span(e, FIELD_MAIL_ID), folder = entry_span(e, FIELD_FOLDER), text = entry_span(e, FIELD_MESSAGE);
    if (!id.len || !folder.len)
        return;
    bool stored = span_starts(text, "stored ");
    span_number(entry_span(e, FIELD_SIZE), &size);
    add_event(t, e, &(event) { .kind = MAILLOG_STORED, .message = find_message_id(t, id), .person = entry_span(e, FIELD_ACCOUNT),
                               .peer = folder, .code = stored, .size = size, .text = stored ? span_of(NULL) : text });
}

static void on_login(trace *t, const entry *e)
{
    if (entry_is(e, FIELD_AUDIT, "login") && entry_is(e, FIELD_RESULT, "denied"))
        add_event(t, e, &(event) { .kind = MAILLOG_AUTH_FAILED, .person = entry_span(e, FIELD_ACCOUNT),
                                   .peer = entry_span(e, FIELD_CLIENT_IP), .dsn = entry_span(e, FIELD_PROTOCOL),
                                   .text = entry_span(e, FIELD_REASON) });
}

void trace_entry(trace *t, const entry *e)
{
    static const struct { const char *unit; void (*take)(trace *t, const entry *e); } sources[] = {
        { "zimbra-postfix.service", on_postfix }, { "zimbra-amavis.service", on_amavis },
        { "zimbra-mailbox-shard@", on_store }, { "zimbra-auth.service", on_login },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
        if (entry_unit_starts(e, sources[i].unit)) {
            sources[i].take(t, e);
            return;
        }
    if (e->uid == 0 && span_starts(entry_span(e, FIELD_IDENT), "postfix/"))
        on_postfix(t, e);
}
