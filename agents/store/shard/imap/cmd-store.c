/* STORE (RFC 9051 §6.4.6). */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>

typedef struct {
    GArray *indexes;       /* of the client's view */
    flags_op op;
    unsigned flags;
    uint64_t tags;
    bool silent;
    folder_view *latest;   /* before the change */
} store;

static void store_free(void *p)
{
    store *st = p;
    if (st->indexes)
        g_array_unref(st->indexes);
    if (st->latest)
        folder_view_unref(st->latest);
    g_free(st);
}

/* What a message's flags have to be after this command alone. */
static message_record expected(const store *st, const message_record *before)
{
    message_record m = *before;
    uint64_t tags = record_tags(before);
    m.flags = st->op == FLAGS_SET ? st->flags : st->op == FLAGS_ADD ? m.flags | st->flags : m.flags & ~st->flags;
    tags = st->op == FLAGS_SET ? st->tags : st->op == FLAGS_ADD ? tags | st->tags : tags & ~st->tags;
    m.tags_lo = (uint32_t) tags;
    m.tags_hi = (uint32_t) (tags >> 32);
    return m;
}

/* The answer has the flags of every message named; .SILENT only tells what others
 * changed meanwhile (sync.c passes over what session_told() was called for). */
static void answer(session *s, const store *st, const folder_view *now)
{
    GString *out = session_out(s);
    for (guint i = 0; i < st->indexes->len; i++) {
        const message_record *after = folder_view_find(now, folder_view_at(s->view, g_array_index(st->indexes, uint32_t, i))->uid);
        if (after)
            session_tell_keywords(s, out, after);
    }
    for (guint i = 0; i < st->indexes->len; i++) {
        uint32_t index = g_array_index(st->indexes, uint32_t, i), uid = folder_view_at(s->view, index)->uid;
        const message_record *before = folder_view_find(st->latest, uid), *after = folder_view_find(now, uid);
        if (!before || !after)
            continue;
        if (st->silent) {
            message_record m = expected(st, before);
            session_told(s, &m);
            continue;
        }
        g_string_append_printf(out, s->uid ? "* %u FETCH (UID %u " : "* %u FETCH (", index + 1, uid);
        session_put_flags(s, out, after);
        g_string_append(out, ")\r\n");
        session_told(s, after);
    }
}

static void on_new_view(int r, folder_view *v, void *data)
{
    session *s = data;
    if (!s->closed && r >= 0)
        answer(s, s->state, v);
    if (r >= 0)
        folder_view_unref(v);
    if (!s->closed && r < 0)
        session_no_errno(s, r);
    else if (!s->closed)
        session_ok(s, "STORE completed");
    session_unref(s);
}

static void on_stored(int r, void *data)
{
    session *s = data;
    if (!s->closed && r >= 0) {
        mailbox_view(s->mailbox, s->folder, on_new_view, s);
        return;
    }
    if (!s->closed)
        session_no_errno(s, r);
    session_unref(s);
}

static void on_view(int r, folder_view *v, void *data)
{
    session *s = data;
    store *st = s->state;
    if (s->closed || r < 0) {
        if (r >= 0)
            folder_view_unref(v);
        on_stored(r, s);
        return;
    }
    st->latest = v;
    g_autoptr(GArray) uids = session_uids(s, st->indexes, v);
    if (uids->len > 0)
        r = mailbox_set_flags(s->mailbox, s->folder, (uint32_t *) (void *) uids->data, uids->len, st->op, st->flags, st->tags, on_stored, s);
    if (uids->len == 0 || r < 0)
        on_stored(r, s);
}

static bool parse_operation(imap_cursor *args, store *st)
{
    static const struct { const char *word; flags_op op; bool silent; } operations[] = {
        { "FLAGS", FLAGS_SET, false }, { "+FLAGS", FLAGS_ADD, false }, { "-FLAGS", FLAGS_REMOVE, false },
        { "FLAGS.SILENT", FLAGS_SET, true }, { "+FLAGS.SILENT", FLAGS_ADD, true }, { "-FLAGS.SILENT", FLAGS_REMOVE, true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++)
        if (imap_take_word(args, operations[i].word)) {
            st->op = operations[i].op;
            st->silent = operations[i].silent;
            return true;
        }
    return false;
}

/* The rest after the set; the answer is sent when it is false. */
static bool parse_flags(session *s, imap_cursor *args, store *st)
{
    int r = imap_take(args, ' ') && parse_operation(args, st) && imap_take(args, ' ') ? 0 : -EBADMSG;
    if (r == 0 && s->read_only) {
        session_no(s, "[READ-ONLY] The mailbox was opened by EXAMINE");
        return false;
    }
    if (r == 0)
        r = session_flag_list(s, args, &st->flags, &st->tags);
    if (r == 0 && !imap_at_end(args))
        r = -EBADMSG;
    if (r == -EBADMSG)
        session_bad(s, "Malformed STORE");
    else if (r == -EINVAL)
        session_no(s, "[CANNOT] Not a valid keyword");
    else if (r < 0)
        session_no(s, "[LIMIT] No room for another keyword in this mailbox");
    return r == 0;
}

void cmd_store(session *s, imap_cursor *args)
{
    store *st = g_new0(store, 1);
    session_set_state(s, st, store_free);
    GArray *indexes = imap_take(args, ' ') ? session_indexes(s, args) : NULL;
    if (!indexes) {
        if (s->command)
            session_bad(s, "Malformed STORE");
        return;
    }
    st->indexes = indexes;
    if (parse_flags(s, args, st))
        mailbox_view(s->mailbox, s->folder, on_view, session_ref(s));
}
