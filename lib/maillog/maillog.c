/* See maillog.h. Tables:
 *
 *   meta     zmloggerd's place in the journal, schema version
 *   place    each log file's inode and length at the last commit
 *   message  one row for each time a message is in the queue; a message that
 *            comes back from the filter is a second row whose parent is the first
 *   event    what happened, in the order of the journal; ids only grow
 *   total, hour  counters since the beginning, and by hour
 *   report   the range of events each daily report covers; sent once mailed
 */
#include "lib/maillog/maillog.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "BEGIN;"
    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS place(path TEXT PRIMARY KEY, inode INTEGER, length INTEGER, day TEXT) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS message(id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL, time INTEGER NOT NULL,"
    " door INTEGER NOT NULL, client TEXT, user TEXT, sender TEXT, message_id TEXT, size INTEGER NOT NULL DEFAULT 0,"
    " recipients INTEGER, parent INTEGER, active INTEGER NOT NULL DEFAULT 0, done INTEGER);"
    "CREATE INDEX IF NOT EXISTS message_queue ON message(queue_id, id);"
    "CREATE INDEX IF NOT EXISTS message_mid ON message(message_id) WHERE message_id IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS message_time ON message(time);"
    "CREATE INDEX IF NOT EXISTS message_parent ON message(parent) WHERE parent IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS event(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " message INTEGER, person TEXT, peer TEXT, code INTEGER, size INTEGER, delay REAL, dsn TEXT, text TEXT);"
    "CREATE INDEX IF NOT EXISTS event_message ON event(message) WHERE message IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS event_time ON event(time);"
    "CREATE TABLE IF NOT EXISTS total(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS hour(hour INTEGER, name TEXT, value INTEGER NOT NULL, PRIMARY KEY(hour, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS report(id INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " since INTEGER NOT NULL, until INTEGER NOT NULL, sent INTEGER);"
    "INSERT OR IGNORE INTO meta VALUES('version', 1);"
    "COMMIT;";

static const char *const counters[MAILLOG_COUNTERS] = {
    [MAILLOG_N_MESSAGES] = "messages", [MAILLOG_N_BYTES] = "bytes", [MAILLOG_N_SCANNED] = "scanned",
    [MAILLOG_N_SPAM] = "spam", [MAILLOG_N_VIRUS] = "virus", [MAILLOG_N_DEFERRED] = "deferred",
    [MAILLOG_N_BOUNCED] = "bounced", [MAILLOG_N_RECEIVED] = "received", [MAILLOG_N_DELIVERED] = "delivered",
    [MAILLOG_N_REJECTED] = "rejected",
};

const char *maillog_counter_name(maillog_counter c)
{
    return counters[c];
}

/* Readers share the write-ahead log, so they are of the file's group; SQLite
 * gives the log the database's mode. */
static bool make_file(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    bool done = fd >= 0 && fchmod(fd, 0660) == 0;
    if (!done)
        g_set_error(error, MAILLOG_ERROR, errno, "%s: %s; zmlogger must own its folder", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return done;
}

sqlite3 *maillog_open(const char *path, bool create, GError **error)
{
    sqlite3 *db = NULL;
    if (create && !make_file(path, error))
        return NULL;
    int r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_busy_timeout(db, BUSY_MS);
    if (r == SQLITE_OK && create)
        r = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(db, "PRAGMA synchronous=NORMAL; SELECT 1 FROM report LIMIT 1", NULL, NULL, NULL);
    if (r == SQLITE_OK)
        return db;
    g_set_error(error, MAILLOG_ERROR, r, "%s: %s%s", path, db ? sqlite3_errmsg(db) : "no memory",
                create ? "" : "; does zimbra-logger.service run, and are you root or zimbra?");
    sqlite3_close(db);
    return NULL;
}

G_DEFINE_QUARK(mailstead-maillog-error, maillog_error)
