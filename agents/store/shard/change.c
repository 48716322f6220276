/* Changes of messages that are there: flags, copy, move, expunge, keywords. Each
 * is checked and counted here, against the records in memory, and becomes one
 * operation. */
#include <errno.h>
#include <string.h>

#include "agents/store/shard/shard-internal.h"

enum { KEYWORD_MAX = 100, UID_RANGE_BYTES = 10, COPY_BYTES = 80 };

/* The folder with its records in memory; NULL and the error else, also when UIDS
 * are not ascending. */
static folder *viewed_folder(mailbox *m, uint32_t id, const uint32_t *uids, size_t n, int *ret_error)
{
    if ((*ret_error = shard_admit(m->shard)) < 0)
        return NULL;
    *ret_error = -EINVAL;
    for (size_t i = 1; i < n; i++)
        if (uids[i] <= uids[i - 1])
            return NULL;
    folder *f = m->content ? content_folder(m->content, id) : NULL;
    *ret_error = !m->content || (f && !f->pages) ? -EINVAL : f ? 0 : -ENOENT;
    return *ret_error ? NULL : f;
}

static bool fits(const mailbox *m, size_t bytes)
{
    return bytes + 256 <= redo_log_max_payload(m->shard->log);
}

/* ---- flags ---- */

typedef struct { uint32_t flags; uint64_t tags; } flag_state;

static flag_state after(const message_record *r, flags_op mode, unsigned flags, uint64_t tags)
{
    flag_state now = { r->flags, (uint64_t) r->tags_hi << 32 | r->tags_lo };
    switch (mode) {
    case FLAGS_SET: return (flag_state) { flags, tags };
    case FLAGS_ADD: return (flag_state) { now.flags | flags, now.tags | tags };
    default: return (flag_state) { now.flags & ~flags, now.tags & ~tags };
    }
}

int mailbox_set_flags(mailbox *m, uint32_t folder_id, const uint32_t *uids, size_t n, flags_op mode, unsigned flags, uint64_t tags, commit_cb cb, void *data)
{
    int r;
    const folder *f = viewed_folder(m, folder_id, uids, n, &r);
    if (!f)
        return r;
    op *o = op_new(OP_FLAGS);
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        const message_record *rec = folder_record(f, uids[i]);
        if (!rec)
            continue;
        flag_state s = after(rec, mode, flags, tags);
        if (s.flags == rec->flags && (uint32_t) s.tags == rec->tags_lo && (uint32_t) (s.tags >> 32) == rec->tags_hi)
            continue;
        o->unseen += (rec->flags & MSG_SEEN ? 1 : 0) - (s.flags & MSG_SEEN ? 1 : 0);
        g_array_append_val(changed, uids[i]);
    }
    if (changed->len == 0 || !fits(m, changed->len * UID_RANGE_BYTES)) {
        op_free(o);
        if (changed->len)
            return -E2BIG;
        submit_nothing(m, 0, cb, data);
        return 0;
    }
    o->folder = folder_id;
    o->mode = mode;
    o->flags = flags;
    o->tags = tags;
    o->modseq = m->header.modseq + 1;
    op_set_uids(o, (const uint32_t *) (const void *) changed->data, changed->len);
    submit(m, o, waiter_commit(m, cb, data, folder_id, NOTIFY_NONE));
    return 0;
}

/* ---- expunge ---- */

int mailbox_expunge(mailbox *m, uint32_t folder_id, const uint32_t *uids, size_t n, commit_cb cb, void *data)
{
    int r;
    const folder *f = viewed_folder(m, folder_id, uids, n, &r);
    if (!f)
        return r;
    op *o = op_new(OP_EXPUNGE);
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        const message_record *rec = folder_record(f, uids[i]);
        if (!rec)
            continue;
        o->messages++;
        o->bytes += rec->size;
        o->unseen -= !(rec->flags & MSG_SEEN);
        g_array_append_val(gone, uids[i]);
    }
    if (gone->len == 0 || !fits(m, gone->len * UID_RANGE_BYTES)) {
        op_free(o);
        if (gone->len)
            return -E2BIG;
        submit_nothing(m, 0, cb, data);
        return 0;
    }
    o->folder = folder_id;
    o->modseq = m->header.modseq + 1;
    op_set_uids(o, (const uint32_t *) (const void *) gone->data, gone->len);
    submit(m, o, waiter_commit(m, cb, data, folder_id, NOTIFY_NONE));
    return 0;
}

/* ---- copy and move ---- */

/* Results of copying UIDS to TO: new uids in order; a moved message keeps its
 * item. RET_UIDS has 0 for what does not exist. */
static op *copy_op(mailbox *m, const folder *f, const folder *to, const uint32_t *uids, size_t n, bool move, uint32_t *ret_uids)
{
    op *o = op_new(OP_COPY);
    uint32_t uid = to->info.uidnext, item = m->header.next_item;
    o->folder = f->info.id;
    o->to = to->info.id;
    o->move = move;
    o->modseq = m->header.modseq + 1;
    o->copies = g_new0(op_copy, n);
    for (size_t i = 0; i < n; i++) {
        const message_record *rec = folder_record(f, uids[i]);
        ret_uids[i] = 0;
        if (!rec)
            continue;
        op_copy *k = &o->copies[o->n_copies++];
        *k = (op_copy) { rec->uid, rec->item, *rec };
        k->record.uid = ret_uids[i] = uid++;
        k->record.item = move ? rec->item : item++;
        k->record.modseq = o->modseq;
        o->bytes += rec->size;
        o->unseen += !(rec->flags & MSG_SEEN);
    }
    return o;
}

static int copy_check(const mailbox *m, const op *o, const folder *to)
{
    if (o->n_copies == 0)
        return -ENOENT;
    if (!fits(m, o->n_copies * COPY_BYTES))
        return -E2BIG;
    if (UINT32_MAX - to->info.uidnext < o->n_copies || UINT32_MAX - m->header.next_item < o->n_copies)
        return -EOVERFLOW;
    if (!o->move && m->shard->volume_percent >= VOLUME_FULL_PERCENT)
        return -ENOSPC;
    return !o->move && mailbox_over_quota(m, o->bytes) ? -EDQUOT : 0;
}

int mailbox_copy(mailbox *m, uint32_t folder_id, const uint32_t *uids, size_t n, uint32_t to_id, bool move, commit_cb cb, void *data, uint32_t **ret_uids)
{
    int r;
    const folder *f = viewed_folder(m, folder_id, uids, n, &r);
    if (!f)
        return r;
    const folder *to = content_folder(m->content, to_id);
    if (!to || to->info.noselect)
        return -ENOENT;
    g_autofree uint32_t *new_uids = g_new0(uint32_t, MAX(n, 1));
    op *o = copy_op(m, f, to, uids, n, move, new_uids);
    if ((r = copy_check(m, o, to)) < 0) {
        op_free(o);
        return r;
    }
    submit(m, o, waiter_commit(m, cb, data, to_id, move ? folder_id : (uint32_t) NOTIFY_NONE));
    if (!move)
        link_copies(m, o);
    *ret_uids = g_steal_pointer(&new_uids);
    return 0;
}

/* ---- keywords ---- */

/* An atom (RFC 9051 §9) without the backslash of system flags. */
static bool keyword_ok(const char *k)
{
    size_t len = strlen(k);
    for (size_t i = 0; i < len; i++)
        if (k[i] <= ' ' || k[i] >= 0x7f || strchr("(){%*\"\\]", k[i]))
            return false;
    return len > 0 && len <= KEYWORD_MAX;
}

int mailbox_tag(mailbox *m, const char *keyword, bool create)
{
    int free_bit = -ENOSPC;
    if (!m->content || !keyword_ok(keyword))
        return -EINVAL;
    for (int i = TAGS - 1; i >= 0; i--) {
        if (!m->content->tags[i])
            free_bit = i;
        else if (g_ascii_strcasecmp(m->content->tags[i], keyword) == 0)
            return i;
    }
    if (!create)
        return -ENOENT;
    int r = shard_admit(m->shard);
    if (r < 0 || free_bit < 0)
        return r < 0 ? r : free_bit;
    op *o = op_new(OP_TAG);
    o->flags = (uint32_t) free_bit;
    o->name = g_strdup(keyword);
    submit(m, o, NULL);
    return free_bit;
}

const char *mailbox_tag_name(mailbox *m, unsigned bit)
{
    return m->content && bit < TAGS ? m->content->tags[bit] : NULL;
}
