/* EXPUNGE and UID EXPUNGE (RFC 4315). */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>

static void indexes_free(void *p)
{
    g_array_unref(p);
}

static void on_expunged(int r, void *data)
{
    session *s = data;
    if (!s->closed && r < 0)
        session_no_errno(s, r);
    else if (!s->closed)
        session_ok(s, "EXPUNGE completed");
    session_unref(s);
}

static GArray *deleted_of(session *s, const folder_view *latest)
{
    g_autoptr(GArray) named = session_uids(s, s->state, latest);
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < named->len; i++) {
        uint32_t uid = g_array_index(named, uint32_t, i);
        if (folder_view_find(latest, uid)->flags & MSG_DELETED)
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
        on_expunged(r, s);
        return;
    }
    g_autoptr(GArray) uids = deleted_of(s, v);
    folder_view_unref(v);
    if (uids->len > 0)
        r = mailbox_expunge(s->mailbox, s->folder, (uint32_t *) (void *) uids->data, uids->len, on_expunged, s);
    if (uids->len == 0 || r < 0)
        on_expunged(r, s);
}

static GArray *all_indexes(const folder_view *v)
{
    GArray *all = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), v->n);
    for (uint32_t i = 0; i < v->n; i++)
        g_array_append_val(all, i);
    return all;
}

void cmd_expunge(session *s, imap_cursor *args)
{
    GArray *indexes = !s->uid ? all_indexes(s->view) : imap_take(args, ' ') ? session_indexes(s, args) : NULL;
    if (!indexes) {
        if (s->command)
            session_bad(s, "UID EXPUNGE needs a set of UIDs");
        return;
    }
    session_set_state(s, indexes, indexes_free);
    if (!imap_at_end(args))
        session_bad(s, "Too many arguments");
    else if (s->read_only)
        session_no(s, "[READ-ONLY] The mailbox was opened by EXAMINE");
    else
        mailbox_view(s->mailbox, s->folder, on_view, session_ref(s));
}
