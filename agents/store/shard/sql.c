/* A thin layer over SQLite; see sql.h. */
#include "agents/store/shard/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"

enum { PAGE_BYTES = 4096 };    /* SQLite's default */

G_NORETURN static void fail(sql *s, const char *what)
{
    disk_fatal("the database %s failed (%s): %s. If it is damaged, restore it from the backup", s->path, what, sqlite3_errmsg(s->db));
}

static int on_commit(void *data, sqlite3 *db, const char *name, int pages)
{
    (void) db;
    (void) name;
    ((sql *) data)->wal_pages = pages;
    return SQLITE_OK;
}

static sql *attach(const char *path)
{
    sql *s = g_new0(sql, 1);
    s->path = g_strdup(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
        fail(s, "open");
    sql_exec(s, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; PRAGMA cache_size=-256; PRAGMA temp_store=MEMORY");
    return s;
}

static void flush_new(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);
    const char *const both[] = { path, dir };
    for (size_t i = 0; i < G_N_ELEMENTS(both); i++) {
        int fd = open(both[i], O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : disk_flush(fd);
        if (r < 0)
            disk_fatal("%s cannot be flushed: %s", both[i], g_strerror(-r));
        close(fd);
    }
}

static void create(const char *path, const char *schema)
{
    g_autofree char *new = g_strconcat(path, ".new", NULL);
    (void) g_unlink(new);    /* left by an interrupted creation, or not there */
    sql *s = attach(new);
    sql_exec(s, "PRAGMA journal_mode=WAL");
    sql_exec(s, schema);
    sqlite3_close(s->db);    /* the last one out checkpoints and removes the WAL */
    s->db = NULL;
    sql_close(s);
    g_autofree char *wal = g_strconcat(new, "-wal", NULL);
    (void) g_unlink(wal);
    flush_new(new);
    if (g_rename(new, path) < 0)
        disk_fatal("%s cannot be created: %s", path, g_strerror(errno));
    flush_new(path);
}

sql *sql_open(const char *path, const char *schema)
{
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        create(path, schema);
    sql *s = attach(path);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sql_exec(s, "PRAGMA wal_autocheckpoint=0");
    sqlite3_wal_hook(s->db, on_commit, s);
    sql_exec(s, "SELECT count(*) FROM sqlite_schema");    /* reads the WAL that was left: errors show now */
    return s;
}

void sql_close(sql *s)
{
    if (!s)
        return;
    if (s->db) {
        for (sqlite3_stmt *st; (st = sqlite3_next_stmt(s->db, NULL)) != NULL; )
            sqlite3_finalize(st);
        sqlite3_close(s->db);
    }
    g_free(s->path);
    g_free(s);
}

sqlite3_stmt *sql_prepare(sql *s, const char *text)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
        fail(s, text);
    return st;
}

bool sql_row(sql *s, sqlite3_stmt *st)
{
    if (s->full)    /* the transaction may be gone already: nothing more may run in it */
        return false;
    int r = sqlite3_step(st);
    if (r == SQLITE_ROW)
        return true;
    if (r == SQLITE_FULL)
        s->full = true;
    else if (r != SQLITE_DONE)
        fail(s, sqlite3_sql(st));
    sqlite3_reset(st);
    return false;
}

void sql_run(sql *s, sqlite3_stmt *st)
{
    (void) sql_row(s, st);
    sqlite3_reset(st);
}

void sql_exec(sql *s, const char *text)
{
    int r = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    if (r == SQLITE_FULL)
        s->full = true;
    else if (r != SQLITE_OK)
        fail(s, text);
}

void sql_begin(sql *s)
{
    s->full = false;
    sql_exec(s, "BEGIN IMMEDIATE");
}

int sql_commit(sql *s)
{
    if (!s->full)
        sql_exec(s, "COMMIT");
    if (!s->full)
        return 0;
    if (!sqlite3_get_autocommit(s->db))
        sql_exec(s, "ROLLBACK");
    s->full = false;
    return -ENOSPC;
}

uint64_t sql_wal_bytes(const sql *s)
{
    return (uint64_t) s->wal_pages * PAGE_BYTES;
}

static void wal_checkpoint(sql *s, int mode)
{
    int r = sqlite3_wal_checkpoint_v2(s->db, NULL, mode, NULL, NULL);
    if (r != SQLITE_OK)
        fail(s, "checkpoint");
}

void sql_backfill(sql *s)
{
    wal_checkpoint(s, SQLITE_CHECKPOINT_PASSIVE);
}

void sql_reset_wal(sql *s)
{
    wal_checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE);
    s->wal_pages = 0;
}
