/* The collectors, in the order in which they are asked and shown. */
#include "agents/stats/collect/all.h"

const collector *const collectors[] = {
    &collect_cpu, &collect_vm, &collect_io, &collect_io_x, &collect_df, &collect_fd, &collect_proc, &collect_mtaqueue,
    &collect_mailboxd, &collect_imap, &collect_pop3, &collect_auth, NULL,
};
