/* A POP3 session: from the hand-over to QUIT or the loss of its client. A session
 * that ends without QUIT deletes nothing (RFC 1939 §6). */
#include "agents/store/shard/pop3/session.h"

#include <errno.h>
#include <unistd.h>

#include "agents/store/shard/numbers.h"
#include "lib/journal/journal.h"

enum { LINE_MAX_BYTES = 512 };

session *pop3_session_ref(session *s)
{
    s->refs++;
    return s;
}

void pop3_session_unref(session *s)
{
    if (--s->refs > 0)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->view)
        folder_view_unref(s->view);
    if (s->mailbox)
        mailbox_unref(s->mailbox);
    g_free(s->deleted);
    g_free(s->name);
    g_free(s);
}

static void close_session(session *s)
{
    if (s->closed)
        return;
    s->closed = true;
    statpage_dec(shard_get_numbers(s->server->shard)->page, NUMBER_POP3_SESSIONS);
    g_hash_table_remove(s->server->sessions, s);
    g_clear_pointer(&s->stream, stream_free);
    pop3_session_unref(s);
}

GString *pop3_session_out(session *s)
{
    return stream_output(s->stream);
}

bool pop3_session_is_deleted(const session *s, uint32_t index)
{
    return s->deleted && s->deleted[index];
}

void pop3_session_count(session *s)
{
    const shard_numbers *n = shard_get_numbers(s->server->shard);
    if (!s->counting)
        return;
    uint64_t us = statpage_now_us() - s->begun_us;
    s->counting = false;
    statpage_inc(n->page, NUMBER_POP3_COMMANDS);
    statpage_add(n->page, NUMBER_POP3_US, us);
    shard_count_command(n, n->pop3_first, s->number, us);
}

void pop3_session_done(session *s)
{
    pop3_session_count(s);
    s->busy = false;
    s->produce = NULL;
    stream_want_input(s->stream, true);
}

/* ---- the stream ---- */

static bool take_line(session *s)
{
    GByteArray *in = stream_input(s->stream);
    const guint8 *lf = in->len > 0 ? memchr(in->data, '\n', in->len) : NULL;
    size_t len = lf ? (size_t) (lf - in->data) : in->len;
    if (len > LINE_MAX_BYTES) {
        g_string_append(pop3_session_out(s), "-ERR Line too long\r\n");
        stream_close_after_flush(s->stream);
        return false;
    }
    if (!lf)
        return false;
    g_autofree char *line = g_strndup((const char *) in->data, len > 0 && lf[-1] == '\r' ? len - 1 : len);
    stream_consume(s->stream, len + 1);
    pop3_command(s, line);
    return true;
}

static void on_input(void *data)
{
    session *s = pop3_session_ref(data);
    while (!s->closed && !s->busy && !stream_full(s->stream) && take_line(s))
        ;
    if (!s->closed && (s->busy || stream_full(s->stream)))
        stream_want_input(s->stream, false);
    pop3_session_unref(s);
}

static void on_drain(void *data)
{
    session *s = pop3_session_ref(data);
    if (s->produce)
        s->produce(s);
    else if (s->view && !s->busy)
        stream_want_input(s->stream, true);
    pop3_session_unref(s);
}

static void on_lost(void *data)
{
    close_session(data);
}

static void on_idle(void *data)
{
    session *s = data;
    if (s->busy)
        stream_set_idle(s->stream, s->server->idle_seconds);
    else
        close_session(s);
}

static const stream_ops ops = { .input = on_input, .drain = on_drain, .lost = on_lost, .idle = on_idle };

/* ---- start ---- */

static void refuse(session *s, int r)
{
    journal_error("cannot open the Inbox of %s: %s", s->name, g_strerror(-r));
    g_string_append(pop3_session_out(s), "-ERR [SYS/TEMP] The mailbox cannot be opened at the moment\r\n");
    stream_close_after_flush(s->stream);
}

static void on_view(int r, folder_view *v, void *data)
{
    session *s = data;
    if (r >= 0)
        s->view = v;
    if (!s->closed && r < 0) {
        refuse(s, r);
    } else if (!s->closed) {
        for (uint32_t i = 0; i < v->n; i++)
            s->bytes += folder_view_at(v, i)->size;
        g_string_append_printf(pop3_session_out(s), "+OK %u messages, %" G_GUINT64_FORMAT " octets\r\n", v->n, s->bytes);
        pop3_session_done(s);
    }
    pop3_session_unref(s);
}

static void on_mailbox(int r, mailbox *m, void *data)
{
    session *s = data;
    if (r >= 0)
        s->mailbox = m;
    if (!s->closed && r >= 0) {
        mailbox_view(m, FOLDER_ID_INBOX, on_view, s);
        return;
    }
    if (!s->closed)
        refuse(s, r);
    pop3_session_unref(s);
}

static void session_start(pop3_server *p, int fd, const wire_handoff *h)
{
    session *s = g_new0(session, 1);
    *s = (session) { .server = p, .refs = 1, .name = g_strdup(h->name), .fd = -1, .busy = true };
    g_hash_table_add(p->sessions, s);
    statpage_inc(shard_get_numbers(p->shard)->page, NUMBER_POP3_SESSIONS);
    s->stream = stream_new(p->event, fd, &ops, s);
    stream_set_idle(s->stream, p->idle_seconds);
    stream_want_input(s->stream, false);   /* until the maildrop is open */
    stream_feed(s->stream, h->unread.data, h->unread.len);
    mailbox_open(p->shard, h->account_id, h->name, on_mailbox, pop3_session_ref(s));
}

/* ---- the server ---- */

pop3_server *pop3_server_new(sd_event *event, shard *s, work_pool *work, unsigned idle_seconds)
{
    pop3_server *p = g_new0(pop3_server, 1);
    *p = (pop3_server) { .event = sd_event_ref(event), .shard = s, .work = work, .idle_seconds = idle_seconds, .sessions = g_hash_table_new(NULL, NULL) };
    return p;
}

void pop3_server_free(pop3_server *p)
{
    if (!p)
        return;
    g_autoptr(GList) sessions = g_hash_table_get_keys(p->sessions);
    for (GList *l = sessions; l; l = l->next)
        close_session(l->data);
    g_hash_table_unref(p->sessions);
    sd_event_unref(p->event);
    g_free(p);
}

bool pop3_server_message(pop3_server *p, wire_message *m)
{
    if (m->type != WIRE_HANDOFF || m->handoff.protocol != WIRE_POP3)
        return false;
    int fd = wire_take_fd(m, 0);
    if (fd >= 0)
        session_start(p, fd, &m->handoff);
    return true;
}
