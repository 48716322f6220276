/* One log file that zmloggerd writes. Lines are collected and written a batch at
 * a time; the place up to which a file is good (inode and length) is committed
 * with the batch, and what a crash or a rolled back batch left behind it is cut
 * off, so each entry is in the file once.
 *
 * On a new day the file is renamed to NAME.YYYY-MM-DD. A file that somebody has
 * moved or removed is made again. When the disk is full lines are dropped and
 * counted; the file says how many when it goes on. */
#ifndef MAILSTEAD_LOGGER_LOGFILE_H
#define MAILSTEAD_LOGGER_LOGFILE_H

#include <glib.h>
#include <stdbool.h>
#include "agents/logger/db.h"

typedef struct logfile logfile;

logfile *logfile_new(db *d, const char *folder, const char *name);
void logfile_free(logfile *f);
const char *logfile_path(const logfile *f);

/* At the start: cuts the file to the place of the last commit. */
void logfile_recover(logfile *f);
/* The batch of the last flush was rolled back: the file is as before it. */
void logfile_take_back(logfile *f);
/* Lines go here; logfile_line_done() after each. */
GString *logfile_buffer(logfile *f);
void logfile_line_done(logfile *f);
/* Between transactions: starts a new file when the day is another one. */
void logfile_new_day(logfile *f);
/* Within a transaction: writes what was collected. */
void logfile_flush(logfile *f);
/* Lines dropped since the last success; 0 all is well. ERROR gets the errno. */
guint64 logfile_dropped(const logfile *f, int *error);
/* Rotated files older than DAYS are removed. */
void logfile_prune(const logfile *f, unsigned days);

#endif
