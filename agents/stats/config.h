/* conf/stats/stats.conf, rendered from localconfig's zmstat_* keys: a GKeyFile with
 * the group [stats]. */
#ifndef MAILSTEAD_STATS_CONFIG_H
#define MAILSTEAD_STATS_CONFIG_H

#include <glib.h>

#define STATS_CONFIG PREFIX "/conf/stats/stats.conf"

typedef struct {
    unsigned interval_s;        /* zmstat_interval, 30 */
    unsigned disk_interval_s;   /* zmstat_disk_interval, 600 */
    unsigned retention_days;    /* zmstat_max_retention, 0: for ever */
    char *folder;               /* zmstat_log_directory */
    char **disk_excludes;       /* zmstat_df_excludes */
} stats_config;

/* What is missing or wrong has its default; *RET_PROBLEM then says so, else it is
 * NULL. Caller frees both. */
stats_config *stats_config_load(const char *path, char **ret_problem);
void stats_config_free(stats_config *c);

#endif
