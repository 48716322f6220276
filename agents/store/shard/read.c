/* Reading: views, summaries, blobs, and the barrier. What is pending is answered
 * from memory, the rest by a worker. */
#include <errno.h>
#include <unistd.h>

#include "agents/store/shard/shard-internal.h"

static bool durable(const mailbox *m)
{
    return redo_log_durable(m->shard->log) >= m->last_end;
}

void mailbox_barrier(mailbox *m, commit_cb cb, void *data)
{
    if (durable(m))
        cb(0, data);
    else
        submit_nothing(m, 0, cb, data);
}

/* ---- views ---- */

static void fire_view(waiter *w)
{
    w->cb.view(0, w->view, w->data);
}

typedef struct { uint32_t folder; view_cb cb; void *data; } view_request;

static void give_view(int r, mailbox *m, void *data)
{
    g_autofree view_request *q = data;
    folder *f = r == 0 ? content_folder(m->content, q->folder) : NULL;
    if (!f) {
        q->cb(-ENOENT, NULL, q->data);
    } else if (durable(m)) {
        q->cb(0, folder_view_ref(folder_current_view(f)), q->data);
    } else {
        waiter *w = waiter_commit(m, NULL, q->data, NOTIFY_NONE, NOTIFY_NONE);
        w->end = redo_log_end(m->shard->log);
        w->fire = fire_view;
        w->cb.view = q->cb;
        w->view = folder_view_ref(folder_current_view(f));
        g_queue_push_tail(&m->shard->waiters, w);
    }
    mailbox_unref(m);
}

void mailbox_view(mailbox *m, uint32_t folder_id, view_cb cb, void *data)
{
    const folder *f = m->content ? content_folder(m->content, folder_id) : NULL;
    if (!f || f->info.noselect) {
        cb(-ENOENT, NULL, data);
        return;
    }
    view_request *q = g_new(view_request, 1);
    *q = (view_request) { folder_id, cb, data };
    mailbox_load_folder(mailbox_ref(m), folder_id, give_view, q);
}

/* ---- summaries ---- */

typedef struct {
    mailbox *mailbox;
    uint32_t item, source;      /* SOURCE: what it was copied from, while that is pending */
    void *bytes;
    size_t len;
    int fd, r;
    uint64_t size;
    summary_cb summary;
    blob_cb blob;
    void *data;
} read_job;

/* The operation that made ITEM, when pending; a copy leads to its source. */
static const op *fresh_source(const mailbox *m, uint32_t *item)
{
    for (const op *o; m->fresh && (o = g_hash_table_lookup(m->fresh, GUINT_TO_POINTER(*item))) != NULL; ) {
        if (o->type == OP_ADD)
            return o;
        for (size_t i = 0; i < o->n_copies; i++)
            if (o->copies[i].record.item == *item) {
                *item = o->copies[i].item;
                break;
            }
    }
    return NULL;
}

static void run_summary(void *data)
{
    read_job *j = data;
    group_db *db = group_opened(j->mailbox->group);
    j->r = group_db_summary(db, j->mailbox->header.id, j->item, &j->bytes, &j->len);
    if (j->r == -ENOENT && j->source != j->item)
        j->r = group_db_summary(db, j->mailbox->header.id, j->source, &j->bytes, &j->len);
}

static void summary_read(void *data)
{
    read_job *j = data;
    j->summary(j->r, j->bytes, j->len, j->data);
    g_free(j->bytes);
    mailbox_unref(j->mailbox);
    g_free(j);
}

void mailbox_summary(mailbox *m, uint32_t item, summary_cb cb, void *data)
{
    uint32_t source = item;
    const op *o = fresh_source(m, &source);
    if (o) {
        cb(0, o->summary.data, o->summary.len, data);
        return;
    }
    read_job *j = g_new0(read_job, 1);
    *j = (read_job) { .mailbox = mailbox_ref(m), .item = item, .source = source, .summary = cb, .data = data };
    job_push(m->group->queue, run_summary, summary_read, j);
}

/* ---- blobs ---- */

static void run_blob(void *data)
{
    read_job *j = data;
    j->fd = blob_open(j->mailbox->shard->blobs, j->mailbox->header.id, j->item, &j->size);
}

static void blob_read(void *data)
{
    read_job *j = data;
    j->blob(MIN(j->fd, 0), j->fd, j->size, j->data);
    mailbox_unref(j->mailbox);
    g_free(j);
}

/* Behind the link jobs of the group, so that a file whose message was just stored
 * is there. */
void mailbox_blob(mailbox *m, uint32_t item, blob_cb cb, void *data)
{
    uint64_t size = 0;
    int fd = m->group->links ? -EAGAIN : blob_open_cached(m->shard->blobs, m->header.id, item, &size);
    if (fd >= 0) {
        cb(0, fd, size, data);
        return;
    }
    read_job *j = g_new0(read_job, 1);
    *j = (read_job) { .mailbox = mailbox_ref(m), .item = item, .blob = cb, .data = data };
    job_push(m->group->queue, run_blob, blob_read, j);
}
