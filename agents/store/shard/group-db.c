/* A group's database.
 *
 *   meta      applied_lsn
 *   folder    KEY is unique in the file, so that a page's rowid is key<<32|no
 *   page      records of 40 bytes (message_record) as in memory; content.h has
 *             which uids a page holds
 *   item      one per message: size and summary; the blob is a file
 *   expunged  uids as pairs first, last of 32 bits
 *   unlink    items whose blob waits to be removed
 *
 * A batch is applied by content_apply() on the folders and pages that it names,
 * read as needed into a content of its own, and then written back. */
#include "agents/store/shard/group-db.h"

#include <errno.h>
#include <string.h>

#include "agents/store/shard/sql.h"

static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('version', 1), ('applied_lsn', 0);"
    "CREATE TABLE folder(key INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,"
    " special_use INTEGER, subscribed INTEGER, noselect INTEGER, uidvalidity INTEGER, uidnext INTEGER, modseq INTEGER,"
    " messages INTEGER, unseen INTEGER, bytes INTEGER, UNIQUE(mailbox, id));"
    "CREATE TABLE page(id INTEGER PRIMARY KEY, records BLOB NOT NULL);"
    "CREATE TABLE item(mailbox INTEGER, id INTEGER, size INTEGER, summary BLOB, PRIMARY KEY(mailbox, id)) WITHOUT ROWID;"
    "CREATE TABLE expunged(mailbox INTEGER, folder INTEGER, modseq INTEGER, uids BLOB);"
    "CREATE INDEX expunged_by_folder ON expunged(mailbox, folder, modseq);"
    "CREATE TABLE tag(mailbox INTEGER, bit INTEGER, name TEXT, PRIMARY KEY(mailbox, bit)) WITHOUT ROWID;"
    "CREATE TABLE unlink(mailbox INTEGER, item INTEGER, lsn INTEGER, PRIMARY KEY(mailbox, item)) WITHOUT ROWID;";

#define FOLDER_COLUMNS "key, id, name, special_use, subscribed, noselect, uidvalidity, uidnext, modseq, messages, unseen, bytes"

typedef enum {
    FOLDER_BY_ID, FOLDERS_OF, FOLDER_INSERT, FOLDER_UPDATE, FOLDER_DROP, PAGES, PAGE_PUT, PAGE_DROP,
    ITEM_PUT, ITEM_COPY, ITEM_DROP, ITEM_SUMMARY, EXPUNGED_ADD, EXPUNGED_DROP, TAG_PUT, TAGS_OF,
    UNLINK_ADD, UNLINKS, UNLINK_FORGET, META_PUT, META_GET, STATEMENTS
} statement;

static const char *const texts[STATEMENTS] = {
    [FOLDER_BY_ID] = "SELECT " FOLDER_COLUMNS " FROM folder WHERE mailbox=? AND id=?",
    [FOLDERS_OF] = "SELECT " FOLDER_COLUMNS " FROM folder WHERE mailbox=?",
    [FOLDER_INSERT] = "INSERT INTO folder(mailbox, id, name, special_use, subscribed, noselect, uidvalidity, uidnext, modseq, messages, unseen,"
                      " bytes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
    [FOLDER_UPDATE] = "UPDATE folder SET name=?, special_use=?, subscribed=?, noselect=?, uidvalidity=?, uidnext=?, modseq=?, messages=?, unseen=?,"
                      " bytes=? WHERE key=?",
    [FOLDER_DROP] = "DELETE FROM folder WHERE key=?",
    [PAGES] = "SELECT id, records FROM page WHERE id BETWEEN ? AND ? ORDER BY id",
    [PAGE_PUT] = "INSERT OR REPLACE INTO page VALUES(?,?)",
    [PAGE_DROP] = "DELETE FROM page WHERE id=?",
    [ITEM_PUT] = "INSERT OR REPLACE INTO item VALUES(?,?,?,?)",
    [ITEM_COPY] = "INSERT OR REPLACE INTO item SELECT mailbox, ?, size, summary FROM item WHERE mailbox=? AND id=?",
    [ITEM_DROP] = "DELETE FROM item WHERE mailbox=? AND id=?",
    [ITEM_SUMMARY] = "SELECT summary FROM item WHERE mailbox=? AND id=?",
    [EXPUNGED_ADD] = "INSERT INTO expunged VALUES(?,?,?,?)",
    [EXPUNGED_DROP] = "DELETE FROM expunged WHERE mailbox=? AND folder=?",
    [TAG_PUT] = "INSERT OR REPLACE INTO tag VALUES(?,?,?)",
    [TAGS_OF] = "SELECT bit, name FROM tag WHERE mailbox=?",
    [UNLINK_ADD] = "INSERT OR REPLACE INTO \"unlink\" VALUES(?,?,?)",
    [UNLINKS] = "SELECT mailbox, item FROM \"unlink\" WHERE lsn < ?",
    [UNLINK_FORGET] = "DELETE FROM \"unlink\" WHERE lsn < ?",
    [META_PUT] = "UPDATE meta SET value=? WHERE key='applied_lsn'",
    [META_GET] = "SELECT value FROM meta WHERE key='applied_lsn'",
};

struct group_db {
    sql *sql;
    sqlite3_stmt *statements[STATEMENTS];
    uint64_t applied;
};

/* The statement with integers bound to its first places. */
static sqlite3_stmt *bound(group_db *g, statement which, unsigned n, const int64_t *v)
{
    sqlite3_stmt *st = g->statements[which];
    for (unsigned i = 0; i < n; i++)
        sqlite3_bind_int64(st, (int) i + 1, v[i]);
    return st;
}
#define BOUND(g, which, ...) \
    bound(g, which, sizeof((int64_t[]) { __VA_ARGS__ }) / sizeof(int64_t), (const int64_t[]) { __VA_ARGS__ })

group_db *group_db_open(const char *path)
{
    group_db *g = g_new0(group_db, 1);
    g->sql = sql_open(path, schema);
    for (unsigned i = 0; i < STATEMENTS; i++)
        g->statements[i] = sql_prepare(g->sql, texts[i]);
    if (sql_row(g->sql, g->statements[META_GET]))
        g->applied = (uint64_t) sqlite3_column_int64(g->statements[META_GET], 0);
    sqlite3_reset(g->statements[META_GET]);
    return g;
}

void group_db_close(group_db *g)
{
    if (!g)
        return;
    sql_close(g->sql);
    g_free(g);
}

uint64_t group_db_applied(const group_db *g) { return g->applied; }
uint64_t group_db_wal_bytes(const group_db *g) { return sql_wal_bytes(g->sql); }
void group_db_backfill(group_db *g) { sql_backfill(g->sql); }
void group_db_reset_wal(group_db *g) { sql_reset_wal(g->sql); }

/* ---- reading ---- */

static folder *folder_of_row(sqlite3_stmt *st)
{
    folder *f = folder_new((uint32_t) sqlite3_column_int64(st, 1), (const char *) sqlite3_column_text(st, 2));
    f->key = (uint64_t) sqlite3_column_int64(st, 0);
    f->info.special_use = (unsigned) sqlite3_column_int64(st, 3);
    f->info.subscribed = sqlite3_column_int(st, 4) != 0;
    f->info.noselect = sqlite3_column_int(st, 5) != 0;
    f->info.uidvalidity = (uint32_t) sqlite3_column_int64(st, 6);
    f->info.uidnext = (uint32_t) sqlite3_column_int64(st, 7);
    f->info.highestmodseq = (uint64_t) sqlite3_column_int64(st, 8);
    f->info.messages = (uint32_t) sqlite3_column_int64(st, 9);
    f->info.unseen = (uint32_t) sqlite3_column_int64(st, 10);
    f->bytes = (uint64_t) sqlite3_column_int64(st, 11);
    return f;
}

static GPtrArray *pages_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) page_unref);
}

/* Pages FROM..TO of F that are not in memory yet. */
static void need_pages(group_db *g, folder *f, uint32_t from, uint32_t to)
{
    if (f->key == 0 || (from == to && folder_page(f, from)))
        return;
    sqlite3_stmt *st = BOUND(g, PAGES, (int64_t) (f->key << 32 | from), (int64_t) (f->key << 32 | to));
    while (sql_row(g->sql, st)) {
        uint32_t no = (uint32_t) sqlite3_column_int64(st, 0);
        size_t len = (size_t) sqlite3_column_bytes(st, 1);
        if (folder_page(f, no))
            continue;
        page *p = page_new(no);
        p->n = (uint32_t) MIN(len / sizeof(message_record), PAGE_RECORDS);
        if (p->n)
            memcpy(p->records, sqlite3_column_blob(st, 1), p->n * sizeof(message_record));
        folder_insert_page(f, p);
    }
}

content *group_db_load(group_db *g, uint64_t owner)
{
    content *c = content_new(owner);
    sqlite3_stmt *st = BOUND(g, FOLDERS_OF, (int64_t) owner);
    while (sql_row(g->sql, st))
        content_insert_folder(c, folder_of_row(st));
    st = BOUND(g, TAGS_OF, (int64_t) owner);
    while (sql_row(g->sql, st)) {
        int64_t bit = sqlite3_column_int64(st, 0);
        if (bit >= 0 && bit < TAGS && !c->tags[bit])
            c->tags[bit] = g_strdup((const char *) sqlite3_column_text(st, 1));
    }
    return c;
}

static folder *read_folder(group_db *g, uint64_t owner, uint32_t id)
{
    folder *f = NULL;
    sqlite3_stmt *st = BOUND(g, FOLDER_BY_ID, (int64_t) owner, id);
    if (sql_row(g->sql, st)) {
        f = folder_of_row(st);
        f->pages = pages_new();
    }
    sqlite3_reset(st);
    return f;
}

folder *group_db_load_folder(group_db *g, uint64_t owner, uint32_t id)
{
    folder *f = read_folder(g, owner, id);
    if (f)
        need_pages(g, f, 0, UINT32_MAX);
    return f;
}

int group_db_summary(group_db *g, uint64_t owner, uint32_t item, void **ret, size_t *ret_len)
{
    int r = -ENOENT;
    sqlite3_stmt *st = BOUND(g, ITEM_SUMMARY, (int64_t) owner, item);
    if (sql_row(g->sql, st)) {
        *ret_len = (size_t) sqlite3_column_bytes(st, 0);
        *ret = g_memdup2(sqlite3_column_blob(st, 0), *ret_len);
        r = 0;
    }
    sqlite3_reset(st);
    return r;
}

/* ---- a batch ---- */

typedef struct { content *c; bool all; } batch_mailbox;
typedef struct { group_db *g; GHashTable *mailboxes; } batch;

static void batch_mailbox_free(void *p)
{
    content_free(((batch_mailbox *) p)->c);
    g_free(p);
}

static batch_mailbox *batch_get(batch *b, uint64_t owner)
{
    batch_mailbox *m = g_hash_table_lookup(b->mailboxes, &owner);
    if (m)
        return m;
    m = g_new0(batch_mailbox, 1);
    m->c = content_new(owner);
    m->c->keep_empty = true;
    g_hash_table_insert(b->mailboxes, &m->c->mailbox, m);
    return m;
}

/* Also one that the batch has removed. */
static folder *folder_in_batch(const content *c, uint32_t id)
{
    for (guint i = 0; i < c->folders->len; i++)
        if (((folder *) c->folders->pdata[i])->info.id == id)
            return c->folders->pdata[i];
    return NULL;
}

static folder *need_folder(batch *b, batch_mailbox *m, uint32_t id)
{
    folder *f = folder_in_batch(m->c, id);
    if (!f && !m->all && (f = read_folder(b->g, m->c->mailbox, id)) != NULL)
        content_insert_folder(m->c, f);
    return f;
}

static void need_all_folders(batch *b, batch_mailbox *m)
{
    content *c = m->all ? NULL : group_db_load(b->g, m->c->mailbox);
    m->all = true;
    while (c && c->folders->len) {
        folder *f = g_ptr_array_steal_index(c->folders, c->folders->len - 1);
        if (folder_in_batch(m->c, f->info.id)) {
            folder_free(f);
            continue;
        }
        f->pages = pages_new();
        content_insert_folder(m->c, f);
    }
    content_free(c);
}

static void need_uids(batch *b, folder *f, const op *o)
{
    for (size_t i = 0; f && i < o->n_uids; i++)
        need_pages(b->g, f, page_of(o->uids[i].first), page_of(o->uids[i].last));
}

static void need_copies(batch *b, batch_mailbox *m, const op *o)
{
    folder *from = o->move ? need_folder(b, m, o->folder) : NULL, *to = need_folder(b, m, o->to);
    for (size_t i = 0; i < o->n_copies; i++) {
        if (from)
            need_pages(b->g, from, page_of(o->copies[i].uid), page_of(o->copies[i].uid));
        if (to)
            need_pages(b->g, to, page_of(o->copies[i].record.uid), page_of(o->copies[i].record.uid));
    }
}

/* Reads what content_apply() will look at for O. */
static void need(batch *b, batch_mailbox *m, const op *o)
{
    folder *f;
    switch (o->type) {
    case OP_ADD:
        if ((f = need_folder(b, m, o->folder)) != NULL)
            need_pages(b->g, f, page_of(o->record.uid), page_of(o->record.uid));
        break;
    case OP_FLAGS: case OP_EXPUNGE:
        need_uids(b, need_folder(b, m, o->folder), o);
        break;
    case OP_COPY:
        need_copies(b, m, o);
        break;
    case OP_FOLDER_DELETE:
        if ((f = need_folder(b, m, o->folder)) != NULL)
            need_pages(b->g, f, 0, UINT32_MAX);
        break;
    case OP_FOLDER_RENAME:
        need_all_folders(b, m);
        break;
    case OP_FOLDER: case OP_SUBSCRIBE:
        (void) need_folder(b, m, o->folder);
        break;
    case OP_MAILBOX: case OP_TAG: case OP_CHECKPOINT: case OP_TYPES:
        break;
    }
}

static void on_item_added(const op *o, const message_record *r, void *data)
{
    batch *b = data;
    sqlite3_stmt *st = BOUND(b->g, ITEM_PUT, (int64_t) o->mailbox, r->item, r->size);
    sqlite3_bind_blob64(st, 4, o->summary.len ? o->summary.data : "", o->summary.len, SQLITE_STATIC);
    sql_run(b->g->sql, st);
}

static void on_item_copied(const op *o, const op_copy *k, void *data)
{
    batch *b = data;
    sql_run(b->g->sql, BOUND(b->g, ITEM_COPY, k->record.item, (int64_t) o->mailbox, k->item));
}

static void on_item_removed(const op *o, uint32_t item, void *data)
{
    batch *b = data;
    sql_run(b->g->sql, BOUND(b->g, ITEM_DROP, (int64_t) o->mailbox, item));
    sql_run(b->g->sql, BOUND(b->g, UNLINK_ADD, (int64_t) o->mailbox, item, (int64_t) o->lsn));
}

static void on_uids_expunged(const op *o, const folder *f, void *data)
{
    batch *b = data;
    g_autofree uid_range *moved = NULL;
    const uid_range *uids = o->uids;
    size_t n = o->n_uids;
    if (o->type == OP_COPY) {
        n = o->n_copies;
        uids = moved = g_new(uid_range, n);
        for (size_t i = 0; i < n; i++)
            moved[i] = (uid_range) { o->copies[i].uid, o->copies[i].uid };
    }
    sqlite3_stmt *st = BOUND(b->g, EXPUNGED_ADD, (int64_t) o->mailbox, f->info.id, (int64_t) o->modseq);
    sqlite3_bind_blob64(st, 4, uids, n * sizeof *uids, SQLITE_STATIC);
    sql_run(b->g->sql, st);
}

static void on_tag_added(const op *o, void *data)
{
    batch *b = data;
    sqlite3_stmt *st = BOUND(b->g, TAG_PUT, (int64_t) o->mailbox, o->flags);
    sqlite3_bind_text(st, 3, o->name, -1, SQLITE_STATIC);
    sql_run(b->g->sql, st);
}

static void write_pages(batch *b, folder *f)
{
    for (guint i = 0; i < f->pages->len; i++) {
        page *p = f->pages->pdata[i];
        if (!p->dirty)
            continue;
        int64_t id = (int64_t) (f->key << 32 | p->no);
        if (p->n == 0) {
            sql_run(b->g->sql, BOUND(b->g, PAGE_DROP, id));
            continue;
        }
        sqlite3_stmt *st = BOUND(b->g, PAGE_PUT, id);
        sqlite3_bind_blob64(st, 2, p->records, p->n * sizeof(message_record), SQLITE_STATIC);
        sql_run(b->g->sql, st);
    }
}

static void bind_folder(sqlite3_stmt *st, int at, const folder *f)
{
    const folder_info *i = &f->info;
    const int64_t rest[] = { i->special_use, i->subscribed, i->noselect, i->uidvalidity, i->uidnext,
                             (int64_t) i->highestmodseq, i->messages, i->unseen, (int64_t) f->bytes };
    sqlite3_bind_text(st, at, f->name, -1, SQLITE_STATIC);
    for (size_t k = 0; k < G_N_ELEMENTS(rest); k++)
        sqlite3_bind_int64(st, at + 1 + (int) k, rest[k]);
}

static void write_folder(batch *b, const content *c, folder *f)
{
    sqlite3_stmt *st;
    if (f->removed) {
        if (f->key) {
            write_pages(b, f);
            sql_run(b->g->sql, BOUND(b->g, FOLDER_DROP, (int64_t) f->key));
        }
        sql_run(b->g->sql, BOUND(b->g, EXPUNGED_DROP, (int64_t) c->mailbox, f->info.id));
        return;
    }
    if (f->dirty && f->key == 0) {
        st = BOUND(b->g, FOLDER_INSERT, (int64_t) c->mailbox, f->info.id);
        bind_folder(st, 3, f);
        sql_run(b->g->sql, st);
        f->key = (uint64_t) sqlite3_last_insert_rowid(b->g->sql->db);
    } else if (f->dirty) {
        st = b->g->statements[FOLDER_UPDATE];
        bind_folder(st, 1, f);
        sqlite3_bind_int64(st, 11, (int64_t) f->key);
        sql_run(b->g->sql, st);
    }
    write_pages(b, f);
}

static void write_back(batch *b)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, b->mailboxes);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        content *c = ((batch_mailbox *) value)->c;
        for (guint i = 0; i < c->folders->len; i++)
            write_folder(b, c, c->folders->pdata[i]);
    }
}

int group_db_apply(group_db *g, op *const *ops, size_t n)
{
    batch b = { g, g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, batch_mailbox_free) };
    const content_sink sink = { on_item_added, on_item_copied, on_item_removed, on_uids_expunged, on_tag_added, &b };
    uint64_t applied = g->applied;
    sql_begin(g->sql);
    for (size_t i = 0; i < n && !g->sql->full; i++) {
        if (ops[i]->lsn <= applied)
            continue;
        batch_mailbox *m = batch_get(&b, ops[i]->mailbox);
        need(&b, m, ops[i]);
        content_apply(m->c, ops[i], &sink);
        applied = ops[i]->lsn;
    }
    write_back(&b);
    sql_run(g->sql, BOUND(g, META_PUT, (int64_t) applied));
    g_hash_table_unref(b.mailboxes);
    int r = sql_commit(g->sql);
    if (r == 0)
        g->applied = applied;
    return r;
}

/* ---- blobs to remove ---- */

GArray *group_db_unlinks(group_db *g, uint64_t lsn)
{
    GArray *a = g_array_new(FALSE, FALSE, sizeof(group_unlink));
    sqlite3_stmt *st = BOUND(g, UNLINKS, (int64_t) lsn);
    while (sql_row(g->sql, st)) {
        group_unlink u = { (uint64_t) sqlite3_column_int64(st, 0), (uint32_t) sqlite3_column_int64(st, 1) };
        g_array_append_val(a, u);
    }
    return a;
}

int group_db_forget_unlinks(group_db *g, uint64_t lsn)
{
    sql_begin(g->sql);
    sql_run(g->sql, BOUND(g, UNLINK_FORGET, (int64_t) lsn));
    return sql_commit(g->sql);
}
