/* The text of one import file: see import.c. */
#ifndef MAILSTEAD_STATS_IMPORT_H
#define MAILSTEAD_STATS_IMPORT_H

#include "agents/stats/sample.h"

/* NULL: not in the form. Pure. */
sample_table *import_parse(const char *name, const char *text);

#endif
