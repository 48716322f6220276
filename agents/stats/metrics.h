/* The same numbers as text for others: OpenMetrics, and the sample file. Pure. */
#ifndef MAILSTEAD_STATS_METRICS_H
#define MAILSTEAD_STATS_METRICS_H

#include "agents/stats/sample.h"

#define METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* OpenMetrics 1.0 of all TABLES (sample_table *), from the first HELP to EOF. Gauges
 * and counters' totals; what is not known is left out. Caller frees. */
char *metrics_text(GPtrArray *tables);

/* The sample file: "timestamp UNIX", then "CSV:COLUMN VALUE" for each number, COLUMN
 * as in the CSV's header (of a LONG one "LABEL:FIELD"); counters as totals. */
char *sample_file_text(GPtrArray *tables, gint64 time);

#endif
