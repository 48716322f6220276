/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. */
#include "agents/store/shard/imap/cmd.h"

#include <errno.h>

static void on_commit(int r, void *data)
{
    session *s = data;
    if (!s->closed) {
        if (r < 0)
            session_no_errno(s, r);
        else
            session_ok(s, "%s completed", s->command->name);
    }
    session_unref(s);
}

/* R of a call that took a reference for its callback. */
static void submitted(session *s, int r)
{
    if (r < 0)
        on_commit(r, s);
}

/* One more mailbox name; NULL after the answer. */
static char *take_name(session *s, imap_cursor *args)
{
    char *name = imap_take(args, ' ') ? imap_mailbox(args) : NULL;
    if (!name)
        session_bad(s, "%s needs the name of a mailbox", s->command->name);
    return name;
}

static bool at_end(session *s, imap_cursor *args)
{
    if (!imap_at_end(args))
        session_bad(s, "Too many arguments");
    return imap_at_end(args);
}

/* The folder NAME; NULL after the answer. */
static const folder_info *find(session *s, const char *name)
{
    const folder_info *f = mailbox_folder_by_name(s->mailbox, name);
    if (!f)
        session_no_errno(s, -ENOENT);
    return f;
}

/* A trailing separator announces children and is not part of the name (RFC 9051 §6.3.4). */
static void strip_separator(char *name)
{
    size_t len = strlen(name);
    if (len > 1 && name[len - 1] == '/')
        name[len - 1] = 0;
}

void cmd_create(session *s, imap_cursor *args)
{
    g_autofree char *name = take_name(s, args);
    if (!name || !at_end(s, args))
        return;
    strip_separator(name);
    uint32_t id;
    submitted(s, mailbox_create_folder(s->mailbox, name, 0, on_commit, session_ref(s), &id));
}

void cmd_delete(session *s, imap_cursor *args)
{
    g_autofree char *name = take_name(s, args);
    const folder_info *f = name && at_end(s, args) ? find(s, name) : NULL;
    if (!f)
        return;
    if (f->id == s->folder)   /* its numbers end with it */
        session_deselect(s);
    submitted(s, mailbox_delete_folder(s->mailbox, f->id, on_commit, session_ref(s)));
}

void cmd_rename(session *s, imap_cursor *args)
{
    g_autofree char *from = take_name(s, args);
    g_autofree char *to = from ? take_name(s, args) : NULL;
    const folder_info *f = to && at_end(s, args) ? find(s, from) : NULL;
    if (!f)
        return;
    strip_separator(to);
    submitted(s, mailbox_rename_folder(s->mailbox, f->id, to, on_commit, session_ref(s)));
}

static void subscribe(session *s, imap_cursor *args, bool on)
{
    g_autofree char *name = take_name(s, args);
    const folder_info *f = name && at_end(s, args) ? find(s, name) : NULL;
    if (f)
        submitted(s, mailbox_subscribe(s->mailbox, f->id, on, on_commit, session_ref(s)));
}

void cmd_subscribe(session *s, imap_cursor *args)
{
    subscribe(s, args, true);
}

void cmd_unsubscribe(session *s, imap_cursor *args)
{
    subscribe(s, args, false);
}
