/* What one delivery into a cold mailbox costs the database, in CPU (design §6:
 * above 0.4 ms use group databases). N mailboxes get one message each:
 *
 *   mailbox   one database a mailbox, 128 open handles; every database is then
 *             opened once more for the WAL checkpoint, as a store must do
 *   group     G databases, mailbox as first column of every key, one
 *             transaction a group and batch; then the WAL checkpoint
 *
 * Databases exist beforehand with five folders a mailbox: creation is not
 * measured. CPU is user + system of the process; files lie below DIR.
 *
 *   build/release/bench/cold-mailboxes DIR [MAILBOXES [GROUPS [BATCH]]] */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HANDLES = 128, SUMMARY = 700, FOLDERS = 5 };
static const char schema_mailbox[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value);"
    "CREATE TABLE folder(id INTEGER PRIMARY KEY, name TEXT, special INT, subscribed INT, uidvalidity INT, uidnext INT, modseq INT, messages INT, unseen INT);"
    "CREATE TABLE page(id INTEGER PRIMARY KEY, records BLOB);"
    "CREATE TABLE item(id INTEGER PRIMARY KEY, size INT, summary BLOB);"
    "CREATE TABLE expunged(folder INT, modseq INT, uids BLOB);"
    "CREATE TABLE tag(bit INTEGER PRIMARY KEY, name TEXT); CREATE TABLE msgid(id TEXT, item INT);";
static const char schema_group[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value);"
    "CREATE TABLE folder(key INTEGER PRIMARY KEY, mailbox INT, id INT, name TEXT, special INT, subscribed INT, uidvalidity INT, uidnext INT, modseq INT, messages INT, unseen INT, UNIQUE(mailbox, id));"
    "CREATE TABLE page(id INTEGER PRIMARY KEY, records BLOB);"
    "CREATE TABLE item(mailbox INT, id INT, size INT, summary BLOB, PRIMARY KEY(mailbox, id)) WITHOUT ROWID;"
    "CREATE TABLE expunged(mailbox INT, folder INT, modseq INT, uids BLOB);"
    "CREATE TABLE tag(mailbox INT, bit INT, name TEXT, PRIMARY KEY(mailbox, bit)) WITHOUT ROWID;";

static void must(bool ok, sqlite3 *db, const char *what)
{
    if (!ok)
        g_error("%s: %s", what, db ? sqlite3_errmsg(db) : g_strerror(errno));
}

static void sql(sqlite3 *db, const char *text)
{
    must(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, db, text);
}

static sqlite3 *db_open(const char *path)
{
    sqlite3 *db = NULL;
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK, db, path);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sql(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0");
    return db;
}

static void step(sqlite3 *db, const char *text, int n, const sqlite3_int64 *v, const void *blob, int len)
{
    sqlite3_stmt *s = NULL;
    must(sqlite3_prepare_v2(db, text, -1, &s, NULL) == SQLITE_OK, db, text);
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(s, i + 1, v[i]);
    if (blob)
        sqlite3_bind_blob(s, n + 1, blob, len, SQLITE_STATIC);
    int r = sqlite3_step(s);
    must(r == SQLITE_DONE || r == SQLITE_ROW, db, text);
    sqlite3_finalize(s);
}

static double cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static char *path_of(const char *dir, const char *kind, int n)
{
    g_autofree char *sub = g_strdup_printf("%s/%s-%02d", dir, kind, n % 100);
    g_mkdir_with_parents(sub, 0700);
    return g_strdup_printf("%s/%d.db", sub, n);
}

static void folders(sqlite3 *db, int mailbox, bool group)
{
    for (int f = 2; f < 2 + FOLDERS; f++)
        if (group)
            step(db, "INSERT INTO folder(mailbox,id,name,uidnext,modseq,messages,unseen) VALUES(?,?,'x',1,1,0,0)", 2,
                 (sqlite3_int64[]) { mailbox, f }, NULL, 0);
        else
            step(db, "INSERT INTO folder(id,name,uidnext,modseq,messages,unseen) VALUES(?,'x',1,1,0,0)", 1, (sqlite3_int64[]) { f }, NULL, 0);
}

static const char blob[4000] = "x";

static void deliver_own(sqlite3 *db)
{
    sql(db, "BEGIN");
    step(db, "INSERT INTO item VALUES(?,4096,?)", 1, (sqlite3_int64[]) { 1 }, blob, SUMMARY);
    step(db, "INSERT INTO page VALUES(?,?)", 1, (sqlite3_int64[]) { 2LL << 32 }, blob, 40);
    step(db, "UPDATE folder SET uidnext=2, modseq=2, messages=1, unseen=1 WHERE id=?", 1, (sqlite3_int64[]) { 2 }, NULL, 0);
    step(db, "REPLACE INTO meta VALUES('applied_lsn',?)", 1, (sqlite3_int64[]) { 77 }, NULL, 0);
    sql(db, "COMMIT");
}

static double run_mailbox(const char *dir, int mailboxes)
{
    for (int i = 0; i < mailboxes; i++) {
        g_autofree char *path = path_of(dir, "mailbox", i);
        sqlite3 *db = db_open(path);
        sql(db, "BEGIN");
        sql(db, schema_mailbox);
        folders(db, i, false);
        sql(db, "COMMIT");
        sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        sqlite3_close(db);
    }
    double start = cpu_ms();
    sqlite3 *open[HANDLES] = { NULL };
    for (int i = 0; i < mailboxes; i++) {
        g_autofree char *path = path_of(dir, "mailbox", i);
        sqlite3_close(open[i % HANDLES]);
        open[i % HANDLES] = db_open(path);
        deliver_own(open[i % HANDLES]);
    }
    for (int i = 0; i < HANDLES; i++)
        sqlite3_close(open[i]);
    for (int i = 0; i < mailboxes; i++) {
        g_autofree char *path = path_of(dir, "mailbox", i);
        sqlite3 *db = db_open(path);
        sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        sqlite3_close(db);
    }
    return (cpu_ms() - start) / mailboxes;
}

static void deliver_group(sqlite3 *db, int mailbox)
{
    sqlite3_int64 key = 0;
    sqlite3_stmt *s = NULL;
    must(sqlite3_prepare_v2(db, "SELECT key FROM folder WHERE mailbox=? AND id=2", -1, &s, NULL) == SQLITE_OK, db, "select");
    sqlite3_bind_int64(s, 1, mailbox);
    if (sqlite3_step(s) == SQLITE_ROW)
        key = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    step(db, "INSERT INTO item VALUES(?,?,4096,?)", 2, (sqlite3_int64[]) { mailbox, 1 }, blob, SUMMARY);
    step(db, "INSERT INTO page VALUES(?,?)", 1, (sqlite3_int64[]) { key << 32 }, blob, 40);
    step(db, "UPDATE folder SET uidnext=2, modseq=2, messages=1, unseen=1 WHERE key=?", 1, (sqlite3_int64[]) { key }, NULL, 0);
}

static double run_group(const char *dir, const char *kind, int mailboxes, int groups, int batch)
{
    g_autofree sqlite3 **db = g_new0(sqlite3 *, groups);
    for (int g = 0; g < groups; g++) {
        g_autofree char *path = path_of(dir, kind, g);
        db[g] = db_open(path);
        sql(db[g], "BEGIN");
        sql(db[g], schema_group);
        for (int m = g; m < mailboxes; m += groups)
            folders(db[g], m, true);
        sql(db[g], "COMMIT");
        sql(db[g], "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    double start = cpu_ms();
    for (int first = 0; first < mailboxes; first += groups * batch)
        for (int g = 0; g < groups; g++) {
            sql(db[g], "BEGIN");
            for (int m = first + g; m < MIN(first + groups * batch, mailboxes); m += groups)
                deliver_group(db[g], m);
            step(db[g], "REPLACE INTO meta VALUES('applied_lsn',?)", 1, (sqlite3_int64[]) { 77 }, NULL, 0);
            sql(db[g], "COMMIT");
        }
    for (int g = 0; g < groups; g++) {
        sql(db[g], "PRAGMA wal_checkpoint(TRUNCATE)");
        sqlite3_close(db[g]);
    }
    return (cpu_ms() - start) / mailboxes;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: cold-mailboxes DIR [MAILBOXES [GROUPS [BATCH]]]\n");
        return 2;
    }
    int mailboxes = argc > 2 ? (int) strtol(argv[2], NULL, 10) : 5000;
    int groups = argc > 3 ? (int) strtol(argv[3], NULL, 10) : 100;
    int batch = argc > 4 ? (int) strtol(argv[4], NULL, 10) : 10;
    printf("mailbox databases: %.3f ms CPU per delivery\n", run_mailbox(argv[1], mailboxes));
    printf("group databases (%d, batch %d): %.3f ms CPU per delivery\n", groups, batch, run_group(argv[1], "group", mailboxes, groups, batch));
    printf("group databases (%d, batch 1): %.3f ms CPU per delivery\n", groups, run_group(argv[1], "single", mailboxes, groups, 1));
    return 0;
}
