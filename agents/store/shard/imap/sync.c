/* Tells the client what changed in the selected folder: EXPUNGE, EXISTS, RECENT,
 * FETCH of flags. The new snapshot replaces the client's picture whole or not at
 * all: while numbers must stay (RFC 9051 §7.5.1) and something was expunged, all
 * of it waits for the next command. */
#include "agents/store/shard/imap/session.h"

#include <errno.h>

typedef struct {
    session *s;
    GArray *expunged;        /* of uint32_t: indexes in the old view */
    GString *flags;          /* FETCH answers */
    bool keywords;
} changes;

static bool was_told(const session *s, const message_record *m)
{
    guint low = 0, high = s->told ? s->told->len : 0;
    while (low < high) {
        guint mid = low + (high - low) / 2;
        const told_flags *t = &g_array_index(s->told, told_flags, mid);
        if (t->uid == m->uid)
            return t->flags == m->flags && t->tags == record_tags(m);
        if (t->uid < m->uid)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static bool same_flags(const message_record *a, const message_record *b)
{
    return a->flags == b->flags && record_tags(a) == record_tags(b);
}

static void on_difference(const message_record *before, const message_record *after, uint32_t index, void *data)
{
    changes *c = data;
    if (!after) {
        g_array_append_val(c->expunged, index);
        return;
    }
    c->keywords = c->keywords || record_tags(after) & ~c->s->known_tags;
    if (!before || same_flags(before, after) || was_told(c->s, after))
        return;
    g_string_append_printf(c->flags, "* %u FETCH (UID %u ", index + 1, after->uid);
    session_put_flags(c->s, c->flags, after);
    g_string_append(c->flags, ")\r\n");
}

static void put_counts(session *s, GString *out)
{
    g_string_append_printf(out, "* %u EXISTS\r\n* %u RECENT\r\n", s->view->n, session_count_recent(s));
}

/* V becomes the client's picture. */
static void apply(session *s, folder_view *v, bool expunge)
{
    changes c = { .s = s, .expunged = g_array_new(FALSE, FALSE, sizeof(uint32_t)), .flags = g_string_new(NULL) };
    folder_view_diff(s->view, v, on_difference, &c);
    if (c.expunged->len == 0 || expunge) {
        GString *out = session_out(s);
        uint32_t left = s->view->n - c.expunged->len;
        for (guint i = c.expunged->len; i > 0; i--)
            g_string_append_printf(out, "* %u EXPUNGE\r\n", g_array_index(c.expunged, uint32_t, i - 1) + 1);
        folder_view_unref(s->view);
        s->view = folder_view_ref(v);
        session_claim_recent(s, v);
        if (v->n != left)
            put_counts(s, out);
        if (c.keywords)
            session_put_flag_lists(s, out);
        g_string_append_len(out, c.flags->str, (gssize) c.flags->len);
    }
    g_array_unref(c.expunged);
    g_string_free(c.flags, TRUE);
}

typedef struct { session *s; bool expunge; } sync_request;

static void start(session *s, bool expunge);

static void on_view(int r, folder_view *v, void *data)
{
    g_autofree sync_request *q = data;
    session *s = q->s;
    s->syncing = false;
    if (!s->closed) {
        void (*then)(session *) = g_steal_pointer(&s->sync_then);
        if (r >= 0 && s->folder == v->folder)
            apply(s, v, q->expunge);
        if (then)
            then(s);
        if (r == -ENOENT && s->folder) {
            session_deselect(s);
            session_bye(s, "The selected mailbox was deleted");
        }
    }
    if (r >= 0)
        folder_view_unref(v);
    if (!s->closed && s->idling && s->sync_again && !stream_full(s->stream))
        start(s, true);
    session_unref(s);
}

static void start(session *s, bool expunge)
{
    s->sync_again = false;
    sync_request *q = g_new(sync_request, 1);
    *q = (sync_request) { .s = session_ref(s), .expunge = expunge };
    s->syncing = true;
    mailbox_view(s->mailbox, s->folder, on_view, q);
}

void session_sync(session *s, bool expunge, void (*then)(session *s))
{
    if (!s->folder) {
        then(s);
        return;
    }
    s->sync_then = then;
    start(s, expunge);
}

/* Only IDLE tells changes by itself; every other command looks when it ends. */
void session_changed(mailbox *m, uint32_t folder, void *data)
{
    session *s = data;
    if (s->closed || !s->idling || !s->folder || folder != s->folder)
        return;
    if (s->syncing || stream_full(s->stream))
        s->sync_again = true;
    else
        start(s, true);
}
