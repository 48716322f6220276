/* The report's text, in the order and with the headings that readers of Postfix
 * reports know. Each list is a row of a table: heading and query over the view
 * "e", the events of the range; a query gives a number and a text. */
#include "cli/zmdailyreport/zmdailyreport.h"

#include <string.h>

typedef enum { LIMIT_SENDERS, LIMIT_RECIPIENTS, LIMIT_DETAIL, LIMIT_HOSTS } limit;
enum { MAX_DETAIL = 100, MAX_HOSTS = 50, TEXT_WIDTH = 200 };

typedef struct {
    const char *heading;
    limit max;
    bool bytes;             /* the number is of bytes */
    const char *sql;        /* ?1 is the limit */
} list;

#define DOMAIN_OF(a) "lower(CASE WHEN instr(" a ", '@') THEN substr(" a ", instr(" a ", '@')+1) ELSE " a " END)"
#define NAMED(a) "CASE WHEN coalesce(" a ", '')='' THEN '<>' ELSE " a " END"
#define BY_PERSON(kind, value) \
    "SELECT " value " n, " NAMED("person") " p FROM e WHERE kind=" kind " GROUP BY p ORDER BY n DESC, p LIMIT ?1"

static const list lists[] = {
    { "Host/domain summary: messages received", LIMIT_HOSTS, false,
      "SELECT count(*) n, " DOMAIN_OF("person") " d FROM e WHERE kind=1 AND person<>'' GROUP BY d ORDER BY n DESC, d LIMIT ?1" },
    { "Host/domain summary: message delivery", LIMIT_HOSTS, false,
      "SELECT count(*) n, " DOMAIN_OF("person") " d FROM e WHERE kind=2 GROUP BY d ORDER BY n DESC, d LIMIT ?1" },
    { "Senders by message count", LIMIT_SENDERS, false, BY_PERSON("1", "count(*)") },
    { "Recipients by message count", LIMIT_RECIPIENTS, false, BY_PERSON("2", "count(*)") },
    { "Senders by message size", LIMIT_SENDERS, true, BY_PERSON("1", "sum(size)") },
    { "Recipients by message size", LIMIT_RECIPIENTS, true, BY_PERSON("2", "sum(size)") },
    { "Message deferral detail", LIMIT_DETAIL, false,
      "SELECT count(*) n, " DOMAIN_OF("person") " || ': ' || text t FROM e WHERE kind=3 GROUP BY t ORDER BY n DESC, t LIMIT ?1" },
    { "Message bounce detail", LIMIT_DETAIL, false,
      "SELECT count(*) n, person || ' (' || dsn || '): ' || text t FROM e WHERE kind=4 GROUP BY t ORDER BY n DESC, t LIMIT ?1" },
    { "Message reject detail", LIMIT_DETAIL, false,
      "SELECT count(*) n, text || ' from ' || peer || CASE WHEN person<>'' THEN ' to ' || person ELSE '' END t"
      " FROM e WHERE kind=7 GROUP BY t ORDER BY n DESC, t LIMIT ?1" },
    { "Spam by sender's domain", LIMIT_DETAIL, false,
      "SELECT count(*) n, CASE WHEN person='' THEN '<>' ELSE " DOMAIN_OF("person") " END d"
      " FROM e WHERE kind=6 AND code=1 GROUP BY d ORDER BY n DESC, d LIMIT ?1" },
    { "Viruses and banned parts", LIMIT_DETAIL, false,
      "SELECT count(*) n, peer || ' ' || text t FROM e WHERE kind=6 AND code IN (2, 3) GROUP BY t ORDER BY n DESC, t LIMIT ?1" },
    { "Authentication failures", LIMIT_DETAIL, false,
      "SELECT count(*) n, person || ' from ' || peer || ' (' || dsn || ')' t FROM e WHERE kind=9 GROUP BY t ORDER BY n DESC, t LIMIT ?1" },
    { "Warnings and errors of the MTA", LIMIT_DETAIL, false,
      "SELECT count(*) n, peer || ': ' || text t FROM e WHERE kind=10 GROUP BY t ORDER BY n DESC, t LIMIT ?1" },
};

static const struct { const char *label; bool bytes; const char *sql; } totals[] = {
    { "received", false, "SELECT count(*) FROM e WHERE kind=1" },
    { "delivered", false, "SELECT count(*) FROM e WHERE kind=2" },
    { "deferred", false, "SELECT count(DISTINCT message || ' ' || person) FROM e WHERE kind=3" },
    { "deferrals", false, "SELECT count(*) FROM e WHERE kind=3" },
    { "bounced", false, "SELECT count(*) FROM e WHERE kind=4" },
    { "rejected", false, "SELECT count(*) FROM e WHERE kind=7" },
    { "checked for spam and viruses", false, "SELECT count(*) FROM e WHERE kind=6" },
    { "spam", false, "SELECT count(*) FROM e WHERE kind=6 AND code=1" },
    { "virus", false, "SELECT count(*) FROM e WHERE kind=6 AND code=2" },
    { "banned", false, "SELECT count(*) FROM e WHERE kind=6 AND code=3" },
    { "stored in mailboxes", false, "SELECT count(*) FROM e WHERE kind=8 AND code=1" },
    { "authentication failures", false, "SELECT count(*) FROM e WHERE kind=9" },
    { "bytes received", true, "SELECT coalesce(sum(size), 0) FROM e WHERE kind=1" },
    { "bytes delivered", true, "SELECT coalesce(sum(size), 0) FROM e WHERE kind=2" },
    { "senders", false, "SELECT count(DISTINCT person) FROM e WHERE kind=1" },
    { "sending hosts/domains", false, "SELECT count(DISTINCT " DOMAIN_OF("person") ") FROM e WHERE kind=1 AND person<>''" },
    { "recipients", false, "SELECT count(DISTINCT person) FROM e WHERE kind=2" },
    { "recipient hosts/domains", false, "SELECT count(DISTINCT " DOMAIN_OF("person") ") FROM e WHERE kind=2" },
};

static const char per_hour[] =
    "SELECT CAST(strftime('%H', time/1000000, 'unixepoch', 'localtime') AS INTEGER) h, sum(kind=1), sum(kind=2), sum(kind=3),"
    " sum(kind=4), sum(kind=7), sum(kind=6 AND code=1), sum(kind=6 AND code=2) FROM e GROUP BY h";

static void heading(GString *out, const char *text)
{
    g_string_append_printf(out, "\n%s\n", text);
    for (size_t i = 0; i < strlen(text); i++)
        g_string_append_c(out, '-');
    g_string_append_c(out, '\n');
}

/* Bytes as reports show them: 12345, 1234k, 1234m. */
static void append_number(GString *out, gint64 n, bool bytes)
{
    const char *unit = " ";
    if (bytes && n >= 512 * (gint64) 1024 * 1024) {
        n /= 1024 * 1024;
        unit = "m";
    } else if (bytes && n >= 512 * 1024) {
        n /= 1024;
        unit = "k";
    }
    g_string_append_printf(out, "%9" G_GINT64_FORMAT "%s", n, unit);
}

static sqlite3_stmt *query(sqlite3 *db, const char *sql, GError **error)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK)
        return st;
    g_set_error(error, MAILLOG_ERROR, sqlite3_errcode(db), "database of messages: %s", sqlite3_errmsg(db));
    return NULL;
}

static bool append_totals(GString *out, sqlite3 *db, GError **error)
{
    heading(out, "Grand totals: messages");
    for (size_t i = 0; i < G_N_ELEMENTS(totals); i++) {
        sqlite3_stmt *st = query(db, totals[i].sql, error);
        if (!st)
            return false;
        gint64 n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
        sqlite3_finalize(st);
        append_number(out, n, totals[i].bytes);
        g_string_append_printf(out, "  %s\n", totals[i].label);
    }
    sqlite3_stmt *st = query(db, "SELECT avg(delay), max(delay) FROM e WHERE kind=2", error);
    if (!st)
        return false;
    if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        g_string_append_printf(out, "\n%9.1f   seconds: average delivery delay, at most %.1f\n", sqlite3_column_double(st, 0),
                               sqlite3_column_double(st, 1));
    sqlite3_finalize(st);
    return true;
}

static bool append_hours(GString *out, sqlite3 *db, GError **error)
{
    enum { COLUMNS = 7 };
    gint64 table[24][COLUMNS] = { { 0 } };
    sqlite3_stmt *st = query(db, per_hour, error);
    if (!st)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW)
        for (int i = 0; i < COLUMNS; i++)
            table[CLAMP(sqlite3_column_int(st, 0), 0, 23)][i] = sqlite3_column_int64(st, i + 1);
    sqlite3_finalize(st);
    heading(out, "Per-hour traffic summary");
    g_string_append(out, "    time       received delivered  deferred   bounced  rejected      spam     virus\n");
    for (int h = 0; h < 24; h++) {
        g_string_append_printf(out, "    %02d00-%02d00 ", h, h + 1);
        for (int i = 0; i < COLUMNS; i++)
            g_string_append_printf(out, "%9" G_GINT64_FORMAT " ", table[h][i]);
        out->str[out->len - 1] = '\n';
    }
    return true;
}

static int limit_of(const settings *s, limit max)
{
    switch (max) {
    case LIMIT_SENDERS:
        return s->max_senders;
    case LIMIT_RECIPIENTS:
        return s->max_recipients;
    case LIMIT_HOSTS:
        return MAX_HOSTS;
    default:
        return MAX_DETAIL;
    }
}

static bool append_list(GString *out, sqlite3 *db, const list *l, int max, GError **error)
{
    sqlite3_stmt *st = query(db, l->sql, error);
    if (!st)
        return false;
    heading(out, l->heading);
    bool any = false;
    int r = sqlite3_bind_int(st, 1, max);
    while (r == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        const char *text = (const char *) sqlite3_column_text(st, 1);
        any = true;
        append_number(out, sqlite3_column_int64(st, 0), l->bytes);
        g_autofree char *cut = g_utf8_substring(text ? text : "", 0, MIN(g_utf8_strlen(text ? text : "", -1), TEXT_WIDTH));
        g_string_append_printf(out, "  %s\n", cut);
    }
    if (!any)
        g_string_append(out, "   none\n");
    sqlite3_finalize(st);
    return true;
}

static char *local_time(gint64 usec)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(usec / G_USEC_PER_SEC);
    return t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S %z") : g_strdup("?");
}

static bool make_view(sqlite3 *db, const range *r, GError **error)
{
    char *sql = sqlite3_mprintf("DROP VIEW IF EXISTS temp.e; CREATE TEMP VIEW e AS SELECT * FROM event"
                                " WHERE id>%lld AND id<=%lld AND time>=%lld AND time<%lld",
                                (long long) r->first, (long long) r->last, (long long) r->since, (long long) r->until);
    bool done = sql && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(sql);
    if (!done)
        g_set_error(error, MAILLOG_ERROR, sqlite3_errcode(db), "database of messages: %s", sqlite3_errmsg(db));
    return done;
}

char *report_text(sqlite3 *db, const range *r, const settings *s, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *from = local_time(r->from), *to = local_time(r->to);
    if (!make_view(db, r, error))
        return NULL;
    g_string_append_printf(out, "Mail report of %s\nfrom %s\nto   %s\n", s->host, from, to);
    bool done = append_totals(out, db, error) && append_hours(out, db, error);
    for (size_t i = 0; done && i < G_N_ELEMENTS(lists); i++)
        done = append_list(out, db, &lists[i], limit_of(s, lists[i].max), error);
    return done ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
