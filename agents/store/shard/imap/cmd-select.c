/* SELECT, EXAMINE, UNSELECT (RFC 3691), CLOSE. */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>

static void put_first_unseen(GString *out, const folder_view *v)
{
    for (uint32_t i = 0; v->unseen > 0 && i < v->n; i++)
        if (!(folder_view_at(v, i)->flags & MSG_SEEN)) {
            g_string_append_printf(out, "* OK [UNSEEN %u] First unseen\r\n", i + 1);
            return;
        }
}

static void on_view(int r, folder_view *v, void *data)
{
    session *s = data;
    if (s->closed) {
        if (r >= 0)
            folder_view_unref(v);
    } else if (r < 0) {
        session_no_errno(s, r);
    } else {
        GString *out = session_out(s);
        s->view = v;
        s->folder = v->folder;
        s->recent = g_array_new(FALSE, FALSE, sizeof(imap_range));
        session_claim_recent(s, v);
        session_put_flag_lists(s, out);
        session_put_permanent_flags(s, out);
        g_string_append_printf(out, "* %u EXISTS\r\n* %u RECENT\r\n", v->n, session_count_recent(s));
        put_first_unseen(out, v);
        g_string_append_printf(out, "* OK [UIDVALIDITY %u] UIDs valid\r\n* OK [UIDNEXT %u] Predicted next UID\r\n", v->uidvalidity, v->uidnext);
        session_ok(s, s->read_only ? "[READ-ONLY] EXAMINE completed" : "[READ-WRITE] SELECT completed");
    }
    session_unref(s);
}

static void open_folder(session *s, imap_cursor *args, bool read_only)
{
    g_autofree char *name = imap_take(args, ' ') ? imap_mailbox(args) : NULL;
    if (!name || !imap_at_end(args)) {
        session_bad(s, "%s needs the name of a mailbox", s->command->name);
        return;
    }
    if (s->folder)
        g_string_append(session_out(s), "* OK [CLOSED] Previous mailbox closed\r\n");
    session_deselect(s);
    const folder_info *f = mailbox_folder_by_name(s->mailbox, name);
    if (!f || f->noselect) {
        session_no_errno(s, -ENOENT);
        return;
    }
    s->read_only = read_only;
    session_ref(s);
    mailbox_view(s->mailbox, f->id, on_view, s);
}

void cmd_select(session *s, imap_cursor *args)
{
    open_folder(s, args, false);
}

void cmd_examine(session *s, imap_cursor *args)
{
    open_folder(s, args, true);
}

void cmd_unselect(session *s, imap_cursor *args)
{
    session_deselect(s);
    session_ok(s, "UNSELECT completed");
}

static void on_expunged(int r, void *data)
{
    session *s = data;
    if (!s->closed) {
        session_deselect(s);
        session_ok(s, "CLOSE completed");
    }
    session_unref(s);
}

static GArray *deleted_uids(const folder_view *v)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t i = 0; i < v->n; i++) {
        const message_record *m = folder_view_at(v, i);
        if (m->flags & MSG_DELETED)
            g_array_append_val(uids, m->uid);
    }
    return uids;
}

static void on_close_view(int r, folder_view *v, void *data)
{
    session *s = data;
    g_autoptr(GArray) uids = r >= 0 ? deleted_uids(v) : NULL;
    if (r >= 0)
        folder_view_unref(v);
    bool some = !s->closed && uids && uids->len > 0;
    if (!some || mailbox_expunge(s->mailbox, s->folder, (uint32_t *) (void *) uids->data, uids->len, on_expunged, s) < 0)
        on_expunged(0, s);
}

/* Expunges without a word, unless the mailbox is read-only (RFC 9051 §6.4.1). */
void cmd_close(session *s, imap_cursor *args)
{
    session_ref(s);
    if (s->read_only)
        on_expunged(0, s);
    else
        mailbox_view(s->mailbox, s->folder, on_close_view, s);
}
