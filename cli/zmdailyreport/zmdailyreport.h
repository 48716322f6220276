/* zmdailyreport's parts: settings, what a report covers, its text, its mail. */
#ifndef MAILSTEAD_ZMDAILYREPORT_H
#define MAILSTEAD_ZMDAILYREPORT_H

#include "lib/maillog/maillog.h"

/* [report] of conf/logger/logger.conf; what is missing has its default. */
typedef struct {
    char *host;
    char *source, *destination;     /* NULL: nobody to mail to */
    char **smtp_hosts;
    char *smtp_port;
    int max_senders, max_recipients;
} settings;

settings *settings_load(const char *path);
void settings_free(settings *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(settings, settings_free)

/* Events with FIRST < id <= LAST and SINCE <= time < UNTIL (microseconds); FROM and
 * TO are what the heading says. */
typedef struct {
    gint64 id;                      /* row of table report; 0: none */
    gint64 first, last, since, until;
    gint64 from, to;
} range;

/* All events of the local day DAY ("YYYY-MM-DD", "today", "yesterday"). */
bool range_of_day(sqlite3 *db, const char *day, range *r, GError **error);
/* What came after the last report. */
bool range_since_last(sqlite3 *db, range *r, GError **error);
/* A report to mail: an older one that did not go out, else what came after the
 * last one, which is then covered for good. */
bool range_take(sqlite3 *db, range *r, GError **error);
bool range_unsent(sqlite3 *db, bool *more, GError **error);
bool range_set_sent(sqlite3 *db, const range *r, GError **error);

/* The text, lines ended by \n; caller frees. */
char *report_text(sqlite3 *db, const range *r, const settings *s, GError **error);

/* A complete message with CRLF; caller frees. */
char *mail_message(const settings *s, const range *r, const char *text);
bool mail_send(const settings *s, const char *message, GError **error);

#endif
