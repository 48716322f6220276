/* The statistics pages of this host's daemons, added up. Totals only grow: what a
 * daemon counted before it was restarted stays in them. */
#ifndef MAILSTEAD_STATS_PAGES_H
#define MAILSTEAD_STATS_PAGES_H

#include <glib.h>
#include <stdbool.h>

typedef struct pages pages;

pages *pages_new(const char *folder);
void pages_free(pages *p);
/* Reads the folder. */
void pages_refresh(pages *p);
/* DAEMON's siblings (zmmailboxd-shard-0, -1 …) added up: a counter's total since
 * the oldest page seen, a gauge's sum of those alive. False: no such value yet, for
 * a gauge also: none of them runs. */
bool pages_counter(const pages *p, const char *daemon, const char *name, double *ret);
bool pages_gauge(const pages *p, const char *daemon, const char *name, double *ret);
/* Names of DAEMON's counters that begin with PREFIX, sorted; caller frees the array. */
GPtrArray *pages_names(const pages *p, const char *daemon, const char *prefix);

#endif
