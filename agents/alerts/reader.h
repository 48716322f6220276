/* Journal records of one kind, each once, also those of the time this program was
 * away: the place is kept in the state file. */
#ifndef MAILSTEAD_ALERTS_READER_H
#define MAILSTEAD_ALERTS_READER_H

#include <systemd/sd-journal.h>
#include "agents/alerts/manager.h"

typedef struct reader reader;
typedef void (*reader_entry_fn)(sd_journal *journal, gint64 time_usec, void *data);

/* NAME: of the place in the state file. MATCHES: "FIELD=value", NULL-terminated;
 * of the same field any, of different fields all must hold. BACK_S: how far to
 * look back, at most, when there is no place yet or it is older. A journal
 * that cannot be opened is tried again every RETRY_S. */
reader *reader_new(manager *m, const char *name, const char *const *matches, unsigned back_s,
                   reader_entry_fn fn, void *data);
void reader_free(reader *r);

/* The field of the present entry; NULL none or longer than MAX. Caller frees. */
char *reader_field(sd_journal *journal, const char *name, size_t max);

#endif
