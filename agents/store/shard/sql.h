/* SQLite as the store uses it: WAL, synchronous=OFF, no automatic checkpoint. A
 * database changes durably only by the caller's order (docs/decisions/
 * sqlite-without-sync.md):
 *
 *   flush the volume; sql_backfill(); flush; sql_reset_wal(); flush
 *
 * and no transaction in between. All calls block. A full disk is remembered
 * (FULL) and makes the transaction roll back; any other error ends the process:
 * the file is damaged or the disk is. */
#ifndef MAILSTEAD_STORE_SQL_H
#define MAILSTEAD_STORE_SQL_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    sqlite3 *db;
    char *path;
    bool full;
    int wal_pages;
} sql;

/* Opens PATH; a new database gets SCHEMA whole or is not there at all. */
sql *sql_open(const char *path, const char *schema);
void sql_close(sql *s);              /* leaves the WAL as it is */

sqlite3_stmt *sql_prepare(sql *s, const char *text);
bool sql_row(sql *s, sqlite3_stmt *st);   /* true: a row; false: done (statement is reset) or FULL */
void sql_run(sql *s, sqlite3_stmt *st);   /* one step without rows */
void sql_exec(sql *s, const char *text);
void sql_begin(sql *s);
int sql_commit(sql *s);              /* 0, or -ENOSPC: rolled back */

uint64_t sql_wal_bytes(const sql *s); /* 0 until something was committed */
void sql_backfill(sql *s);           /* WAL into the database file */
void sql_reset_wal(sql *s);          /* WAL to length 0 */

#endif
