/* Start: headers and log are read; what the log has beyond a database goes into
 * it, message files it names are checked and made good; then a checkpoint closes
 * the matter. The whole shard is recovered before it answers anybody.
 *
 * Replay begins at the last durable checkpoint record. A file of a message that
 * was logged later may be missing, empty or old, since nothing flushed it: a
 * small one is compared with the text in the log, a large one is in incoming/, a
 * copy is linked again from its source. This includes messages expunged since
 * (their files are removed only after the next checkpoint), as they may be the
 * source of a copy. */
#include <errno.h>

#include "agents/store/shard/disk.h"
#include "agents/store/shard/shard-internal.h"
#include "lib/journal/journal.h"

typedef struct {
    shard *shard;
    uint64_t checkpoint;        /* replay from here */
    uint64_t records, files;    /* replayed; made good */
} recovery;

/* ---- headers ---- */

static void take_header(const mailbox_header *h, void *data)
{
    (void) mailbox_new(data, h);
}

/* A number that must stay what it was when the store was made. */
static int fixed_number(shard *s, const char *key, int64_t want, int64_t *ret)
{
    int64_t have = header_db_number(s->headers, key);
    if (have == 0) {
        int r = header_db_set_number(s->headers, key, want);
        if (r < 0)
            return r;
        have = want;
    }
    *ret = have;
    return 0;
}

static int check_numbers(shard *s)
{
    int64_t shards, groups;
    int r = fixed_number(s, "shards", s->config.count, &shards);
    if (r == 0)
        r = fixed_number(s, "groups", (GROUPS_PER_HOST + s->config.count - 1) / s->config.count, &groups);
    if (r < 0)
        return r;
    if (shards != s->config.count) {
        journal_error("The store in %s was made for %d shards, not %u: set shards back to %d in mailboxd.conf",
                      s->db_dir, (int) shards, s->config.count, (int) shards);
        return -EINVAL;
    }
    s->n_groups = (unsigned) CLAMP(groups, 1, 10000);
    return 0;
}

/* ---- files ---- */

static void repaired(recovery *v, int r, const op *o, uint32_t item)
{
    if (r == 0)
        v->files++;
    else
        journal_alert(LOG_ERR, "store-blob-lost", "Message file %u of mailbox %" G_GUINT64_FORMAT " cannot be made good: %s",
                      item, o->mailbox, g_strerror(-r));
}

static bool disk_is_full(int r)
{
    return r == -ENOSPC || r == -EDQUOT;
}

static int check_added(recovery *v, const op *o)
{
    const blobs *b = v->shard->blobs;
    bool small = o->incoming == 0;
    if (blob_is(b, o->mailbox, o->record.item, small ? o->body.data : NULL, o->record.size))
        return 0;
    int r = small ? blob_write(b, o->body.data, o->body.len, o->mailbox, o->record.item)
                  : blob_link_incoming(b, o->incoming, o->mailbox, o->record.item);
    if (disk_is_full(r))
        return r;
    repaired(v, r, o, o->record.item);
    return 0;
}

static int check_copied(recovery *v, const op *o)
{
    for (size_t i = 0; !o->move && i < o->n_copies; i++) {
        const op_copy *k = &o->copies[i];
        int r = blob_copy(v->shard->blobs, o->mailbox, k->item, k->record.item);
        if (disk_is_full(r))
            return r;
        if (r < 0 && !blob_is(v->shard->blobs, o->mailbox, k->record.item, NULL, k->record.size))
            repaired(v, r, o, k->record.item);
    }
    return 0;
}

/* ---- records ---- */

static int find_checkpoint(const redo_record *r, void *data)
{
    recovery *v = data;
    op *o;
    if (r->type != OP_CHECKPOINT || op_decode(OP_CHECKPOINT, r->payload, r->len, &o) < 0)
        return 0;
    v->checkpoint = o->bytes;
    op_free(o);
    return 0;
}

static mailbox *mailbox_of(shard *s, const op *o)
{
    mailbox *m = g_hash_table_lookup(s->by_id, &o->mailbox);
    if (m || o->type != OP_MAILBOX)
        return m;
    mailbox_header h = { .id = o->mailbox, .account = o->account, .name = o->name, .group = o->group };
    return mailbox_new(s, &h);
}

static int bad_record(const shard *s, const redo_record *r, const char *why)
{
    journal_error("Redo log of shard %u: the record at %" G_GUINT64_FORMAT " (%s) %s; the log was written by another version or is damaged",
                  s->config.number, r->lsn, op_type_name(r->type), why);
    return -EBADMSG;
}

static int replay(const redo_record *rec, void *data)
{
    recovery *v = data;
    shard *s = v->shard;
    op *o;
    if (rec->type == OP_CHECKPOINT)
        return 0;
    if (op_decode(rec->type, rec->payload, rec->len, &o) < 0)
        return bad_record(s, rec, "cannot be read");
    o->lsn = rec->lsn;
    o->end = rec->end;
    o->mailbox = rec->mailbox;
    mailbox *m = mailbox_of(s, o);
    if (!m) {
        op_free(o);
        return bad_record(s, rec, "is of an unknown mailbox");
    }
    int r = o->type == OP_ADD ? check_added(v, o) : o->type == OP_COPY ? check_copied(v, o) : 0;
    if (r < 0) {
        op_free(o);
        return r;
    }
    if (o->lsn > m->header.lsn) {
        mailbox_header_apply(&m->header, o);
        g_hash_table_add(s->dirty, m);
    }
    v->records++;
    if (o->lsn <= group_db_applied(group_opened(m->group))) {
        op_free(o);
        return 0;
    }
    op_own_summary(o);
    o->body = (op_span) { NULL, 0 };
    g_queue_push_tail(&m->group->pending, o);
    return 0;
}

/* ---- databases ---- */

static int apply_group(group *g)
{
    guint n = g_queue_get_length(&g->pending);
    if (n == 0)
        return 0;
    g_autofree op **ops = g_new(op *, n);
    guint i = 0;
    for (GList *l = g->pending.head; l; l = l->next)
        ops[i++] = l->data;
    int r = group_db_apply(group_opened(g), ops, n);
    if (r < 0)
        return r;
    g->wal_large = group_db_wal_bytes(g->db) > g->shard->config.wal_bytes;
    g->open = true;
    g_queue_clear_full(&g->pending, (GDestroyNotify) op_free);
    return 0;
}

static void make_groups(shard *s)
{
    s->groups = g_new0(group, s->n_groups);
    for (unsigned i = 0; i < s->n_groups; i++) {
        group *g = &s->groups[i];
        g->shard = s;
        g->number = i;
        g->queue = job_queue_new(s->jobs);
        g->path = g_strdup_printf("%s/%u/group-%02u.db", s->db_dir, s->config.number, i);
        g->has_unlinks = g_file_test(g->path, G_FILE_TEST_EXISTS);
        g_queue_init(&g->pending);
    }
}

/* Above everything any database has seen. */
static uint64_t highest_lsn(shard *s, const redo_chain *chain)
{
    uint64_t lsn = chain->end;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, s->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        lsn = MAX(lsn, ((mailbox *) value)->header.lsn);
    for (unsigned i = 0; i < s->n_groups; i++)
        if (s->groups[i].db || (chain->end == 0 && g_file_test(s->groups[i].path, G_FILE_TEST_EXISTS)))
            lsn = MAX(lsn, group_db_applied(group_opened(&s->groups[i])));
    return lsn;
}

static int replay_chain(recovery *v, redo_chain *chain)
{
    shard *s = v->shard;
    int r = redo_chain_each(chain, 0, find_checkpoint, v);
    if (r == 0)
        r = redo_chain_each(chain, v->checkpoint, replay, v);
    for (unsigned i = 0; r == 0 && i < s->n_groups; i++)
        r = apply_group(&s->groups[i]);
    if (r < 0)
        journal_error("Recovery of shard %u stops: %s%s", s->config.number, g_strerror(-r),
                      disk_is_full(r) ? "; make room on the volume and start again" : "");
    return r;
}

static int start_log(shard *s, redo_chain *chain)
{
    uint64_t above = highest_lsn(s, chain);
    int r = redo_log_start(chain, s->config.number, s->config.segment_bytes, above, 3, s->eventfd, &s->log);
    if (r < 0)
        journal_error("The redo log in %s cannot be begun: %s", s->redolog_dir, g_strerror(-r));
    return r;
}

int shard_recover(shard *s)
{
    g_autofree char *path = g_strdup_printf("%s/%u.db", s->db_dir, s->config.number);
    g_autofree char *dir = g_strdup_printf("%s/%u", s->redolog_dir, s->config.number);
    recovery v = { .shard = s };
    s->headers = header_db_open(path);
    int r = check_numbers(s);
    if (r < 0)
        return r;
    make_groups(s);
    header_db_each(s->headers, take_header, s);
    redo_chain *chain = NULL;
    g_autofree char *why = NULL;
    if ((r = redo_chain_read(dir, s->config.number, &chain, &why)) < 0) {
        journal_error("Redo log of shard %u: %s", s->config.number, why);
        return r;
    }
    if ((r = replay_chain(&v, chain)) < 0) {
        redo_chain_free(chain);
        return r;
    }
    if ((r = start_log(s, chain)) < 0)
        return r;
    if (v.records)
        journal_info("Shard %u recovered: %" G_GUINT64_FORMAT " log records, %" G_GUINT64_FORMAT " message files made good",
                     s->config.number, v.records, v.files);
    checkpoint_start(s);
    while (s->cp.state != CP_IDLE)
        shard_pump(s);
    if (s->cp.error == 0)
        (void) blobs_clear_incoming(s->blobs);    /* tried again at the next start */
    return 0;
}
