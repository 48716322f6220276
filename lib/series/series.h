/* Where a series of numbers lies in RRD files: zmstatd writes there, zmstat-chart
 * reads. A file holds one row of a group: "cpu-cpu0.rrd", "mtaqueue.rrd"; its data
 * sources are the row's fields. */
#ifndef MAILSTEAD_SERIES_H
#define MAILSTEAD_SERIES_H

#include <glib.h>
#include <stdbool.h>

#define SERIES_FOLDER PREFIX "/logger/db/data/rrds"

/* File name for a row; LABEL NULL or "": the group's only row. Characters that file
 * names should not have are written %XX. Caller frees. */
char *series_file(const char *group, const char *label);
/* The reverse; false: not such a name. Caller frees both; the label is "" for none. */
bool series_parse_file(const char *file, const char *group, char **ret_label);

/* RRD's name of a field: at most 19 letters, digits and '_' (rrdcreate(1)). A longer
 * one is cut and marked by its hash. Caller frees. */
char *series_source(const char *field);

/* Arguments of rrdcreate for the archives of every file: each sample for two days,
 * and averages and peaks of 15 minutes for 31 days and of six hours for a year.
 * NULL-terminated; caller frees with g_strfreev. */
char **series_archives(unsigned step_s);

#endif
