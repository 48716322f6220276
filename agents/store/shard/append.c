/* New messages. Up to STORE_INLINE_MAX the text goes into the log record and the
 * file is linked by a worker behind the answer's back; should the link be lost,
 * recovery writes the file from the log. A larger text is made durable first: its
 * data flushed and a name given in incoming/, once per file however many
 * recipients share it; the name is dropped when a checkpoint made the final ones
 * durable. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"
#include "agents/store/shard/numbers.h"
#include "agents/store/shard/shard-internal.h"

/* ---- a message that must wait ---- */

typedef struct {
    mailbox *mailbox;
    uint32_t folder;
    new_message msg;            /* FD, BODY and SUMMARY are our own copies */
    struct keep *keep;          /* counted in its USERS */
    int r;
    append_cb cb;
    void *data;
} append;

static void keep_release(struct keep *k);

static void append_free(append *a)
{
    if (a->msg.fd >= 0)
        close(a->msg.fd);
    g_free((void *) (uintptr_t) a->msg.body);
    g_free((void *) (uintptr_t) a->msg.summary);
    keep_release(a->keep);
    mailbox_unref(a->mailbox);
    g_free(a);
}

static void report_failure(void *data)
{
    append *a = data;
    a->cb(a->r, 0, 0, a->data);
    append_free(a);
}

/* From the loop, never inside of mailbox_append(). */
static void append_failed(append *a, int r)
{
    a->r = r;
    shard_after(a->mailbox->shard, 0, report_failure, a);
}

/* ---- links ---- */

typedef struct {
    mailbox *mailbox;
    uint64_t incoming;          /* a name in incoming/ */
    int fd;                     /* or a descriptor; or -1 and BYTES */
    void *bytes;
    size_t len;
    uint32_t item;
    op_copy *copies;            /* or these, inside the mailbox */
    size_t n_copies;
    int r;
} link_job;

static int link_all_copies(link_job *j)
{
    const blobs *b = j->mailbox->shard->blobs;
    for (size_t i = 0; i < j->n_copies; i++) {
        int r = blob_copy(b, j->mailbox->header.id, j->copies[i].item, j->copies[i].record.item);
        if (r < 0)
            return r;
    }
    return 0;
}

static void run_link(void *data)
{
    link_job *j = data;
    const blobs *b = j->mailbox->shard->blobs;
    if (j->copies)
        j->r = link_all_copies(j);
    else if (j->incoming)
        j->r = blob_link_incoming(b, j->incoming, j->mailbox->header.id, j->item);
    else if (j->fd >= 0)
        j->r = blob_link(b, j->fd, j->mailbox->header.id, j->item);
    else
        j->r = blob_write(b, j->bytes, j->len, j->mailbox->header.id, j->item);
}

static void linked(void *data)
{
    link_job *j = data;
    shard *s = j->mailbox->shard;
    if (j->r == -ENOSPC || j->r == -EDQUOT || j->r == -EMFILE || j->r == -ENFILE) {
        g_ptr_array_add(s->stuck, j);     /* again at the next tick; no checkpoint until then */
        return;
    }
    if (j->r < 0)
        disk_fatal("a message file of mailbox %" G_GUINT64_FORMAT " cannot be linked: %s", j->mailbox->header.id, g_strerror(-j->r));
    s->links--;
    j->mailbox->group->links--;
    if (j->fd >= 0)
        close(j->fd);
    g_free(j->bytes);
    g_free(j->copies);
    g_free(j);
}

static void link_push(link_job *j)
{
    j->mailbox->shard->links++;
    j->mailbox->group->links++;
    job_push(j->mailbox->group->queue, run_link, linked, j);
}

void links_retry(shard *s)
{
    g_autoptr(GPtrArray) again = g_steal_pointer(&s->stuck);
    s->stuck = g_ptr_array_new();
    for (guint i = 0; i < again->len; i++) {
        link_job *j = again->pdata[i];
        job_push(j->mailbox->group->queue, run_link, linked, j);
    }
}

void link_copies(mailbox *m, const op *o)
{
    link_job *j = g_new0(link_job, 1);
    *j = (link_job) { .mailbox = m, .fd = -1, .n_copies = o->n_copies };
    j->copies = g_memdup2(o->copies, o->n_copies * sizeof *o->copies);
    link_push(j);
}

static void link_message(mailbox *m, uint32_t item, const new_message *msg, uint64_t incoming)
{
    link_job *j = g_new0(link_job, 1);
    *j = (link_job) { .mailbox = m, .incoming = incoming, .fd = -1, .item = item };
    if (msg->fd >= 0 && !incoming)
        j->fd = fcntl(msg->fd, F_DUPFD_CLOEXEC, 3);
    if (j->fd < 0 && !incoming) {    /* there was none, or no more are to be had */
        j->len = msg->size;
        j->bytes = g_memdup2(msg->body, msg->size);
    }
    link_push(j);
}

/* ---- logging ---- */

static void fire_append(waiter *w)
{
    statpage *numbers = shard_get_numbers(w->mailbox->shard)->page;
    statpage_inc(numbers, NUMBER_APPENDS_DONE);
    statpage_add(numbers, NUMBER_APPEND_US, statpage_now_us() - w->begun_us);
    w->cb.append(0, w->uidvalidity, w->uid, w->data);
}

static op *add_op(mailbox *m, uint32_t folder_id, const folder *f, const new_message *msg)
{
    op *o = op_new(OP_ADD);
    o->folder = folder_id;
    o->record = (message_record) {
        .uid = folder_id == FOLDER_ID_INBOX ? m->header.inbox_uidnext : f->info.uidnext,
        .item = m->header.next_item, .flags = msg->flags, .tags_lo = (uint32_t) msg->tags, .tags_hi = (uint32_t) (msg->tags >> 32),
        .size = (uint32_t) msg->size, .modseq = m->header.modseq + 1, .date = msg->date,
    };
    o->summary = (op_span) { msg->summary, msg->summary_len };
    op_own_summary(o);
    return o;
}

/* MSG->body is there when the message is small. */
static int append_now(mailbox *m, uint32_t folder_id, const new_message *msg, uint64_t incoming, append_cb cb, void *data)
{
    const folder *f = m->content ? content_folder(m->content, folder_id) : NULL;
    if (m->content && (!f || f->info.noselect))
        return -ENOENT;
    if (m->header.inbox_uidnext == UINT32_MAX || (f && f->info.uidnext == UINT32_MAX) || m->header.next_item == UINT32_MAX)
        return -EOVERFLOW;
    op *o = add_op(m, folder_id, f, msg);
    o->incoming = incoming;
    if (!incoming)
        o->body = (op_span) { msg->body, msg->size };
    waiter *w = waiter_commit(m, NULL, data, folder_id, NOTIFY_NONE);
    w->fire = fire_append;
    w->cb.append = cb;
    w->begun_us = statpage_now_us();
    w->uidvalidity = f ? f->info.uidvalidity : m->header.inbox_uidvalidity;
    w->uid = o->record.uid;
    uint32_t item = o->record.item;
    m->shard->stats.appends++;
    m->shard->stats.appended_bytes += msg->size;
    submit(m, o, w);
    link_message(m, item, msg, incoming);
    return 0;
}

/* ---- large messages ---- */

typedef struct keep {
    shard *shard;
    uint64_t inode, id, last_lsn;
    int fd;
    int r;
    bool kept;
    unsigned users;             /* appends that are not logged yet */
    GPtrArray *waiting;         /* those of them that wait for the flush */
} keep;

static void append_continue(append *a);

static void keep_release(keep *k)
{
    if (k)
        k->users--;
}

static void run_keep(void *data)
{
    keep *k = data;
    k->r = blob_keep(k->shard->blobs, k->fd, k->id);
}

/* A flush that fails for another reason than space must not be tried again on
 * what the kernel may already have thrown away. */
static void keep_done(void *data)
{
    keep *k = data;
    GPtrArray *waiting = g_steal_pointer(&k->waiting);
    k->waiting = g_ptr_array_new();
    k->kept = k->r == 0;
    int r = k->r;
    if (r < 0 && r != -ENOSPC && r != -EDQUOT)
        disk_fatal("a message of shard %u cannot be made durable: %s", k->shard->config.number, g_strerror(-r));
    for (guint i = 0; i < waiting->len; i++) {
        append *a = waiting->pdata[i];
        if (r < 0) {
            a->keep = NULL;
            append_failed(a, r);
        } else {
            append_continue(a);
        }
    }
    g_ptr_array_unref(waiting);
    if (r < 0)
        g_hash_table_remove(k->shard->keeping, &k->inode);
}

static void keep_free(void *data)
{
    keep *k = data;
    close(k->fd);
    g_ptr_array_unref(k->waiting);
    g_free(k);
}

void keeps_free(shard *s)
{
    if (s->keeping)
        g_hash_table_unref(s->keeping);
}

static keep *keep_of(shard *s, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return NULL;
    if (!s->keeping)
        s->keeping = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, keep_free);
    uint64_t inode = st.st_ino;
    keep *k = g_hash_table_lookup(s->keeping, &inode);
    if (k)
        return k;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return NULL;
    k = g_new0(keep, 1);
    *k = (keep) { .shard = s, .inode = inode, .id = s->next_incoming++, .fd = own, .waiting = g_ptr_array_new() };
    g_hash_table_insert(s->keeping, &k->inode, k);
    job_push(s->spool[inode % SPOOL_QUEUES], run_keep, keep_done, k);
    return k;
}

typedef struct { shard *shard; uint64_t id; } drop_job;

static void run_drop(void *data)
{
    drop_job *j = data;
    (void) blob_drop_incoming(j->shard->blobs, j->id);    /* one left over is dropped at the next start */
}

static gboolean covered(gpointer key, gpointer value, gpointer data)
{
    keep *k = value;
    if (!k->kept || k->users || k->last_lsn > *(const uint64_t *) data)
        return FALSE;
    drop_job *j = g_new(drop_job, 1);
    *j = (drop_job) { k->shard, k->id };
    job_push(k->shard->control, run_drop, g_free, j);
    return TRUE;
}

/* Names in incoming/ whose messages a durable checkpoint covers. */
void keeps_drop(shard *s, uint64_t lsn)
{
    if (s->keeping)
        g_hash_table_foreach_remove(s->keeping, covered, &lsn);
}

/* ---- the way of a message ---- */

static bool is_large(const new_message *msg)
{
    return msg->size > STORE_INLINE_MAX;
}

static void mailbox_ready(int r, mailbox *m, void *data)
{
    (void) m;
    append *a = data;
    if (r < 0)
        append_failed(a, r);
    else
        append_continue(a);
}

/* A kept file's name outlives the log records of all that use it: USERS until
 * they are logged, then LAST_LSN. */
static void append_continue(append *a)
{
    mailbox *m = a->mailbox;
    if (a->keep && !a->keep->kept) {
        g_ptr_array_add(a->keep->waiting, a);
        return;
    }
    int r = shard_admit(m->shard);
    if (r == -EAGAIN) {
        g_queue_push_tail(&m->shard->held, a);
        return;
    }
    if (r < 0) {
        append_failed(a, r);
        return;
    }
    if (!m->content && a->folder != FOLDER_ID_INBOX) {
        mailbox_load(m, mailbox_ready, a);
        return;
    }
    r = append_now(m, a->folder, &a->msg, a->keep ? a->keep->id : 0, a->cb, a->data);
    if (a->keep)
        a->keep->last_lsn = redo_log_end(m->shard->log);
    if (r < 0)
        append_failed(a, r);
    else
        append_free(a);
}

/* The text of a small message that came by descriptor only. */
static int read_body(const new_message *msg, void **ret)
{
    g_autofree void *body = g_malloc(msg->size);
    int r = disk_read(msg->fd, body, msg->size, 0);
    if (r < 0)
        return r == -ENODATA ? -EINVAL : r;
    *ret = g_steal_pointer(&body);
    return 0;
}

static int append_later(mailbox *m, uint32_t folder_id, const new_message *msg, append_cb cb, void *data)
{
    append *a = g_new0(append, 1);
    *a = (append) { .mailbox = mailbox_ref(m), .folder = folder_id, .msg = *msg, .cb = cb, .data = data };
    a->msg.fd = msg->fd >= 0 ? fcntl(msg->fd, F_DUPFD_CLOEXEC, 3) : -1;
    a->msg.summary = g_memdup2(msg->summary, msg->summary_len);
    a->msg.body = msg->body && !is_large(msg) ? g_memdup2(msg->body, msg->size) : NULL;
    a->keep = is_large(msg) && a->msg.fd >= 0 ? keep_of(m->shard, a->msg.fd) : NULL;
    if ((msg->fd >= 0 && a->msg.fd < 0) || (is_large(msg) && !a->keep)) {
        append_free(a);
        return -EMFILE;
    }
    if (a->keep)
        a->keep->users++;
    append_continue(a);
    return 0;
}

void appends_release(shard *s)
{
    for (guint n = s->held.length; n > 0 && (s->closing || shard_admit(s) == 0); n--)
        append_continue(g_queue_pop_head(&s->held));
}

static int append_check(mailbox *m, uint32_t folder_id, const new_message *msg)
{
    int r = shard_admit(m->shard);
    if (r < 0 && (r != -EAGAIN || m->shard->held.length >= HELD_MAX))
        return r;
    if (msg->size == 0 || msg->size > UINT32_MAX || (msg->fd < 0 && (!msg->body || is_large(msg))))
        return -EINVAL;
    if (msg->summary_len + STORE_INLINE_MAX + 4096 > redo_log_max_payload(m->shard->log))
        return -E2BIG;
    if (m->shard->volume_percent >= VOLUME_FULL_PERCENT)
        return -ENOSPC;
    if (mailbox_over_quota(m, msg->size))
        return -EDQUOT;
    if (!m->content)
        return folder_id >= FOLDER_ID_INBOX && folder_id <= FOLDER_ID_DRAFTS ? 0 : -EINVAL;
    const folder *f = content_folder(m->content, folder_id);
    return f && !f->info.noselect ? 0 : -ENOENT;
}

int mailbox_append(mailbox *m, uint32_t folder_id, const new_message *msg, append_cb cb, void *data)
{
    int r = append_check(m, folder_id, msg);
    if (r < 0)
        return r;
    new_message own = *msg;
    g_autofree void *body = NULL;
    if (!is_large(msg) && !msg->body) {
        if ((r = read_body(msg, &body)) < 0)
            return r;
        own.body = body;
    }
    if (is_large(msg) || (!m->content && folder_id != FOLDER_ID_INBOX) || shard_admit(m->shard) < 0)
        return append_later(m, folder_id, &own, cb, data);
    return append_now(m, folder_id, &own, 0, cb, data);
}

int shard_spool_fd(shard *s)
{
    return blob_spool(s->blobs);
}
