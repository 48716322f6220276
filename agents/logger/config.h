/* zmloggerd's settings: [logger] of conf/logger/logger.conf, rendered by zmconfigd.
 * What is missing or wrong has its default. */
#ifndef MAILSTEAD_LOGGER_CONFIG_H
#define MAILSTEAD_LOGGER_CONFIG_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    bool log_to_syslog;         /* zimbraLogToSyslog */
    unsigned keep_days;         /* rotated log files */
    gint64 raw_lifetime_s;      /* zimbraLogRawLifetime: messages and events */
    gint64 summary_lifetime_s;  /* zimbraLogSummaryLifetime: hourly counts */
} logger_config;

/* PROBLEM (may be NULL) gets what was wrong with the file, caller frees. */
logger_config logger_config_load(const char *path, char **problem);

#endif
