/* zmloggerd's way to write the database: prepared statements by name, one
 * transaction a batch. After an error nothing more is done until db_rollback():
 * db_commit() then says what it was. */
#ifndef MAILSTEAD_LOGGER_DB_H
#define MAILSTEAD_LOGGER_DB_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

typedef enum {
    SQL_FIND_QUEUE, SQL_FIND_MESSAGE_ID, SQL_ADD_MESSAGE, SQL_SET_MESSAGE_ID, SQL_SET_ACTIVE, SQL_SET_DONE,
    SQL_SET_PARENT, SQL_ADD_EVENT, SQL_SET_EVENT_MESSAGE, SQL_SEEN_DEFERRED, SQL_STILL_DEFERRED,
    SQL_ADD_TOTAL, SQL_ADD_HOUR, SQL_GET_TOTAL, SQL_SET_META, SQL_GET_META, SQL_SET_PLACE, SQL_GET_PLACE,
    SQL_PRUNE_EVENTS, SQL_PRUNE_MESSAGES, SQL_PRUNE_HOURS, SQL_PRUNE_REPORTS, SQL_STATEMENTS,
} db_statement;

typedef struct db db;

db *db_open(const char *path, GError **error);
void db_close(db *d);

void db_begin(db *d);
/* False: PROBLEM (static text of SQLite) and everything rolled back. */
bool db_commit(db *d, const char **problem);
void db_rollback(db *d);

/* Binds by TYPES (i gint64, d double, t text or NULL) and runs to the end. */
void db_run(db *d, db_statement s, const char *types, ...);
/* The same for one row: NULL when there is none. The row holds until db_done(). */
sqlite3_stmt *db_row(db *d, db_statement s, const char *types, ...);
void db_done(sqlite3_stmt *row);
gint64 db_last_id(db *d);
int db_changes(db *d);

#endif
