/* The checkpoint: everything below an LSN goes into databases and onto disk, so
 * that its segments may be written anew. Steps, each started when the one before
 * is done:
 *
 *   LOG       what was logged so far is durable
 *   APPLY     every group's operations below LSN are in its database
 *   HEADERS   the headers that changed are copied; their log is durable
 *   SYNC      headers written; syncfs of db and volume
 *   RECORD    a checkpoint record is durable: recovery begins at LSN from now on.
 *             Segments are released, names in incoming/ and blobs of expunged
 *             messages removed
 *   BACKFILL  for databases whose WAL has grown, held still since before SYNC:
 *             the WAL is copied into the file,
 *   SYNC_B    syncfs of db,
 *   RESET     the WAL is cut to nothing,
 *   SYNC_R    syncfs of db; they go on
 *
 * With synchronous=OFF this order is all that keeps a database whole in a power
 * cut (docs/decisions/sqlite-without-sync.md). A full disk ends the round early:
 * the log keeps everything and the next round tries again. */
#include <errno.h>

#include "agents/store/shard/disk.h"
#include "agents/store/shard/shard-internal.h"
#include "lib/journal/journal.h"

static void begin_backfill(shard *s);

static void finish(shard *s, int r)
{
    for (unsigned i = 0; i < s->n_groups; i++)
        s->groups[i].held = false;
    s->cp.state = CP_IDLE;
    s->cp.hold_all = false;
    s->cp.error = r;
    if (r == 0)
        s->stats.checkpoints++;
    else
        journal_error("Checkpoint of shard %u: %s; the redo log keeps what is not applied. Make room on the volumes of %s and %s",
                      s->config.number, g_strerror(-r), s->db_dir, s->store_dir);
}

/* ---- flushes ---- */

static void must_sync(int fd, const char *what)
{
    int r = disk_flush_fs(fd);
    if (r < 0)
        disk_fatal("the volume of %s cannot be flushed: %s", what, g_strerror(-r));
}

static void run_sync_db(void *data)
{
    shard *s = data;
    must_sync(s->db_fd, s->db_dir);
}

/* ---- databases held still ---- */

static void run_backfill(void *data) { group_db_backfill(group_opened(data)); }
static void run_reset(void *data) { group_db_reset_wal(group_opened(data)); }
static void run_backfill_headers(void *data) { header_db_backfill(((shard *) data)->headers); }
static void run_reset_headers(void *data) { header_db_reset_wal(((shard *) data)->headers); }

static void end_round(void *data)
{
    shard *s = data;
    for (unsigned i = 0; i < s->n_groups; i++)
        if (s->groups[i].held)
            s->groups[i].wal_large = false;
    finish(s, 0);
}

static void reset_done(shard *s)
{
    if (--s->cp.jobs > 0)
        return;
    s->cp.state = CP_SYNC_RESET;
    job_push(s->control, run_sync_db, end_round, s);
}

static void backfill_done(shard *s);

static void group_step_done(void *data)
{
    shard *s = ((group *) data)->shard;
    if (s->cp.state == CP_BACKFILL)
        backfill_done(s);
    else
        reset_done(s);
}

static void headers_step_done(void *data)
{
    shard *s = data;
    if (s->cp.state == CP_BACKFILL)
        backfill_done(s);
    else
        reset_done(s);
}

/* RUN for every held database; at least one. */
static void each_held(shard *s, job_fn run, job_fn run_headers)
{
    s->cp.jobs = 0;
    for (unsigned i = 0; i < s->n_groups; i++)
        s->cp.jobs += s->groups[i].held;
    s->cp.jobs += s->cp.headers_held;
    for (unsigned i = 0; i < s->n_groups; i++)
        if (s->groups[i].held)
            job_push(s->groups[i].queue, run, group_step_done, &s->groups[i]);
    if (s->cp.headers_held)
        job_push(s->control, run_headers, headers_step_done, s);
}

static void backfill_synced(void *data)
{
    shard *s = data;
    s->cp.state = CP_RESET;
    each_held(s, run_reset, run_reset_headers);
}

static void backfill_done(shard *s)
{
    if (--s->cp.jobs > 0)
        return;
    s->cp.state = CP_SYNC_BACKFILL;
    job_push(s->control, run_sync_db, backfill_synced, s);
}

static void begin_backfill(shard *s)
{
    bool any = s->cp.headers_held;
    for (unsigned i = 0; i < s->n_groups; i++)
        any |= s->groups[i].held;
    if (!any) {
        finish(s, 0);
        return;
    }
    s->cp.state = CP_BACKFILL;
    each_held(s, run_backfill, run_backfill_headers);
}

/* ---- blobs of expunged messages ---- */

typedef struct { group *group; uint64_t lsn; bool more; } unlink_job;

/* Rows are forgotten one round after their files were removed, when a syncfs has
 * made that durable. */
static void run_unlinks(void *data)
{
    unlink_job *j = data;
    group *g = j->group;
    group_db *db = group_opened(g);
    if (g->unlinked)
        (void) group_db_forget_unlinks(db, g->unlinked);    /* a full disk: next time */
    g_autoptr(GArray) all = group_db_unlinks(db, j->lsn);
    j->more = all->len > 0;
    for (guint i = 0; i < all->len; i++) {
        const group_unlink *u = &g_array_index(all, group_unlink, i);
        int r = blob_unlink(g->shard->blobs, u->mailbox, u->item);
        if (r < 0)
            journal_warning("Message file %u of mailbox %" G_GUINT64_FORMAT " cannot be removed: %s", u->item, u->mailbox, g_strerror(-r));
    }
    g->unlinked = j->lsn;
}

static void unlinks_done(void *data)
{
    unlink_job *j = data;
    j->group->has_unlinks |= j->more;
    g_free(j);
}

/* Held groups must not be written to; they have their turn next time. */
static void remove_blobs(shard *s)
{
    for (unsigned i = 0; i < s->n_groups; i++) {
        group *g = &s->groups[i];
        if (!g->has_unlinks || g->held)
            continue;
        g->has_unlinks = false;
        unlink_job *j = g_new0(unlink_job, 1);
        *j = (unlink_job) { g, s->cp.lsn, false };
        job_push(g->queue, run_unlinks, unlinks_done, j);
    }
}

/* ---- the record ---- */

static void recorded(void *data)
{
    shard *s = data;
    s->cp.done_lsn = s->cp.lsn;
    s->cp.done_end = redo_log_end(s->log);
    redo_log_release(s->log, s->cp.lsn);
    keeps_drop(s, s->cp.lsn);
    remove_blobs(s);
    mailbox_evict_idle(s);
    begin_backfill(s);
}

/* ---- headers ---- */

typedef struct { shard *shard; mailbox_header *headers; size_t n; int r; bool large; } header_job;

static void run_headers(void *data)
{
    header_job *j = data;
    shard *s = j->shard;
    j->r = j->n ? header_db_put(s->headers, j->headers, j->n) : 0;
    j->large = header_db_wal_bytes(s->headers) > s->config.wal_bytes;
    if (j->r < 0)
        return;
    must_sync(s->db_fd, s->db_dir);
    must_sync(blobs_volume_fd(s->blobs), s->store_dir);
}

static void synced(void *data)
{
    header_job *j = data;
    shard *s = j->shard;
    int r = j->r;
    for (size_t i = 0; r < 0 && i < j->n; i++) {
        mailbox *m = g_hash_table_lookup(s->by_id, &j->headers[i].id);
        g_hash_table_add(s->dirty, m);
    }
    s->cp.headers_large = j->large;
    g_free(j->headers);
    g_free(j);
    if (r < 0) {
        finish(s, r);
        return;
    }
    s->cp.state = CP_RECORD;
    op *o = op_new(OP_CHECKPOINT);
    o->bytes = s->cp.lsn;
    g_byte_array_set_size(s->payload, 0);
    op_encode(o, s->payload);
    op_free(o);
    uint64_t end;
    (void) redo_log_append(s->log, 0, OP_CHECKPOINT, s->payload->data, s->payload->len, &end);
    shard_after(s, end, recorded, s);
}

/* The rows name mailboxes by strings of the mailbox, which live as long as the
 * shard. */
static void headers_durable(void *data)
{
    header_job *j = data;
    j->shard->cp.state = CP_SYNC;
    job_push(j->shard->control, run_headers, synced, j);
}

static void begin_headers(shard *s)
{
    for (unsigned i = 0; i < s->n_groups; i++) {
        group *g = &s->groups[i];
        g->held = !g->applying && g->open && (g->wal_large || s->cp.hold_all);
    }
    s->cp.headers_held = s->cp.headers_large || s->cp.hold_all;
    header_job *j = g_new0(header_job, 1);
    j->shard = s;
    j->headers = g_new(mailbox_header, g_hash_table_size(s->dirty));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, s->dirty);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        j->headers[j->n++] = ((mailbox *) key)->header;
    g_hash_table_remove_all(s->dirty);
    s->cp.state = CP_HEADERS;
    shard_after(s, redo_log_end(s->log), headers_durable, j);
}

/* ---- databases ---- */

static bool needs_apply(const group *g, uint64_t lsn)
{
    const op *o = g_queue_peek_head((GQueue *) (uintptr_t) &g->pending);
    return o && o->lsn < lsn;
}

void checkpoint_applied(shard *s, int r)
{
    if (s->cp.state != CP_APPLY)
        return;
    if (r < 0) {
        finish(s, r);
        return;
    }
    bool waiting = false;
    for (unsigned i = 0; i < s->n_groups; i++) {
        if (!needs_apply(&s->groups[i], s->cp.lsn))
            continue;
        waiting = true;
        group_apply(&s->groups[i]);
    }
    if (waiting)
        return;
    if (s->stuck->len > 0)
        finish(s, -ENOSPC);    /* message files that could not be linked */
    else
        begin_headers(s);
}

static void log_durable(void *data)
{
    shard *s = data;
    s->cp.state = CP_APPLY;
    checkpoint_applied(s, 0);
}

void checkpoint_start(shard *s)
{
    if (s->cp.state != CP_IDLE)
        return;
    s->cp.state = CP_LOG;
    s->cp.error = 0;
    s->cp.last = g_get_monotonic_time();
    s->cp.lsn = redo_log_end(s->log);
    shard_after(s, s->cp.lsn, log_durable, s);
}
