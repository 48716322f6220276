/* FETCH (RFC 9051 §6.4.5): answers are made as the socket drains.
 *
 * A message is prepared (summary and blob, as the plan needs them) before the first
 * byte of its answer, so that one that vanished is passed over whole. Then its
 * items are written one by one; a section goes out in chunks of its blob. The
 * machine stops where the store has to be waited for (waiting) or the output is
 * full, and goes on from the callback or the drain. */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>
#include <unistd.h>

#include "agents/store/shard/imap/fetch.h"
#include "lib/journal/journal.h"

enum { CHUNK = 16 * 1024, HEADER_MAX = 1024 * 1024 };

typedef struct {
    fetch_plan *plan;
    GArray *indexes;               /* of the client's view */
    folder_view *latest;
    guint next;                    /* in indexes */
    bool running, waiting, vanished, failed;
    /* the message at hand */
    bool prepared;
    message_record record;
    mime_summary *summary;
    int fd;
    uint64_t size;
    guint item;                    /* next of the plan */
    uint64_t range_offset, range_left;
} fetch;

static void fetch_run(session *s);

static void drop_message(fetch *f)
{
    g_clear_pointer(&f->summary, mime_summary_free);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    f->prepared = false;
    f->item = 0;
    f->range_left = 0;
}

static void fetch_free(void *p)
{
    fetch *f = p;
    drop_message(f);
    fetch_plan_free(f->plan);
    if (f->indexes)
        g_array_unref(f->indexes);
    if (f->latest)
        folder_view_unref(f->latest);
    g_free(f);
}

/* Common start of the store's callbacks: NULL when the client is gone. */
static fetch *resume(session *s)
{
    fetch *f = s->state;
    f->waiting = false;
    return s->closed ? NULL : f;
}

static void pass_over(fetch *f, int r)
{
    f->vanished = f->vanished || r == -ENOENT;
    f->failed = f->failed || r != -ENOENT;
    drop_message(f);
    f->next++;
}

/* ---- preparing ---- */

static void on_summary(int r, const void *summary, size_t len, void *data)
{
    session *s = data;
    fetch *f = resume(s);
    if (f && r >= 0)
        r = mime_summary_decode(summary, len, &f->summary);
    if (f && r < 0)
        pass_over(f, r);
    if (f)
        fetch_run(s);
    session_unref(s);
}

static void on_blob(int r, int fd, uint64_t size, void *data)
{
    session *s = data;
    fetch *f = resume(s);
    if (f && r >= 0) {
        f->fd = fd;
        f->size = size;
    } else if (f) {
        pass_over(f, r);
    } else if (r >= 0) {
        close(fd);
    }
    if (f)
        fetch_run(s);
    session_unref(s);
}

static void begin_answer(session *s, fetch *f)
{
    GString *out = session_out(s);
    session_tell_keywords(s, out, &f->record);
    g_string_append_printf(out, "* %u FETCH (", g_array_index(f->indexes, uint32_t, f->next) + 1);
    f->prepared = true;
}

static void prepare(session *s, fetch *f)
{
    uint32_t index = g_array_index(f->indexes, uint32_t, f->next);
    const message_record *m = folder_view_find(f->latest, folder_view_at(s->view, index)->uid);
    if (!m) {
        pass_over(f, -ENOENT);
        return;
    }
    f->record = *m;
    f->waiting = true;
    if (f->plan->needs_summary && !f->summary) {
        mailbox_summary(s->mailbox, m->item, on_summary, session_ref(s));
    } else if (f->plan->needs_blob && f->fd < 0) {
        mailbox_blob(s->mailbox, m->item, on_blob, session_ref(s));
    } else {
        f->waiting = false;
        begin_answer(s, f);
    }
}

/* ---- sections ---- */

static void broken_blob(session *s, const fetch *f, ssize_t r)
{
    journal_error("message uid %u of %s cannot be read: %s", f->record.uid, s->name, r < 0 ? g_strerror((int) -r) : "shorter than it should be");
    session_bye(s, "[SERVERBUG] A message cannot be read");   /* the literal was announced: no other way out */
}

static void on_chunk(ssize_t r, const void *bytes, void *data)
{
    session *s = data;
    fetch *f = resume(s);
    if (f && r <= 0) {
        s->produce = NULL;
        broken_blob(s, f, r);
    } else if (f) {
        g_string_append_len(session_out(s), bytes, r);
        f->range_offset += (uint64_t) r;
        f->range_left -= (uint64_t) r;
        fetch_run(s);
    }
    session_unref(s);
}

static void send_chunk(session *s, fetch *f)
{
    f->waiting = true;
    blob_read(s->server->work, f->fd, f->range_offset, (size_t) MIN(f->range_left, (uint64_t) CHUNK), on_chunk, session_ref(s));
}

static void clip(const fetch_item *item, uint64_t *offset, uint64_t *len)
{
    if (!item->partial)
        return;
    uint64_t skip = MIN(*len, (uint64_t) item->start);
    *offset += skip;
    *len = MIN(*len - skip, (uint64_t) item->count);
}

static void on_header(ssize_t r, const void *bytes, void *data)
{
    session *s = data;
    fetch *f = resume(s);
    if (f && r < 0) {
        s->produce = NULL;
        broken_blob(s, f, r);
    } else if (f) {
        const fetch_item *item = g_ptr_array_index(f->plan->items, f->item - 1);
        GString *filtered = section_filter(item, bytes, (size_t) r);
        uint64_t offset = 0, len = filtered->len;
        clip(item, &offset, &len);
        g_string_append_printf(session_out(s), "{%" G_GUINT64_FORMAT "}\r\n", len);
        g_string_append_len(session_out(s), filtered->str + offset, (gssize) len);
        g_string_free(filtered, TRUE);
        fetch_run(s);
    }
    session_unref(s);
}

static void put_section(session *s, fetch *f, const fetch_item *item)
{
    GString *out = session_out(s);
    uint64_t offset, len;
    g_string_append_printf(out, "%s ", item->label);
    if (!section_range(item, f->summary, f->size, &offset, &len)) {
        g_string_append(out, "NIL");
    } else if (item->section == SECTION_FIELDS || item->section == SECTION_FIELDS_NOT) {
        f->waiting = true;
        blob_read(s->server->work, f->fd, offset, (size_t) MIN(len, (uint64_t) HEADER_MAX), on_header, session_ref(s));
    } else {
        clip(item, &offset, &len);
        g_string_append_printf(out, "{%" G_GUINT64_FORMAT "}\r\n", len);
        f->range_offset = offset;
        f->range_left = len;
    }
}

/* ---- items ---- */

static void put_item(session *s, fetch *f)
{
    const fetch_item *item = g_ptr_array_index(f->plan->items, f->item);
    GString *out = session_out(s);
    if (f->item++ > 0)
        g_string_append_c(out, ' ');
    switch (item->kind) {
    case FETCH_FLAGS:
        session_put_flags(s, out, &f->record);
        session_told(s, &f->record);
        break;
    case FETCH_UID:
        g_string_append_printf(out, "UID %u", f->record.uid);
        break;
    case FETCH_DATE:
        g_string_append(out, "INTERNALDATE ");
        imap_put_date_time(out, f->record.date);
        break;
    case FETCH_SIZE:
        g_string_append_printf(out, "RFC822.SIZE %u", f->record.size);
        break;
    case FETCH_ENVELOPE:
        g_string_append(out, "ENVELOPE ");
        put_envelope(out, &f->summary->envelope);
        break;
    case FETCH_BODY:
    case FETCH_BODYSTRUCTURE:
        g_string_append(out, item->kind == FETCH_BODY ? "BODY " : "BODYSTRUCTURE ");
        put_structure(out, f->summary->root, item->kind == FETCH_BODYSTRUCTURE);
        break;
    case FETCH_SECTION:
        put_section(s, f, item);
        break;
    }
}

/* One step of the machine; false at the end. */
static bool step(session *s, fetch *f)
{
    if (f->next == f->indexes->len)
        return false;
    if (!f->prepared) {
        prepare(s, f);
    } else if (f->range_left > 0) {
        send_chunk(s, f);
    } else if (f->item < f->plan->items->len) {
        put_item(s, f);
    } else {
        g_string_append(session_out(s), ")\r\n");
        drop_message(f);
        f->next++;
    }
    return true;
}

static void fetch_run(session *s)
{
    fetch *f = s->state;
    if (f->running)   /* a callback that came before its call returned */
        return;
    f->running = true;
    bool more = true;
    while (more && !f->waiting && s->produce && !stream_full(s->stream))
        more = step(s, f);
    f->running = false;
    if (more)
        return;
    if (f->failed)
        session_no(s, "[SERVERBUG] Some messages could not be read");
    else if (f->vanished)   /* RFC 2180 §4.1.2, RFC 5530 */
        session_no(s, "[EXPUNGEISSUED] Some messages no longer exist");
    else
        session_ok(s, "FETCH completed");
}

static void on_drain(session *s)
{
    fetch *f = s->state;
    if (!f->waiting)
        fetch_run(s);
}

/* ---- start ---- */

static void start(session *s, folder_view *latest)
{
    fetch *f = s->state;
    f->latest = latest;
    s->produce = on_drain;
    fetch_run(s);
}

static void on_seen_view(int r, folder_view *v, void *data)
{
    session *s = data;
    if (!s->closed && r >= 0)
        start(s, folder_view_ref(v));
    else if (!s->closed)
        session_no_errno(s, r);
    if (r >= 0)
        folder_view_unref(v);
    session_unref(s);
}

static void on_seen(int r, void *data)
{
    session *s = data;
    if (!s->closed && r >= 0) {
        mailbox_view(s->mailbox, s->folder, on_seen_view, s);
        return;
    }
    if (!s->closed)
        session_no_errno(s, r);
    session_unref(s);
}

/* Those of the set that the command makes \Seen. */
static GArray *unseen_uids(session *s, const fetch *f, const folder_view *v)
{
    g_autoptr(GArray) named = session_uids(s, f->indexes, v);
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < named->len; i++) {
        uint32_t uid = g_array_index(named, uint32_t, i);
        if (!(folder_view_find(v, uid)->flags & MSG_SEEN))
            g_array_append_val(uids, uid);
    }
    return uids;
}

static void on_view(int r, folder_view *v, void *data)
{
    session *s = data;
    if (s->closed || r < 0) {
        if (r >= 0)
            folder_view_unref(v);
        on_seen(r, s);
        return;
    }
    fetch *f = s->state;
    g_autoptr(GArray) unseen = f->plan->sets_seen && !s->read_only ? unseen_uids(s, f, v) : NULL;
    if (unseen && unseen->len > 0) {
        folder_view_unref(v);
        fetch_plan_want(f->plan, FETCH_FLAGS);   /* the change is part of the answer */
        r = mailbox_set_flags(s->mailbox, s->folder, (uint32_t *) (void *) unseen->data, unseen->len, FLAGS_ADD, MSG_SEEN, 0, on_seen, s);
        if (r < 0)
            on_seen(r, s);
    } else {
        start(s, v);
        session_unref(s);
    }
}

void cmd_fetch(session *s, imap_cursor *args)
{
    GArray *indexes = imap_take(args, ' ') ? session_indexes(s, args) : NULL;
    if (!s->command)   /* answered */
        return;
    fetch *f = g_new0(fetch, 1);
    f->fd = -1;
    f->indexes = indexes;
    f->plan = indexes && imap_take(args, ' ') ? fetch_plan_parse(args) : NULL;
    session_set_state(s, f, fetch_free);
    if (!f->plan) {
        session_bad(s, "Malformed FETCH");
        return;
    }
    if (s->uid)
        fetch_plan_want(f->plan, FETCH_UID);
    mailbox_view(s->mailbox, s->folder, on_view, session_ref(s));
}
