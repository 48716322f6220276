/* What became of each message: the database that zmloggerd fills from the journal
 * and zmdailyreport and zmmsgtrace read. One SQLite file in WAL mode; zmloggerd
 * writes events, counts and its place in the journal in one transaction, so a
 * reader sees whole batches and nothing is counted twice.
 *
 * Times are microseconds since the epoch. Text came from the network: it is valid
 * UTF-8 without control characters, and cut. */
#ifndef MAILSTEAD_MAILLOG_H
#define MAILSTEAD_MAILLOG_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

#define MAILLOG_PATH PREFIX "/logger/mail/mail.sqlite"
#define MAILLOG_CONFIG PREFIX "/conf/logger/logger.conf"

/* How a message came into Postfix's queue. */
typedef enum {
    MAILLOG_DOOR_UNKNOWN,       /* its beginning was not seen */
    MAILLOG_DOOR_SMTP,
    MAILLOG_DOOR_LOCAL,         /* sendmail(1) */
    MAILLOG_DOOR_FILTER,        /* back from the content filter */
    MAILLOG_DOOR_SYSTEM,        /* made by Postfix: bounces, notices */
} maillog_door;

/* Rows of table event; numbers never change. person, peer, text:
 * RECEIVED sender, client; DELIVERED, DEFERRED, BOUNCED recipient, relay, answer;
 * FILTERED recipient, relay, answer; SCANNED sender, verdict, names; REJECTED
 * recipient, client, reason; STORED account, folder; AUTH_FAILED account, client,
 * reason; PROBLEM -, program, line. */
typedef enum {
    MAILLOG_RECEIVED = 1, MAILLOG_DELIVERED, MAILLOG_DEFERRED, MAILLOG_BOUNCED, MAILLOG_FILTERED,
    MAILLOG_SCANNED, MAILLOG_REJECTED, MAILLOG_STORED, MAILLOG_AUTH_FAILED, MAILLOG_PROBLEM,
} maillog_kind;

/* SCANNED: column code. */
enum { MAILLOG_CLEAN = 0, MAILLOG_SPAM, MAILLOG_VIRUS, MAILLOG_BANNED, MAILLOG_UNCHECKED };

/* Counters of tables total and hour, and of the statistics file. Guide ch. 12:
 * messages and bytes count transactions, one for each person at the receipt by
 * Postfix and one for each at the delivery to the mailbox; scanned, spam and virus
 * count a message once. */
typedef enum {
    MAILLOG_N_MESSAGES, MAILLOG_N_BYTES, MAILLOG_N_SCANNED, MAILLOG_N_SPAM, MAILLOG_N_VIRUS, MAILLOG_N_DEFERRED,
    MAILLOG_N_BOUNCED, MAILLOG_N_RECEIVED, MAILLOG_N_DELIVERED, MAILLOG_N_REJECTED, MAILLOG_COUNTERS,
} maillog_counter;

const char *maillog_counter_name(maillog_counter c);

/* CREATE: for zmloggerd, makes file and tables. Others open what is there; both
 * may write. Waits up to five seconds for another's transaction. */
sqlite3 *maillog_open(const char *path, bool create, GError **error);

#define MAILLOG_ERROR (maillog_error_quark())
GQuark maillog_error_quark(void);

#endif
