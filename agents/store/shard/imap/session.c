/* An IMAP session: input to commands, commands to answers. What the commands do is
 * in cmd-*.c; what changes of the folder are told when, in sync.c. */
#include "agents/store/shard/imap/session.h"

#include <errno.h>

#include "agents/store/shard/imap/cmd.h"
#include "agents/store/shard/imap/start.h"
#include "agents/store/shard/numbers.h"
#include "lib/journal/journal.h"

enum { MAX_COMMAND = 64 * 1024, MAX_TAG = 64, MAX_BAD = 20 };

static void on_input(void *data);

/* ---- life ---- */

session *session_ref(session *s)
{
    s->refs++;
    return s;
}

static void forget_command(session *s)
{
    if (s->state)
        s->state_free(s->state);
    s->state = NULL;
    s->command = NULL;
    s->produce = NULL;
    s->take_input = NULL;
    s->uid = s->idling = false;
    g_clear_pointer(&s->strings, g_string_chunk_free);
    g_clear_pointer(&s->tag, g_free);
    g_clear_pointer(&s->told, g_array_unref);
    g_clear_pointer(&s->answer, g_free);
}

void session_unref(session *s)
{
    if (--s->refs > 0)
        return;
    g_assert(s->closed);
    forget_command(s);
    session_deselect(s);
    if (s->mailbox)
        mailbox_unref(s->mailbox);
    imap_reader_done(&s->reader);
    g_free(s->account_id);
    g_free(s->name);
    g_free(s->client);
    g_free(s);
}

static void close_session(session *s)
{
    if (s->closed)
        return;
    s->closed = true;
    statpage_dec(shard_get_numbers(s->server->shard)->page, NUMBER_IMAP_SESSIONS);
    g_hash_table_remove(s->server->sessions, s);
    g_clear_pointer(&s->watch, mailbox_watch_remove);
    g_clear_pointer(&s->stream, stream_free);
    session_unref(s);
}

static void on_lost(void *data)
{
    close_session(data);
}

static void on_idle(void *data)
{
    session *s = data;
    if (s->command && !s->take_input)   /* at work for the client, however slowly it reads */
        stream_set_idle(s->stream, s->server->settings.idle_seconds);
    else
        session_end(s, "Idle for too long");
}

static void on_drain(void *data)
{
    session *s = data;
    session_ref(s);
    if (s->produce)
        s->produce(s);
    else if (s->mailbox && !s->command)   /* input had to wait for room, not for a command */
        stream_want_input(s->stream, true);
    session_unref(s);
}

/* ---- output ---- */

GString *session_out(session *s)
{
    return stream_output(s->stream);
}

void session_bye(session *s, const char *reason)
{
    g_string_append_printf(session_out(s), "* BYE %s\r\n", reason);
    stream_close_after_flush(s->stream);
}

void session_end(session *s, const char *reason)
{
    g_string_append_printf(session_out(s), "* BYE [UNAVAILABLE] %s\r\n", reason);
    stream_flush(s->stream);
    close_session(s);
}

/* IDLE is no work: it is counted, its time is not. */
static void count_command(const session *s)
{
    const shard_numbers *n = shard_get_numbers(s->server->shard);
    uint64_t us = statpage_now_us() - s->begun_us;
    statpage_inc(n->page, NUMBER_IMAP_COMMANDS);
    if (!s->command)
        return;
    bool idle = s->command->run == cmd_idle;
    if (!idle) {
        statpage_inc(n->page, NUMBER_IMAP_TIMED);
        statpage_add(n->page, NUMBER_IMAP_US, us);
    }
    shard_count_command(n, n->imap_first, (unsigned) (s->command - imap_commands), idle ? 0 : us);
}

static void send_answer(session *s)
{
    count_command(s);
    g_string_append_printf(session_out(s), "%s %s\r\n", s->tag, s->answer);
    forget_command(s);
    stream_want_input(s->stream, true);
}

static void finish(session *s, const char *status, const char *format, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(format, ap);
    s->answer = g_strdup_printf("%s %s", status, text);
    s->produce = NULL;
    if (s->command && !(s->command->flags & NO_SYNC))
        session_sync(s, !(s->command->flags & KEEPS_NUMBERS) || s->uid, send_answer);
    else
        send_answer(s);
}

void session_ok(session *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    finish(s, "OK", format, ap);
    va_end(ap);
}

void session_no(session *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    finish(s, "NO", format, ap);
    va_end(ap);
}

void session_bad(session *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    finish(s, "BAD", format, ap);
    va_end(ap);
    if (++s->bad_commands >= MAX_BAD)
        session_bye(s, "Too many bad commands");
}

static const struct { int error; const char *text; } refusals[] = {
    { -EEXIST, "[ALREADYEXISTS] A mailbox of that name exists" },
    { -ENOENT, "[NONEXISTENT] No such mailbox" },
    { -EINVAL, "[CANNOT] Not a valid mailbox name" },
    { -EPERM, "[CANNOT] Not allowed for this mailbox" },
    { -EDQUOT, "[OVERQUOTA] Over quota" },
    { -ENOSPC, "[LIMIT] The server is out of room" },
    { -EAGAIN, "[UNAVAILABLE] The server is busy, try again later" },
};

void session_no_errno(session *s, int r)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (refusals[i].error == r) {
            session_no(s, "%s", refusals[i].text);
            return;
        }
    journal_error("IMAP %s of %s failed: %s", s->command ? s->command->name : "command", s->name, g_strerror(-r));
    session_no(s, "[SERVERBUG] Internal error: %s", g_strerror(-r));
}

/* ---- commands ---- */

void session_set_state(session *s, void *state, GDestroyNotify state_free)
{
    g_assert(!s->state);
    s->state = state;
    s->state_free = state_free;
}

void session_take_input(session *s, void (*take)(session *s))
{
    s->take_input = take;
    stream_want_input(s->stream, take != NULL);
}

static const imap_command *find_command(imap_cursor *args)
{
    for (size_t i = 0; i < imap_n_commands; i++)
        if (imap_take_word(args, imap_commands[i].name))
            return &imap_commands[i];
    return NULL;
}

/* The tag, the command and its state rules; false after the answer was sent. */
static bool begin_command(session *s, imap_cursor *args)
{
    s->begun_us = statpage_now_us();
    s->strings = g_string_chunk_new(256);
    *args = (imap_cursor) { .p = (const char *) s->reader.command->data, .strings = s->strings };
    args->end = args->p + s->reader.command->len;
    const char *tag = imap_tag(args);
    s->tag = g_strdup(tag && strlen(tag) <= MAX_TAG ? tag : "*");
    if (*s->tag == '*' || !imap_take(args, ' ')) {
        session_bad(s, "A command starts with a tag");
        return false;
    }
    s->uid = imap_take_word(args, "UID") && imap_take(args, ' ');
    s->command = find_command(args);
    if (!s->command || (s->uid && !(s->command->flags & HAS_UID_FORM))) {
        s->command = NULL;
        session_bad(s, "Unknown command");
        return false;
    }
    if (s->command->flags & NEEDS_SELECTED && !s->folder) {
        session_bad(s, "Select a mailbox first");
        return false;
    }
    return true;
}

static void run_command(session *s)
{
    imap_cursor args;
    if (begin_command(s, &args))
        s->command->run(s, &args);
    imap_reader_next(&s->reader);
}

static void too_long(session *s)
{
    imap_cursor args;
    if (begin_command(s, &args))
        session_bad(s, "Command too long");
    imap_reader_next(&s->reader);
}

/* Literals are part of a command up to the limit; APPEND's message is streamed. */
static void announce_literal(session *s)
{
    if (append_wants_literal(&s->reader)) {
        imap_cursor args;
        if (begin_command(s, &args))
            append_start(s, &args);
        else
            imap_reader_literal(&s->reader, IMAP_REFUSE);
        return;
    }
    bool fits = s->reader.literal_size <= MAX_COMMAND;
    if (fits && !s->reader.literal_plus) {
        g_string_append(session_out(s), "+ OK\r\n");
    } else if (!fits) {
        imap_cursor args;
        if (begin_command(s, &args))
            session_bad(s, "[TOOBIG] Literal too large");
    }
    imap_reader_literal(&s->reader, fits ? IMAP_BUFFER : IMAP_REFUSE);
}

static bool feed(session *s)
{
    GByteArray *in = stream_input(s->stream);
    size_t used = 0;
    int event = imap_reader_feed(&s->reader, in->data, in->len, &used);
    if (event < 0) {
        session_bye(s, "[TOOBIG] Literal too large");
        return false;
    }
    stream_consume(s->stream, used);
    if (event == IMAP_COMMAND)
        run_command(s);
    else if (event == IMAP_LITERAL)
        announce_literal(s);
    else if (event == IMAP_TOO_LONG)
        too_long(s);
    return true;
}

static void on_input(void *data)
{
    session *s = session_ref(data);
    bool more = true;
    while (more && !s->closed && !s->command && stream_input(s->stream)->len > 0 && !stream_full(s->stream))
        more = feed(s);
    if (!s->closed && s->take_input)
        s->take_input(s);
    if (!s->closed && !s->take_input && (s->command || stream_full(s->stream)))
        stream_want_input(s->stream, false);
    session_unref(s);
}

/* ---- start ---- */

static const stream_ops ops = { .input = on_input, .drain = on_drain, .lost = on_lost, .idle = on_idle };

static void on_mailbox(int r, mailbox *m, void *data)
{
    session *s = data;
    if (r >= 0)
        s->mailbox = m;
    if (s->closed) {
        session_unref(s);
        return;
    }
    if (r < 0) {
        journal_error("cannot open the mailbox of %s: %s", s->name, g_strerror(-r));
        g_string_append_printf(session_out(s), "%s NO [UNAVAILABLE] The mailbox cannot be opened at the moment\r\n", s->tag);
        session_bye(s, "[UNAVAILABLE] The mailbox cannot be opened");
    } else {
        s->watch = mailbox_watch_add(m, session_changed, s);
        g_string_append_printf(session_out(s), "%s OK [CAPABILITY %s] Logged in\r\n", s->tag, imap_capabilities);
        g_clear_pointer(&s->tag, g_free);
        stream_want_input(s->stream, true);
    }
    session_unref(s);
}

typedef struct { session *s; int64_t quota; } opening;

static void on_opened(int r, mailbox *m, void *data)
{
    g_autofree opening *o = data;
    if (r >= 0)
        mailbox_set_quota(m, o->quota);
    on_mailbox(r, m, o->s);
}

void session_start(imap_server *i, int fd, const wire_handoff *h)
{
    const imap_limits limits = { .max_command = MAX_COMMAND, .max_skip = i->settings.max_append_bytes };
    session *s = g_new0(session, 1);
    *s = (session) { .server = i, .refs = 1, .account_id = g_strdup(h->account_id), .name = g_strdup(h->name),
                     .client = g_strdup(h->client), .tag = g_strdup(h->tag) };
    imap_reader_init(&s->reader, &limits);
    g_hash_table_add(i->sessions, s);
    statpage_inc(shard_get_numbers(i->shard)->page, NUMBER_IMAP_SESSIONS);
    s->stream = stream_new(i->event, fd, &ops, s);
    stream_set_idle(s->stream, i->settings.idle_seconds);
    stream_want_input(s->stream, false);   /* until the mailbox is open */
    stream_feed(s->stream, h->unread.data, h->unread.len);
    opening *o = g_new(opening, 1);
    *o = (opening) { .s = session_ref(s), .quota = h->quota_bytes };
    mailbox_open(i->shard, h->account_id, h->name, on_opened, o);
}
