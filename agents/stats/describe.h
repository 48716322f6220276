/* The collectors' tables as Markdown: docs/admin/statistics.md has this text, and a
 * test compares the two. */
#ifndef MAILSTEAD_STATS_DESCRIBE_H
#define MAILSTEAD_STATS_DESCRIBE_H

char *describe_collectors(void);       /* caller frees */

#endif
