/* The guide's CSV files: one a group, below zmstat_log_directory. The first column
 * is the time (MM/DD/YYYY HH:MM:SS, local); a header line stands at the start of a
 * file and again where the columns change. When the day is over, and on
 * request, a file moves compressed into the folder of its day: YYYY-MM-DD/x.csv.gz. */
#ifndef MAILSTEAD_STATS_CSV_H
#define MAILSTEAD_STATS_CSV_H

#include "agents/stats/sample.h"

/* The header and the line(s) of a table, newline included. Pure but for the time
 * zone. Caller frees. */
char *csv_header(const sample_table *t);
char *csv_lines(const sample_table *t);

typedef struct csv csv;
csv *csv_new(const char *folder, unsigned retention_days);     /* 0: for ever */
void csv_free(csv *c);
/* Appends; moves the file of an earlier day away first. */
bool csv_write(csv *c, const sample_table *t, GError **error);
/* Every file moves now. The first failure; the others are moved all the same. */
bool csv_rotate(csv *c, GError **error);
/* Removes folders of days that are older than the retention. */
void csv_expire(const csv *c, gint64 now);

#endif
