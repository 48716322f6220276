/* The collectors, for the table. */
#ifndef MAILSTEAD_STATS_COLLECT_ALL_H
#define MAILSTEAD_STATS_COLLECT_ALL_H

#include <errno.h>

#include "agents/stats/collector.h"

extern const collector collect_cpu, collect_vm, collect_io, collect_io_x, collect_df, collect_fd, collect_proc, collect_mtaqueue,
    collect_mailboxd, collect_imap, collect_pop3, collect_auth;

#endif
