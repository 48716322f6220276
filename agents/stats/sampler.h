/* Asks every collector once and hands what they give to every sink. */
#ifndef MAILSTEAD_STATS_SAMPLER_H
#define MAILSTEAD_STATS_SAMPLER_H

#include "agents/stats/collector.h"
#include "agents/stats/config.h"

typedef struct {
    const char *proc, *sys;     /* /proc, /sys */
    const char *run;            /* /run/zimbra/stats: pages, import, queue, sample */
    const char *rrds;           /* lib/series */
} stats_paths;

typedef struct sampler sampler;

/* CONFIG is borrowed until the next sampler_configure() or the end. */
sampler *sampler_new(const stats_paths *paths, const stats_config *config);
void sampler_free(sampler *s);
void sampler_configure(sampler *s, const stats_config *config);
/* A sample stamped TIME (wall clock, seconds); RECORD: it goes into CSV and RRD files
 * too. What cannot be measured or written
 * is told once in the journal, and again when it works. Returns the text for
 * OpenMetrics; caller frees. */
char *sampler_take(sampler *s, gint64 time, double monotonic, bool record);
/* Moves the CSV files into their days' folders now. */
void sampler_rotate(sampler *s);

#endif
