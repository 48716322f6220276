/* Which entry goes to which of the guide's log files: one table. */
#ifndef MAILSTEAD_LOGGER_ROUTE_H
#define MAILSTEAD_LOGGER_ROUTE_H

#include "agents/logger/line.h"

#define ROUTE_LOG_DIR PREFIX "/log"
#define ROUTE_SYSLOG_DIR "/var/log/zimbra"

typedef struct {
    const char *folder, *name;
    line_form form;
} route_file;

enum { ROUTE_MAX_FILES = 16 };

/* The files there are; their number goes to N. */
const route_file *route_files(size_t *n);
/* Bit I set: the entry goes to file I. LOG_TO_SYSLOG: zimbraLogToSyslog, all the
 * store's records go to zimbra.log too, not only its errors. */
unsigned route_entry(const entry *e, bool log_to_syslog);

#endif
