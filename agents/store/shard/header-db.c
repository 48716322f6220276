/* The shard's own database. A row holds the state after the operation LSN; the
 * redo log has what came later. Rows are only written when all they count is
 * durable in the log, else a row could name an operation that never was. */
#include "agents/store/shard/header-db.h"

#include "agents/store/shard/sql.h"

static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('version', 1);"
    "CREATE TABLE mailbox(id INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE, name TEXT, \"group\" INTEGER, inbox_uidvalidity INTEGER,"
    " inbox_uidnext INTEGER, next_item INTEGER, next_folder INTEGER, next_uidvalidity INTEGER, modseq INTEGER, size INTEGER,"
    " messages INTEGER, lsn INTEGER);";

struct header_db {
    sql *sql;
    sqlite3_stmt *put, *get_number, *set_number;
};

void mailbox_header_apply(mailbox_header *h, const op *o)
{
    h->lsn = o->lsn;
    h->modseq = MAX(h->modseq, o->modseq);
    switch (o->type) {
    case OP_MAILBOX:
        h->inbox_uidvalidity = o->uidvalidity;
        h->inbox_uidnext = h->next_item = 1;
        h->next_folder = 256;
        h->next_uidvalidity = o->uidvalidity + 1;
        h->modseq = 1;
        break;
    case OP_ADD:
        h->modseq = MAX(h->modseq, o->record.modseq);
        h->next_item = MAX(h->next_item, o->record.item + 1);
        if (o->folder == FOLDER_ID_INBOX)
            h->inbox_uidnext = MAX(h->inbox_uidnext, o->record.uid + 1);
        h->size += o->record.size;
        h->messages++;
        break;
    case OP_COPY:
        for (size_t i = 0; i < o->n_copies; i++) {
            h->next_item = MAX(h->next_item, o->copies[i].record.item + 1);
            if (o->to == FOLDER_ID_INBOX)
                h->inbox_uidnext = MAX(h->inbox_uidnext, o->copies[i].record.uid + 1);
        }
        if (!o->move) {
            h->size += o->bytes;
            h->messages += o->n_copies;
        }
        break;
    case OP_EXPUNGE: case OP_FOLDER_DELETE:
        h->size -= MIN(h->size, o->bytes);
        h->messages -= MIN(h->messages, o->messages);
        break;
    case OP_FOLDER:
        h->next_folder = MAX(h->next_folder, o->folder + 1);
        h->next_uidvalidity = MAX(h->next_uidvalidity, o->uidvalidity + 1);
        break;
    default:
        break;
    }
}

header_db *header_db_open(const char *path)
{
    header_db *d = g_new0(header_db, 1);
    d->sql = sql_open(path, schema);
    d->put = sql_prepare(d->sql, "INSERT OR REPLACE INTO mailbox VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)");
    d->get_number = sql_prepare(d->sql, "SELECT value FROM meta WHERE key=?");
    d->set_number = sql_prepare(d->sql, "INSERT OR REPLACE INTO meta VALUES(?,?)");
    return d;
}

void header_db_close(header_db *d)
{
    if (!d)
        return;
    sql_close(d->sql);
    g_free(d);
}

void header_db_each(header_db *d, header_fn fn, void *data)
{
    sqlite3_stmt *st = sql_prepare(d->sql, "SELECT * FROM mailbox ORDER BY id");
    while (sql_row(d->sql, st)) {
        mailbox_header h = {
            .id = (uint64_t) sqlite3_column_int64(st, 0),
            .account = (char *) (uintptr_t) sqlite3_column_text(st, 1),    /* borrowed for the call */
            .name = (char *) (uintptr_t) sqlite3_column_text(st, 2),
            .group = (uint32_t) sqlite3_column_int64(st, 3),
            .inbox_uidvalidity = (uint32_t) sqlite3_column_int64(st, 4),
            .inbox_uidnext = (uint32_t) sqlite3_column_int64(st, 5),
            .next_item = (uint32_t) sqlite3_column_int64(st, 6),
            .next_folder = (uint32_t) sqlite3_column_int64(st, 7),
            .next_uidvalidity = (uint32_t) sqlite3_column_int64(st, 8),
            .modseq = (uint64_t) sqlite3_column_int64(st, 9),
            .size = (uint64_t) sqlite3_column_int64(st, 10),
            .messages = (uint64_t) sqlite3_column_int64(st, 11),
            .lsn = (uint64_t) sqlite3_column_int64(st, 12),
        };
        fn(&h, data);
    }
    sqlite3_finalize(st);
}

static void put(header_db *d, const mailbox_header *h)
{
    const int64_t numbers[] = {
        h->group, h->inbox_uidvalidity, h->inbox_uidnext, h->next_item, h->next_folder, h->next_uidvalidity,
        (int64_t) h->modseq, (int64_t) h->size, (int64_t) h->messages, (int64_t) h->lsn,
    };
    sqlite3_bind_int64(d->put, 1, (int64_t) h->id);
    sqlite3_bind_text(d->put, 2, h->account, -1, SQLITE_STATIC);
    sqlite3_bind_text(d->put, 3, h->name, -1, SQLITE_STATIC);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        sqlite3_bind_int64(d->put, 4 + (int) i, numbers[i]);
    sql_run(d->sql, d->put);
}

int header_db_put(header_db *d, const mailbox_header *headers, size_t n)
{
    sql_begin(d->sql);
    for (size_t i = 0; i < n; i++)
        put(d, &headers[i]);
    return sql_commit(d->sql);
}

int64_t header_db_number(header_db *d, const char *key)
{
    int64_t v = 0;
    sqlite3_bind_text(d->get_number, 1, key, -1, SQLITE_STATIC);
    if (sql_row(d->sql, d->get_number))
        v = sqlite3_column_int64(d->get_number, 0);
    sqlite3_reset(d->get_number);
    return v;
}

int header_db_set_number(header_db *d, const char *key, int64_t value)
{
    sql_begin(d->sql);
    sqlite3_bind_text(d->set_number, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(d->set_number, 2, value);
    sql_run(d->sql, d->set_number);
    return sql_commit(d->sql);
}

uint64_t header_db_wal_bytes(const header_db *d) { return sql_wal_bytes(d->sql); }
void header_db_backfill(header_db *d) { sql_backfill(d->sql); }
void header_db_reset_wal(header_db *d) { sql_reset_wal(d->sql); }
