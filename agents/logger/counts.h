/* The counters of lib/maillog: added up in memory during a batch, written into
 * its transaction, and published for the statistics agent. */
#ifndef MAILSTEAD_LOGGER_COUNTS_H
#define MAILSTEAD_LOGGER_COUNTS_H

#include "agents/logger/db.h"
#include "lib/maillog/maillog.h"

#define COUNTS_FILE "/run/zimbra/stats/import/mta"

typedef struct counts counts;

counts *counts_new(db *d);              /* d is borrowed */
void counts_free(counts *c);
/* At the start: takes the totals from the database. */
void counts_load(counts *c);
/* The batch was committed; the batch was rolled back: totals are those of the last commit. */
void counts_keep(counts *c);
void counts_take_back(counts *c);
void counts_add(counts *c, gint64 time_usec, maillog_counter which, gint64 n);
/* What was added goes into the transaction. */
void counts_save(counts *c);
gint64 counts_total(const counts *c, maillog_counter which);

/* Replaces PATH when a total has changed since the last call: lines "mta:NAME VALUE".
 * 0, or -errno (said once in the journal). */
int counts_publish(counts *c, const char *path);

#endif
