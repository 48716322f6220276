/* See db.h. */
#include "agents/logger/db.h"

#include "lib/maillog/maillog.h"

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    int error;              /* first one since db_begin() */
};

static const char *const texts[SQL_STATEMENTS] = {
    [SQL_FIND_QUEUE] = "SELECT id, door, size, active, done IS NOT NULL, client FROM message WHERE queue_id=?1 ORDER BY id DESC LIMIT 1",
    [SQL_FIND_MESSAGE_ID] = "SELECT id FROM message WHERE message_id=?1 ORDER BY id DESC LIMIT 1",
    [SQL_ADD_MESSAGE] = "INSERT INTO message(queue_id, time, door, client, user, parent) VALUES(?1, ?2, ?3, ?4, ?5, nullif(?6, 0))",
    [SQL_SET_MESSAGE_ID] = "UPDATE message SET message_id=?2 WHERE id=?1",
    [SQL_SET_ACTIVE] = "UPDATE message SET active=1, sender=?2, size=?3, recipients=?4 WHERE id=?1",
    [SQL_SET_DONE] = "UPDATE message SET done=?2 WHERE id=?1",
    [SQL_SET_PARENT] = "UPDATE message SET parent=?2 WHERE id=?1 AND id<>?2 AND parent IS NULL",
    [SQL_ADD_EVENT] = "INSERT INTO event(time, kind, message, person, peer, code, size, delay, dsn, text)"
                      " VALUES(?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_SET_EVENT_MESSAGE] = "UPDATE event SET message=?2 WHERE id=?1 AND message IS NULL",
    [SQL_SEEN_DEFERRED] = "SELECT 1 FROM event WHERE message=?1 AND kind=3 AND person=?2 LIMIT 1",
    [SQL_STILL_DEFERRED] = "SELECT person, max(text) FROM event e WHERE message=?1 AND kind=3 AND NOT EXISTS"
                           "(SELECT 1 FROM event f WHERE f.message=?1 AND f.person=e.person AND f.kind IN (2, 4, 5))"
                           " GROUP BY person LIMIT 1",
    [SQL_ADD_TOTAL] = "INSERT INTO total VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value=value+excluded.value",
    [SQL_ADD_HOUR] = "INSERT INTO hour VALUES(?1, ?2, ?3) ON CONFLICT(hour, name) DO UPDATE SET value=value+excluded.value",
    [SQL_GET_TOTAL] = "SELECT value FROM total WHERE name=?1",
    [SQL_SET_META] = "INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value=excluded.value",
    [SQL_GET_META] = "SELECT value FROM meta WHERE name=?1",
    [SQL_SET_PLACE] = "INSERT INTO place VALUES(?1, ?2, ?3, ?4) ON CONFLICT(path) DO UPDATE SET"
                      " inode=excluded.inode, length=excluded.length, day=excluded.day",
    [SQL_GET_PLACE] = "SELECT inode, length, day FROM place WHERE path=?1",
    [SQL_PRUNE_EVENTS] = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE time<?1 ORDER BY time LIMIT ?2)",
    [SQL_PRUNE_MESSAGES] = "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE time<?1 ORDER BY time LIMIT ?2)",
    [SQL_PRUNE_HOURS] = "DELETE FROM hour WHERE hour<?1",
    [SQL_PRUNE_REPORTS] = "DELETE FROM report WHERE until<?1 AND id<(SELECT max(id) FROM report)",
};

static void note(db *d, int r)
{
    if (d->error == SQLITE_OK && r != SQLITE_OK && r != SQLITE_DONE && r != SQLITE_ROW)
        d->error = r;
}

db *db_open(const char *path, GError **error)
{
    sqlite3 *handle = maillog_open(path, true, error);
    if (!handle)
        return NULL;
    db *d = g_new0(db, 1);
    d->handle = handle;
    for (int s = 0; s < SQL_STATEMENTS; s++) {
        int r = sqlite3_prepare_v3(handle, texts[s], -1, SQLITE_PREPARE_PERSISTENT, &d->statements[s], NULL);
        if (r != SQLITE_OK) {
            g_set_error(error, MAILLOG_ERROR, r, "%s: %s", path, sqlite3_errmsg(handle));
            db_close(d);
            return NULL;
        }
    }
    return d;
}

void db_close(db *d)
{
    if (!d)
        return;
    for (int s = 0; s < SQL_STATEMENTS; s++)
        sqlite3_finalize(d->statements[s]);
    sqlite3_close(d->handle);
    g_free(d);
}

static void bind(db *d, sqlite3_stmt *st, const char *types, va_list ap)
{
    for (int i = 0; types[i]; i++) {
        int r = SQLITE_MISUSE;
        if (types[i] == 'i')
            r = sqlite3_bind_int64(st, i + 1, va_arg(ap, gint64));
        else if (types[i] == 'd')
            r = sqlite3_bind_double(st, i + 1, va_arg(ap, double));
        else if (types[i] == 't')
            r = sqlite3_bind_text(st, i + 1, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
        note(d, r);
    }
}

void db_run(db *d, db_statement s, const char *types, ...)
{
    sqlite3_stmt *st = d->statements[s];
    va_list ap;
    if (d->error != SQLITE_OK)
        return;
    va_start(ap, types);
    bind(d, st, types, ap);
    va_end(ap);
    if (d->error == SQLITE_OK)
        note(d, sqlite3_step(st));
    sqlite3_reset(st);
}

sqlite3_stmt *db_row(db *d, db_statement s, const char *types, ...)
{
    sqlite3_stmt *st = d->statements[s];
    va_list ap;
    if (d->error != SQLITE_OK)
        return NULL;
    va_start(ap, types);
    bind(d, st, types, ap);
    va_end(ap);
    int r = d->error == SQLITE_OK ? sqlite3_step(st) : d->error;
    if (r == SQLITE_ROW)
        return st;
    note(d, r);
    sqlite3_reset(st);
    return NULL;
}

void db_done(sqlite3_stmt *row)
{
    sqlite3_reset(row);
}

void db_begin(db *d)
{
    d->error = SQLITE_OK;
    note(d, sqlite3_exec(d->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

void db_rollback(db *d)
{
    if (!sqlite3_get_autocommit(d->handle))
        (void) sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);   /* it may have rolled back by itself */
    d->error = SQLITE_OK;
}

bool db_commit(db *d, const char **problem)
{
    if (d->error == SQLITE_OK)
        note(d, sqlite3_exec(d->handle, "COMMIT", NULL, NULL, NULL));
    if (d->error == SQLITE_OK)
        return true;
    *problem = sqlite3_errstr(d->error);
    db_rollback(d);
    return false;
}

gint64 db_last_id(db *d)
{
    return sqlite3_last_insert_rowid(d->handle);
}

int db_changes(db *d)
{
    return sqlite3_changes(d->handle);
}
