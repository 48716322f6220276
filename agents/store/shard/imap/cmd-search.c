/* SEARCH (RFC 9051 §6.4.4; answered in RFC 3501's form). Records are judged in the
 * loop, some thousand at a time; messages whose text is asked for are read and
 * judged by a thread, one after the other. */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>
#include <unistd.h>

#include "agents/store/shard/imap/search.h"

enum { SLICE = 4096, READ_MAX = 64 * 1024 * 1024 };

typedef struct {
    search_key *key;
    uint32_t next;              /* index of the client's view */
    GArray *found;              /* numbers or UIDs */
    bool waiting, running;
    /* the message being read */
    bool reading;
    search_message message;
    mime_summary *summary;
    int fd;
    uint64_t size;
    search_verdict verdict;
} search;

static void search_run(session *s);

static void drop_message(search *q)
{
    g_clear_pointer(&q->summary, mime_summary_free);
    if (q->fd >= 0)
        close(q->fd);
    q->fd = -1;
    q->reading = false;
}

static void search_free(void *p)
{
    search *q = p;
    drop_message(q);
    search_key_free(q->key);
    g_array_unref(q->found);
    g_free(q);
}

static search *resume(session *s)
{
    search *q = s->state;
    q->waiting = false;
    return s->closed ? NULL : q;
}

static void add(session *s, search *q)
{
    uint32_t number = s->uid ? q->message.record->uid : q->message.number;
    g_array_append_val(q->found, number);
}

/* ---- text, in a thread ---- */

static void judge_text(void *data)
{
    session *s = data;
    search *q = s->state;
    size_t len = (size_t) MIN(q->size, (uint64_t) READ_MAX), at = 0;
    g_autofree char *bytes = g_malloc(len + 1);
    while (at < len) {
        ssize_t n = pread(q->fd, bytes + at, len - at, (off_t) at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t) n;
    }
    q->message.bytes = bytes;
    q->message.len = at;
    q->message.summary = q->summary;
    q->verdict = search_match(q->key, &q->message);
    q->message.bytes = NULL;
}

static void text_judged(void *data)
{
    session *s = data;
    search *q = resume(s);
    if (q) {
        if (q->verdict == SEARCH_YES)
            add(s, q);
        drop_message(q);
        search_run(s);
    }
    session_unref(s);
}

/* ---- getting what the thread needs; a message that vanished is no hit ---- */

static void on_summary(int r, const void *summary, size_t len, void *data)
{
    session *s = data;
    search *q = resume(s);
    if (q && (r < 0 || mime_summary_decode(summary, len, &q->summary) < 0))
        drop_message(q);
    if (q)
        search_run(s);
    session_unref(s);
}

static void on_blob(int r, int fd, uint64_t size, void *data)
{
    session *s = data;
    search *q = resume(s);
    if (q && r >= 0) {
        q->fd = fd;
        q->size = size;
    } else if (q) {
        drop_message(q);
    } else if (r >= 0) {
        close(fd);
    }
    if (q)
        search_run(s);
    session_unref(s);
}

static void read_message(session *s, search *q)
{
    q->waiting = true;
    if (!q->summary)
        mailbox_summary(s->mailbox, q->message.record->item, on_summary, session_ref(s));
    else if (q->fd < 0)
        mailbox_blob(s->mailbox, q->message.record->item, on_blob, session_ref(s));
    else
        work_run(s->server->work, judge_text, text_judged, session_ref(s));
}

/* ---- records, in the loop ---- */

static void judge_records(session *s, search *q)
{
    for (unsigned i = 0; i < SLICE && q->next < s->view->n && !q->reading; i++) {
        const message_record *m = folder_view_at(s->view, q->next++);
        q->message = (search_message) { .record = m, .number = q->next, .recent = session_is_recent(s, m->uid) };
        search_verdict v = search_match(q->key, &q->message);
        if (v == SEARCH_YES)
            add(s, q);
        q->reading = v == SEARCH_UNKNOWN;
    }
}

static void answer(session *s, search *q)
{
    GString *out = session_out(s);
    g_string_append(out, "* SEARCH");
    for (guint i = 0; i < q->found->len; i++)
        g_string_append_printf(out, " %u", g_array_index(q->found, uint32_t, i));
    g_string_append(out, "\r\n");
    session_ok(s, "SEARCH completed");
}

static void search_run(session *s)
{
    search *q = s->state;
    if (q->running)
        return;
    q->running = true;
    while (q->reading && !q->waiting)
        read_message(s, q);
    if (!q->reading)
        judge_records(s, q);
    q->running = false;
    if (!q->reading && q->next == s->view->n)
        answer(s, q);
    else if (!q->waiting)
        (void) session_out(s);   /* the loop comes back by the drain callback */
}

static void on_drain(session *s)
{
    search *q = s->state;
    if (!q->waiting)
        search_run(s);
}

static int find_tag(const char *keyword, void *data)
{
    return mailbox_tag(data, keyword, false);
}

/* The client's flags may be behind: search what is now, told before the answer. */
static void start(session *s)
{
    s->produce = on_drain;
    search_run(s);
}

void cmd_search(session *s, imap_cursor *args)
{
    const folder_view *v = s->view;
    const search_context context = { .max_number = v->n, .max_uid = v->n ? folder_view_at(v, v->n - 1)->uid : 0, .tag = find_tag, .data = s->mailbox };
    search_key *key = NULL;
    search_status status = search_parse(args, &context, &key);
    if (status == SEARCH_BAD_CHARSET) {
        session_no(s, "[BADCHARSET (US-ASCII UTF-8)] Charset not known");
    } else if (status == SEARCH_MALFORMED) {
        session_bad(s, "Malformed SEARCH");
    } else {
        search *q = g_new0(search, 1);
        *q = (search) { .key = key, .fd = -1, .found = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };
        session_set_state(s, q, search_free);
        session_sync(s, s->uid, start);
    }
}
