/* What postqueue says of the mail queue. */
#ifndef MAILSTEAD_MONITOR_QUEUE_H
#define MAILSTEAD_MONITOR_QUEUE_H

#include <glib.h>
#include <stdbool.h>

/* Sizes in the last line of `postqueue -p`; false when it is no such line. */
bool queue_parse(const char *last_line, guint64 *ret_kbytes, guint64 *ret_messages);

#endif
