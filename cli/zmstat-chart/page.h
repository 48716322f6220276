/* The page that shows the pictures. */
#ifndef MAILSTEAD_CHART_PAGE_H
#define MAILSTEAD_CHART_PAGE_H

#include "cli/zmstat-chart/draw.h"

/* HTML of DRAWINGS (drawing *, in order of their categories). Caller frees. */
char *page_html(GPtrArray *drawings, const char *title, gint64 start, gint64 end, bool with_summary);
/* Their averages and peaks as CSV: chart,plot,last,average,max. Caller frees. */
char *page_summary(GPtrArray *drawings);

#endif
