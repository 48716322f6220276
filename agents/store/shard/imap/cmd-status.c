/* STATUS (RFC 9051 §6.3.11), and the same items for LIST (RFC 5819). */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>

enum { ITEM_MESSAGES, ITEM_RECENT, ITEM_UIDNEXT, ITEM_UIDVALIDITY, ITEM_UNSEEN, N_ITEMS };
static const char *const names[N_ITEMS] = { "MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN" };

static bool take_item(imap_cursor *args, unsigned *items)
{
    for (unsigned i = 0; i < N_ITEMS; i++)
        if (imap_take_word(args, names[i])) {
            *items |= 1U << i;
            return true;
        }
    return false;
}

bool status_items(imap_cursor *args, unsigned *ret)
{
    unsigned items = 0;
    if (!imap_take(args, '('))
        return false;
    do {
        if (!take_item(args, &items))
            return false;
    } while (imap_take(args, ' '));
    *ret = items;
    return imap_take(args, ')');
}

void status_put(session *s, GString *out, const folder_info *f, unsigned items)
{
    const uint32_t values[N_ITEMS] = {
        [ITEM_MESSAGES] = f->messages, [ITEM_RECENT] = server_recent_of(s->server, mailbox_id(s->mailbox), f),
        [ITEM_UIDNEXT] = f->uidnext, [ITEM_UIDVALIDITY] = f->uidvalidity, [ITEM_UNSEEN] = f->unseen,
    };
    g_string_append(out, "* STATUS ");
    imap_put_mailbox(out, f->name);
    const char *separator = " (";
    for (unsigned i = 0; i < N_ITEMS; i++)
        if (items & 1U << i) {
            g_string_append_printf(out, "%s%s %u", separator, names[i], values[i]);
            separator = " ";
        }
    g_string_append(out, ")\r\n");
}

typedef struct { char *name; unsigned items; } status;

static void status_free(void *p)
{
    status *st = p;
    g_free(st->name);
    g_free(st);
}

static void on_durable(int r, void *data)
{
    session *s = data;
    status *st = s->state;
    const folder_info *f = r < 0 || s->closed ? NULL : mailbox_folder_by_name(s->mailbox, st->name);
    if (s->closed) {
        session_unref(s);
        return;
    }
    if (r < 0 || !f || f->noselect) {
        session_no_errno(s, r < 0 ? r : -ENOENT);
    } else {
        status_put(s, session_out(s), f, st->items);
        session_ok(s, "STATUS completed");
    }
    session_unref(s);
}

void cmd_status(session *s, imap_cursor *args)
{
    g_autofree char *name = imap_take(args, ' ') ? imap_mailbox(args) : NULL;
    unsigned items;
    if (!name || !imap_take(args, ' ') || !status_items(args, &items) || !imap_at_end(args)) {
        session_bad(s, "STATUS needs a mailbox and a list of items");
        return;
    }
    status *st = g_new(status, 1);
    *st = (status) { .name = g_steal_pointer(&name), .items = items };
    session_set_state(s, st, status_free);
    mailbox_barrier(s->mailbox, on_durable, session_ref(s));
}
