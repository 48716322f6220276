/* One journal entry: the fields that zmloggerd looks at, copied out and bounded.
 * Fields whose names begin with '_' are journald's own and can be trusted. */
#ifndef MAILSTEAD_LOGGER_ENTRY_H
#define MAILSTEAD_LOGGER_ENTRY_H

#include <sys/types.h>
#include <systemd/sd-journal.h>
#include "agents/logger/span.h"

typedef enum {
    FIELD_MESSAGE, FIELD_IDENT, FIELD_PID, FIELD_SYSLOG_PID, FIELD_PRIORITY, FIELD_FACILITY, FIELD_UNIT, FIELD_UID,
    FIELD_EXE, FIELD_COMM, FIELD_HOST, FIELD_AUDIT, FIELD_RESULT, FIELD_ACCOUNT, FIELD_CLIENT, FIELD_CLIENT_IP, FIELD_PROTOCOL,
    FIELD_REASON, FIELD_FOLDER, FIELD_SIZE, FIELD_SENDER, FIELD_MAIL_ID, FIELD_BY, ENTRY_FIELDS,
} entry_field;

enum { ENTRY_MESSAGE_MAX = 16384, ENTRY_FIELD_MAX = 2048 };

typedef struct {
    gint64 time_usec;
    int priority;               /* 0 … 7; LOG_INFO when it has none */
    int facility;               /* -1: none */
    gint64 uid;                 /* of the sender; -1: not known */
    GString *fields[ENTRY_FIELDS];
} entry;

entry *entry_new(void);
void entry_free(entry *e);
void entry_clear(entry *e);
/* Takes one "NAME=value" of the journal; unknown names are passed over. */
void entry_set(entry *e, const void *data, size_t len);
/* Derives the numbers from the fields; after the last entry_set(). */
void entry_finish(entry *e, gint64 time_usec);
/* The entry the journal stands on; -errno. */
int entry_read(entry *e, sd_journal *journal);

span entry_span(const entry *e, entry_field f);
bool entry_is(const entry *e, entry_field f, const char *value);
bool entry_unit_starts(const entry *e, const char *prefix);

#endif
