/* COPY (RFC 4315's COPYUID) and MOVE (RFC 6851). */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>

typedef struct {
    GArray *indexes;
    uint32_t to, uidvalidity;
    bool move;
    char *copyuid;
} copy;

static void copy_free(void *p)
{
    copy *c = p;
    if (c->indexes)
        g_array_unref(c->indexes);
    g_free(c->copyuid);
    g_free(c);
}

/* "[COPYUID v sources targets]"; messages that were gone are in neither. */
static char *copyuid(uint32_t uidvalidity, GArray *uids, uint32_t *targets)
{
    uint32_t *sources = (uint32_t *) (void *) uids->data;
    size_t n = 0;
    for (guint i = 0; i < uids->len; i++)
        if (targets[i] != 0) {
            sources[n] = sources[i];
            targets[n++] = targets[i];
        }
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "[COPYUID %u ", uidvalidity);
    imap_put_set(text, sources, n);
    g_string_append_c(text, ' ');
    imap_put_set(text, targets, n);
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void on_copied(int r, void *data)
{
    session *s = data;
    copy *c = s->state;
    if (s->closed) {
        session_unref(s);
        return;
    }
    if (r == -ENOENT) {
        session_ok(s, "%s completed, there was nothing left to do", s->command->name);
    } else if (r < 0) {
        session_no_errno(s, r);
    } else if (c->move) {   /* before the EXPUNGEs (RFC 6851 §4.3) */
        g_string_append_printf(session_out(s), "* OK %s Moved\r\n", c->copyuid);
        session_ok(s, "MOVE completed");
    } else {
        session_ok(s, "%s COPY completed", c->copyuid);
    }
    session_unref(s);
}

static void on_view(int r, folder_view *v, void *data)
{
    session *s = data;
    copy *c = s->state;
    if (s->closed || r < 0) {
        if (r >= 0)
            folder_view_unref(v);
        on_copied(r, s);
        return;
    }
    g_autoptr(GArray) uids = session_uids(s, c->indexes, v);
    folder_view_unref(v);
    g_autofree uint32_t *targets = NULL;
    r = uids->len == 0 ? -ENOENT
        : mailbox_copy(s->mailbox, s->folder, (uint32_t *) (void *) uids->data, uids->len, c->to, c->move, on_copied, s, &targets);
    if (r < 0)
        on_copied(r, s);
    else
        c->copyuid = copyuid(c->uidvalidity, uids, targets);
}

static void start(session *s, imap_cursor *args, bool move)
{
    copy *c = g_new0(copy, 1);
    c->move = move;
    session_set_state(s, c, copy_free);
    GArray *indexes = imap_take(args, ' ') ? session_indexes(s, args) : NULL;
    if (!s->command)   /* answered; C is gone */
        return;
    c->indexes = indexes;
    g_autofree char *name = c->indexes && imap_take(args, ' ') ? imap_mailbox(args) : NULL;
    if (!name || !imap_at_end(args)) {
        session_bad(s, "%s needs a set and a mailbox", s->command->name);
        return;
    }
    const folder_info *f = mailbox_folder_by_name(s->mailbox, name);
    if (!f || f->noselect) {
        session_no(s, "[TRYCREATE] No such mailbox");
    } else if (move && s->read_only) {
        session_no(s, "[READ-ONLY] The mailbox was opened by EXAMINE");
    } else {
        c->to = f->id;
        c->uidvalidity = f->uidvalidity;
        mailbox_view(s->mailbox, s->folder, on_view, session_ref(s));
    }
}

void cmd_copy(session *s, imap_cursor *args)
{
    start(s, args, false);
}

void cmd_move(session *s, imap_cursor *args)
{
    start(s, args, true);
}
