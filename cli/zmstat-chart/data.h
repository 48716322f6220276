/* Series of numbers out of CSV files (or RRD files) of one or more folders. */
#ifndef MAILSTEAD_CHART_DATA_H
#define MAILSTEAD_CHART_DATA_H

#include <glib.h>
#include <stdbool.h>

typedef struct { gint64 time; double value; } point;

typedef struct data data;

/* SOURCES: folders with *.csv or *.csv.gz, or with *.rrd. NULL: none has any. Points
 * outside of START…END are left out; 0: no bound. */
data *data_open(char **sources, gint64 start, gint64 end, GError **error);
void data_free(data *d);

/* True: RRD files, and nothing is read before it is drawn. */
bool data_is_rrd(const data *d);

/* Labels that GROUP has, sorted; "" alone for a group of one row; caller frees the
 * array. Empty: the group is not there. */
GPtrArray *data_labels(data *d, const char *group);

/* CSV: the points of a column, ascending in time; NULL: no such column. Borrowed. */
const GArray *data_points(data *d, const char *group, const char *label, const char *field);
/* RRD: its file, NULL: none; caller frees. */
char *data_rrd_file(const data *d, const char *group, const char *label);

/* Of all that was read so far. */
void data_span(const data *d, gint64 *ret_start, gint64 *ret_end);

/* "MM/dd/yyyy HH:mm:ss" in local time; false: not so. Pure but for the time zone. */
bool data_parse_time(const char *text, gint64 *ret);

#endif
