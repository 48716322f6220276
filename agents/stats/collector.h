/* A collector measures one group of numbers. Each is one row of collectors[] and one
 * file below collect/; where it reads is given by the world, so that tests read
 * recorded files. */
#ifndef MAILSTEAD_STATS_COLLECTOR_H
#define MAILSTEAD_STATS_COLLECTOR_H

#include "agents/stats/pages.h"
#include "agents/stats/sample.h"

typedef struct {
    const char *proc, *sys;     /* /proc, /sys */
    const char *queue_socket;   /* of zmstatqueue */
    const char *import_folder;
    char **disk_excludes;       /* mount points and devices that df leaves out; NULL: none */
    pages *pages;               /* of the daemons, as read for this sample */
    double now;                 /* seconds, monotonic */
} world;

typedef struct {
    const stat_group *group;
    size_t state_size;          /* of what is kept between samples, all 0 at first */
    /* Fills T. Negative errno: could not, the group is left out of this sample. */
    int (*sample)(void *state, const world *w, sample_table *t);
    void (*clear)(void *state); /* NULL: nothing to do */
    bool slow;                  /* every zmstat_disk_interval only */
} collector;

extern const collector *const collectors[];     /* NULL-terminated */

/* What others left in the import folder: tables of their own (sample_table *). */
GPtrArray *import_read(const char *folder);

/* A file of proc or sys, at most 1 MiB; NULL: it cannot be read. Caller frees. */
char *world_file(const char *root, const char *name);
/* CURRENT less LAST a second, and 0 for a counter that went back. */
double world_rate(double last, double current, double seconds);

#endif
