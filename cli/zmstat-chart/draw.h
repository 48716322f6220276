/* One chart as a picture, by librrd. */
#ifndef MAILSTEAD_CHART_DRAW_H
#define MAILSTEAD_CHART_DRAW_H

#include "cli/zmstat-chart/charts.h"
#include "cli/zmstat-chart/data.h"

typedef struct {
    const char *folder;         /* where pictures go */
    const char *scratch;        /* where RRD files of CSV columns are made */
    bool png;                   /* else SVG */
    gint64 start, end;          /* what is drawn */
    gint64 sum_start, sum_end;  /* what averages and peaks are made of, when not the same; 0, 0 */
} canvas;

typedef struct { char *legend; double last, average, max; } summary;   /* NAN: not known */

typedef struct {
    const chart *chart;
    char *file;                 /* in the folder */
    int width, height;
    GArray *rows;               /* of summary, one a plot */
} drawing;

/* NULL without an error: the data have nothing for this chart. */
drawing *draw_chart(const canvas *c, data *d, const chart *chart, GError **error);
void drawing_free(drawing *d);

#endif
