/* Structured records to journald (design principle 4). Off systemd (tests) they
 * go to stderr as one line. Never put secrets or raw client bytes in a record;
 * escape with journal_escape(). */
#ifndef MAILSTEAD_JOURNAL_H
#define MAILSTEAD_JOURNAL_H

#include <glib.h>
#include <syslog.h>

/* Program name and start-up; level "debug", "info", "warning"… (NULL: info). */
void journal_open(const char *ident, const char *level);

/* MESSAGE with extra fields: pairs name, value, NULL-terminated. Field names are
 * upper-case ASCII. */
void journal_fields(int priority, const char *message, ...) G_GNUC_NULL_TERMINATED;
void journal_log(int priority, const char *format, ...) G_GNUC_PRINTF(2, 3);
#define journal_error(...)   journal_log(LOG_ERR, __VA_ARGS__)
#define journal_warning(...) journal_log(LOG_WARNING, __VA_ARGS__)
#define journal_info(...)    journal_log(LOG_INFO, __VA_ARGS__)
#define journal_debug(...)   journal_log(LOG_DEBUG, __VA_ARGS__)

/* An alert: one journal record with the catalogue's MESSAGE_ID and ALERT=ID.
 * The alerts agent turns it into mail and trap. */
void journal_alert(int priority, const char *alert_id, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Printable form of client bytes, at most MAX output bytes; caller frees. */
char *journal_escape(const void *bytes, size_t len, size_t max);

#endif
