/* The way of every change: encoded and appended to the log, counted in the
 * header, applied to the mailbox in memory, queued for its database, and reported
 * when the log is durable. Order is the log's order throughout.
 *
 * Invariants: an operation reaches a database only when durable (else a database
 * could hold what the log lost); it leaves PENDING only when in the database. */
#include <errno.h>

#include "agents/store/shard/disk.h"
#include "agents/store/shard/shard-internal.h"

/* ---- reports ---- */

static void fire_commit(waiter *w)
{
    if (w->cb.commit)
        w->cb.commit(w->r, w->data);
}

waiter *waiter_commit(mailbox *m, commit_cb cb, void *data, uint32_t notify, uint32_t notify_too)
{
    waiter *w = g_new0(waiter, 1);
    *w = (waiter) { .mailbox = m, .fire = fire_commit, .cb.commit = cb, .data = data, .notify = { notify, notify_too } };
    return w;
}

void submit_nothing(mailbox *m, int r, commit_cb cb, void *data)
{
    waiter *w = waiter_commit(m, cb, data, NOTIFY_NONE, NOTIFY_NONE);
    w->r = r;
    w->end = redo_log_end(m->shard->log);
    g_queue_push_tail(&m->shard->waiters, w);
    uint64_t one = 1;
    /* The log may be idle; a full counter wakes the loop as well. */
    (void) !write(m->shard->eventfd, &one, sizeof one);
}

static void fire_internal(waiter *w)
{
    w->cb.internal(w->data);
}

void shard_after(shard *s, uint64_t end, void (*fn)(void *data), void *data)
{
    waiter *w = g_new0(waiter, 1);
    *w = (waiter) { .end = end, .fire = fire_internal, .cb.internal = fn, .data = data, .notify = { NOTIFY_NONE, NOTIFY_NONE } };
    g_queue_push_tail(&s->waiters, w);
    uint64_t one = 1;
    (void) !write(s->eventfd, &one, sizeof one);    /* as above */
}

struct mailbox_watch {
    mailbox *mailbox;
    watch_fn fn;
    void *data;
    unsigned calls;
    bool removed;
};

mailbox_watch *mailbox_watch_add(mailbox *m, watch_fn fn, void *data)
{
    mailbox_watch *w = g_new0(mailbox_watch, 1);
    *w = (mailbox_watch) { .mailbox = m, .fn = fn, .data = data };
    if (!m->watches)
        m->watches = g_ptr_array_new();
    g_ptr_array_add(m->watches, w);
    return w;
}

void mailbox_watch_remove(mailbox_watch *w)
{
    if (!w)
        return;
    g_ptr_array_remove(w->mailbox->watches, w);
    w->removed = true;
    if (w->calls == 0)
        g_free(w);
}

/* Watches may come and go in what is called: the list is walked in a copy. */
static void notify(mailbox *m, uint32_t folder_id)
{
    if (folder_id == NOTIFY_NONE || !m->watches || m->watches->len == 0)
        return;
    guint n = m->watches->len;
    g_autofree mailbox_watch **all = g_memdup2(m->watches->pdata, n * sizeof *all);
    for (guint i = 0; i < n; i++)
        all[i]->calls++;
    for (guint i = 0; i < n; i++) {
        if (!all[i]->removed)
            all[i]->fn(m, folder_id, all[i]->data);
        if (--all[i]->calls == 0 && all[i]->removed)
            g_free(all[i]);
    }
}

void waiters_run(shard *s)
{
    uint64_t durable = redo_log_durable(s->log);
    for (waiter *w; (w = g_queue_peek_head(&s->waiters)) != NULL && w->end <= durable; ) {
        (void) g_queue_pop_head(&s->waiters);
        w->fire(w);
        if (w->mailbox) {
            notify(w->mailbox, w->notify[0]);
            notify(w->mailbox, w->notify[1]);
        }
        g_free(w);
    }
}

/* ---- the log ---- */

typedef struct { shard *shard; unsigned slot; int fd; } spare_job;

static void make_spare(void *data)
{
    spare_job *j = data;
    j->fd = redo_log_make_spare(j->shard->log, j->slot);
}

static void spare_made(void *data)
{
    spare_job *j = data;
    redo_log_add_spare(j->shard->log, j->fd, j->slot);
    g_free(j);
}

static void want_spare(shard *s)
{
    if (!redo_log_wants_spare(s->log))
        return;
    spare_job *j = g_new0(spare_job, 1);
    *j = (spare_job) { s, redo_log_next_slot(s->log), -1 };
    job_push(s->segments, make_spare, spare_made, j);
}

static void remember_fresh(mailbox *m, op *o)
{
    if (o->type != OP_ADD && (o->type != OP_COPY || o->move))
        return;
    if (!m->fresh)
        m->fresh = g_hash_table_new(NULL, NULL);
    if (o->type == OP_ADD)
        g_hash_table_insert(m->fresh, GUINT_TO_POINTER(o->record.item), o);
    for (size_t i = 0; o->type == OP_COPY && i < o->n_copies; i++)
        g_hash_table_insert(m->fresh, GUINT_TO_POINTER(o->copies[i].record.item), o);
}

static void forget_fresh(mailbox *m, const op *o)
{
    if (!m->fresh)
        return;
    if (o->type == OP_ADD)
        g_hash_table_remove(m->fresh, GUINT_TO_POINTER(o->record.item));
    for (size_t i = 0; o->type == OP_COPY && !o->move && i < o->n_copies; i++)
        g_hash_table_remove(m->fresh, GUINT_TO_POINTER(o->copies[i].record.item));
    if (g_hash_table_size(m->fresh) == 0)
        g_clear_pointer(&m->fresh, g_hash_table_unref);
}

void submit(mailbox *m, op *o, waiter *w)
{
    shard *s = m->shard;
    g_byte_array_set_size(s->payload, 0);
    op_encode(o, s->payload);
    o->mailbox = m->header.id;
    o->lsn = redo_log_append(s->log, o->mailbox, (uint16_t) o->type, s->payload->data, s->payload->len, &o->end);
    o->body = (op_span) { NULL, 0 };      /* borrowed for the record only */
    m->last_end = o->end;
    mailbox_header_apply(&m->header, o);
    g_hash_table_add(s->dirty, m);
    if (m->content)
        content_apply(m->content, o, NULL);
    remember_fresh(m, o);
    size_t bytes = op_memory(o);
    g_queue_push_tail(&m->group->pending, o);
    m->group->pending_bytes += bytes;
    s->unapplied += bytes;
    s->stats.changes++;
    s->stats.bytes_logged += redo_record_size(s->payload->len);
    if (w) {
        w->end = o->end;
        g_queue_push_tail(&s->waiters, w);
    }
    want_spare(s);
    if (o->end - s->cp.done_end > s->config.checkpoint_bytes)
        checkpoint_start(s);
}

/* ---- the database ---- */

typedef struct { group *group; op **ops; size_t n; int r; bool wal_large, unlinks; } apply_job;

static void run_apply(void *data)
{
    apply_job *j = data;
    group_db *db = group_opened(j->group);
    j->r = group_db_apply(db, j->ops, j->n);
    j->wal_large = group_db_wal_bytes(db) > j->group->shard->config.wal_bytes;
}

static void applied(void *data)
{
    apply_job *j = data;
    group *g = j->group;
    shard *s = g->shard;
    g->applying = false;
    g->open = true;
    g->wal_large = j->wal_large;
    for (size_t i = 0; j->r == 0 && i < j->n; i++) {
        op *o = g_queue_pop_head(&g->pending);
        g_assert(o == j->ops[i]);
        size_t bytes = op_memory(o);
        g->pending_bytes -= bytes;
        s->unapplied -= bytes;
        g->has_unlinks |= o->type == OP_EXPUNGE || o->type == OP_FOLDER_DELETE;
        mailbox *m = g_hash_table_lookup(s->by_id, &o->mailbox);
        forget_fresh(m, o);
        op_free(o);
    }
    int r = j->r;
    g_free(j->ops);
    g_free(j);
    checkpoint_applied(s, r);
}

void group_apply(group *g)
{
    uint64_t durable = redo_log_durable(g->shard->log);
    if (g->applying || g->held)
        return;
    size_t n = 0;
    for (GList *l = g->pending.head; l && ((const op *) l->data)->end <= durable; l = l->next)
        n++;
    if (n == 0)
        return;
    apply_job *j = g_new0(apply_job, 1);
    j->group = g;
    j->n = n;
    j->ops = g_new(op *, n);
    GList *l = g->pending.head;
    for (size_t i = 0; i < n; i++, l = l->next)
        j->ops[i] = l->data;
    g->applying = true;
    job_push(g->queue, run_apply, applied, j);
}
