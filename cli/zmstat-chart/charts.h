/* What is drawn: charts and their plots, read from XML (zmstat-chart-config(1) tells
 * the form). */
#ifndef MAILSTEAD_CHART_CHARTS_H
#define MAILSTEAD_CHART_CHARTS_H

#include <glib.h>
#include <stdbool.h>

#define CHARTS_TEMPLATE PREFIX "/lib/zmstat-chart.xml"
#define CHARTS_CONFIG PREFIX "/conf/zmstat-chart.xml"

typedef struct {
    char *group;        /* infile: cpu */
    char *label;        /* "": the group has one row; "*": a plot for each label */
    char *field;        /* data: user */
    char *legend;       /* "": the label */
    double factor;      /* what values are multiplied by */
    double per_s;       /* of a counter: shown for so many seconds; 0: as it is */
} plot;

typedef struct {
    char *title;        /* the question it answers */
    char *category;     /* heading above it */
    char *unit;         /* of the vertical axis */
    char *outfile;      /* without extension */
    char *service;      /* shown where this service is enabled; "": everywhere */
    bool stacked;
    GPtrArray *plots;   /* plot * */
} chart;

/* Array of chart *, which the caller frees; NULL: ERROR names file, line and fault. */
GPtrArray *charts_load(const char *path, GError **error);
/* The same form back; caller frees. */
char *charts_format(GPtrArray *charts);

#endif
