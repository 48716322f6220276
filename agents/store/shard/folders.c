/* Folders as the protocols see them: looking up, creating, deleting, renaming,
 * subscribing. Rules: RFC 9051 §6.3.4-§6.3.6 and mailbox.h. */
#include <errno.h>
#include <string.h>

#include "agents/store/shard/shard-internal.h"

enum { FOLDERS_MAX = 10000 };

/* ---- looking up ---- */

static const folder_info *info_of(const folder *f)
{
    return f ? &f->info : NULL;
}

const folder_info *mailbox_folder(mailbox *m, uint32_t id)
{
    return m->content ? info_of(content_folder(m->content, id)) : NULL;
}

const folder_info *mailbox_folder_by_name(mailbox *m, const char *name)
{
    g_autofree char *canonical = NULL;
    if (!m->content || folder_name_check(name, &canonical) < 0)
        return NULL;
    return info_of(content_folder_named(m->content, canonical));
}

const folder_info *mailbox_folder_at(mailbox *m, unsigned index)
{
    return m->content && index < m->content->folders->len ? info_of(m->content->folders->pdata[index]) : NULL;
}

static bool is_own(uint32_t id)
{
    return id < FOLDER_ID_FIRST;
}

static bool has_children(const mailbox *m, const folder *f)
{
    for (guint i = 0; i < m->content->folders->len; i++)
        if (folder_name_below(((folder *) m->content->folders->pdata[i])->name, f->name))
            return true;
    return false;
}

/* ---- creating ---- */

static op *folder_op(mailbox *m, uint32_t id, const char *name)
{
    uint32_t now = (uint32_t) (g_get_real_time() / G_USEC_PER_SEC);
    op *o = op_new(OP_FOLDER);
    o->folder = id ? id : m->header.next_folder;
    o->name = g_strdup(name);
    o->uidvalidity = MAX(now, m->header.next_uidvalidity);
    o->modseq = m->header.modseq + 1;
    return o;
}

static void create_parents(mailbox *m, const char *name)
{
    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
        g_autofree char *parent = g_strndup(name, (gsize) (slash - name));
        if (content_folder_named(m->content, parent))
            continue;
        op *o = folder_op(m, 0, parent);
        o->noselect = true;
        submit(m, o, NULL);
    }
}

static int create_check(mailbox *m, const char *name, char **ret_name)
{
    if (!m->content)
        return -EINVAL;
    int r = shard_admit(m->shard);
    if (r < 0)
        return r;
    if (m->content->folders->len >= FOLDERS_MAX || m->header.next_folder > UINT32_MAX - FOLDERS_MAX)
        return -ENOSPC;
    return folder_name_check(name, ret_name);
}

int mailbox_create_folder(mailbox *m, const char *name, unsigned special_use, commit_cb cb, void *data, uint32_t *ret_id)
{
    g_autofree char *canonical = NULL;
    int r = create_check(m, name, &canonical);
    if (r < 0)
        return r;
    const folder *f = content_folder_named(m->content, canonical);
    if (f && !f->info.noselect)
        return -EEXIST;
    create_parents(m, canonical);
    op *o = folder_op(m, f ? f->info.id : 0, canonical);
    o->special_use = special_use;
    o->subscribed = f && f->info.subscribed;
    uint32_t id = o->folder;
    submit(m, o, waiter_commit(m, cb, data, 0, NOTIFY_NONE));
    if (ret_id)
        *ret_id = id;
    return 0;
}

/* ---- deleting ---- */

int mailbox_delete_folder(mailbox *m, uint32_t id, commit_cb cb, void *data)
{
    const folder *f = m->content ? content_folder(m->content, id) : NULL;
    int r = shard_admit(m->shard);
    if (r < 0)
        return r;
    if (!f)
        return -ENOENT;
    bool children = has_children(m, f);
    if (is_own(id) || (f->info.noselect && children))
        return -EPERM;
    op *o = op_new(OP_FOLDER_DELETE);
    o->folder = id;
    o->modseq = m->header.modseq + 1;
    o->noselect = children;
    o->bytes = f->bytes;
    o->messages = f->info.messages;
    submit(m, o, waiter_commit(m, cb, data, id, 0));
    return 0;
}

/* ---- renaming ---- */

/* RFC 9051 §6.3.6: INBOX stays, its messages move to the new folder; names below
 * it are not touched. */
typedef struct { uint32_t to; commit_cb cb; void *data; } inbox_rename;

static void move_inbox(int r, mailbox *m, void *data)
{
    g_autofree inbox_rename *q = data;
    const folder *inbox = content_folder(m->content, FOLDER_ID_INBOX);
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; r == 0 && i < inbox->pages->len; i++) {
        const page *p = inbox->pages->pdata[i];
        for (uint32_t k = 0; k < p->n; k++)
            g_array_append_val(uids, p->records[k].uid);
    }
    g_autofree uint32_t *new_uids = NULL;
    if (uids->len)
        r = mailbox_copy(m, FOLDER_ID_INBOX, (const uint32_t *) (const void *) uids->data, uids->len, q->to, true, q->cb, q->data, &new_uids);
    else
        submit_nothing(m, 0, q->cb, q->data);
    if (r < 0)     /* the new folder stays, empty; the messages are where they were */
        submit_nothing(m, r, q->cb, q->data);
    mailbox_unref(m);
}

static int rename_inbox(mailbox *m, const char *new_name, commit_cb cb, void *data)
{
    uint32_t id;
    int r = mailbox_create_folder(m, new_name, 0, NULL, NULL, &id);
    if (r < 0)
        return r;
    inbox_rename *q = g_new(inbox_rename, 1);
    *q = (inbox_rename) { id, cb, data };
    mailbox_load_folder(mailbox_ref(m), FOLDER_ID_INBOX, move_inbox, q);
    return 0;
}

int mailbox_rename_folder(mailbox *m, uint32_t id, const char *new_name, commit_cb cb, void *data)
{
    g_autofree char *canonical = NULL;
    int r = create_check(m, new_name, &canonical);
    if (r < 0)
        return r;
    const folder *f = content_folder(m->content, id);
    if (!f)
        return -ENOENT;
    if (content_folder_named(m->content, canonical))
        return -EEXIST;
    if (id == FOLDER_ID_INBOX)
        return rename_inbox(m, canonical, cb, data);
    if (is_own(id))
        return -EPERM;
    if (folder_name_below(canonical, f->name))
        return -EINVAL;
    create_parents(m, canonical);
    op *o = op_new(OP_FOLDER_RENAME);
    o->folder = id;
    o->name = g_steal_pointer(&canonical);
    o->modseq = m->header.modseq + 1;
    submit(m, o, waiter_commit(m, cb, data, 0, NOTIFY_NONE));
    return 0;
}

int mailbox_subscribe(mailbox *m, uint32_t id, bool subscribed, commit_cb cb, void *data)
{
    const folder *f = m->content ? content_folder(m->content, id) : NULL;
    int r = shard_admit(m->shard);
    if (r < 0)
        return r;
    if (!f)
        return -ENOENT;
    op *o = op_new(OP_SUBSCRIBE);
    o->folder = id;
    o->subscribed = subscribed;
    submit(m, o, waiter_commit(m, cb, data, 0, NOTIFY_NONE));
    return 0;
}
