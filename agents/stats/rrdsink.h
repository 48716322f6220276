/* RRD files of every row (lib/series): gauges as they are, counters' growth, which
 * RRD keeps a second. */
#ifndef MAILSTEAD_STATS_RRDSINK_H
#define MAILSTEAD_STATS_RRDSINK_H

#include "agents/stats/sample.h"

typedef struct rrdsink rrdsink;
/* STEP_S: seconds between samples. */
rrdsink *rrdsink_new(const char *folder, unsigned step_s, unsigned slow_step_s);
void rrdsink_free(rrdsink *r);
/* A file whose fields are not ours is set aside (".old") and begun anew. */
bool rrdsink_write(rrdsink *r, const sample_table *t, GError **error);

#endif
