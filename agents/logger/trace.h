/* From log lines to messages, events and counts: follows each message from the
 * door of Postfix through the filter to the mailbox. All state is in the database,
 * so it goes on after a restart where the last batch ended. */
#ifndef MAILSTEAD_LOGGER_TRACE_H
#define MAILSTEAD_LOGGER_TRACE_H

#include "agents/logger/counts.h"
#include "agents/logger/entry.h"

typedef struct trace trace;

trace *trace_new(db *d, counts *c);     /* both are borrowed */
void trace_free(trace *t);
/* Within a transaction. Entries that say nothing about mail change nothing. */
void trace_entry(trace *t, const entry *e);

#endif
