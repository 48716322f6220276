/* What a report covers: see zmdailyreport.h. Events are numbered in the order in
 * which zmloggerd committed them, so "after the last report" misses nothing that
 * was read late and takes nothing twice. A row of table report is made before the
 * mail goes out and marked when the server has it: a crash in between repeats the
 * same report under the same Message-ID. */
#include "cli/zmdailyreport/zmdailyreport.h"

static bool failed(sqlite3 *db, GError **error)
{
    g_set_error(error, MAILLOG_ERROR, sqlite3_errcode(db), "database of messages: %s", sqlite3_errmsg(db));
    return false;
}

/* One row of numbers of a query without parameters; N of them. False with ERROR unset: no row. */
static bool numbers(sqlite3 *db, const char *sql, int n, gint64 *values, GError **error)
{
    sqlite3_stmt *st = NULL;
    int r = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_step(st);
    for (int i = 0; r == SQLITE_ROW && i < n; i++)
        values[i] = sqlite3_column_int64(st, i);
    if (r != SQLITE_ROW && r != SQLITE_DONE)
        failed(db, error);
    sqlite3_finalize(st);
    return r == SQLITE_ROW;
}

static GDateTime *midnight_of(const char *day)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    int y, m, d;
    if (g_str_equal(day, "today") || g_str_equal(day, "yesterday")) {
        g_autoptr(GDateTime) then = g_date_time_add_days(now, g_str_equal(day, "today") ? 0 : -1);
        return g_date_time_new_local(g_date_time_get_year(then), g_date_time_get_month(then), g_date_time_get_day_of_month(then), 0, 0, 0);
    }
    char rest;
    if (sscanf(day, "%4d-%2d-%2d%c", &y, &m, &d, &rest) != 3)
        return NULL;
    return g_date_time_new_local(y, m, d, 0, 0, 0);
}

bool range_of_day(sqlite3 *db, const char *day, range *r, GError **error)
{
    g_autoptr(GDateTime) start = midnight_of(day);
    if (!start) {
        g_set_error(error, MAILLOG_ERROR, 0, "%s is no day: give YYYY-MM-DD, today or yesterday", day);
        return false;
    }
    g_autoptr(GDateTime) end = g_date_time_add_days(start, 1);
    *r = (range) { .last = G_MAXINT64, .since = g_date_time_to_unix(start) * G_USEC_PER_SEC,
                   .until = g_date_time_to_unix(end) * G_USEC_PER_SEC };
    r->from = r->since;
    r->to = MIN(r->until, g_get_real_time());
    return true;
}

bool range_since_last(sqlite3 *db, range *r, GError **error)
{
    gint64 before[2] = { 0, 0 }, now[2] = { 0, 0 };
    GError *problem = NULL;
    bool has = numbers(db, "SELECT last, until FROM report ORDER BY id DESC LIMIT 1", 2, before, &problem);
    if (!problem)
        numbers(db, "SELECT coalesce(max(id), 0), coalesce(min(time), 0) FROM event", 2, now, &problem);
    if (problem) {
        g_propagate_error(error, problem);
        return false;
    }
    *r = (range) { .first = before[0], .last = MAX(now[0], before[0]), .since = 0, .until = G_MAXINT64, .to = g_get_real_time() };
    r->from = has ? before[1] : now[1] ? now[1] : r->to;
    return true;
}

static bool execute(sqlite3 *db, GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *sql = sqlite3_vmprintf(format, ap);
    va_end(ap);
    bool done = sql && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(sql);
    return done || failed(db, error);
}

static bool take_new(sqlite3 *db, range *r, GError **error)
{
    if (!range_since_last(db, r, error) ||
        !execute(db, error, "INSERT INTO report(first, last, since, until) VALUES(%lld, %lld, %lld, %lld)", (long long) r->first,
                 (long long) r->last, (long long) r->from, (long long) r->to))
        return false;
    r->id = sqlite3_last_insert_rowid(db);
    return true;
}

bool range_take(sqlite3 *db, range *r, GError **error)
{
    gint64 old[5];
    GError *problem = NULL;
    if (!execute(db, error, "BEGIN IMMEDIATE"))
        return false;
    bool done = numbers(db, "SELECT id, first, last, since, until FROM report WHERE sent IS NULL ORDER BY id LIMIT 1", 5, old, &problem);
    if (done)
        *r = (range) { .id = old[0], .first = old[1], .last = old[2], .until = G_MAXINT64, .from = old[3], .to = old[4] };
    else if (!problem)
        done = take_new(db, r, &problem);
    if (done && execute(db, &problem, "COMMIT"))
        return true;
    (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    g_propagate_error(error, problem);
    return false;
}

bool range_unsent(sqlite3 *db, bool *more, GError **error)
{
    gint64 n = 0;
    GError *problem = NULL;
    numbers(db, "SELECT count(*) FROM report WHERE sent IS NULL", 1, &n, &problem);
    *more = n > 0;
    if (problem)
        g_propagate_error(error, problem);
    return !problem;
}

bool range_set_sent(sqlite3 *db, const range *r, GError **error)
{
    return execute(db, error, "UPDATE report SET sent=%lld WHERE id=%lld", (long long) g_get_real_time(), (long long) r->id);
}
