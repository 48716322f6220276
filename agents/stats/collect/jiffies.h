/* The cpu lines of /proc/stat (proc(5)). */
#ifndef MAILSTEAD_STATS_JIFFIES_H
#define MAILSTEAD_STATS_JIFFIES_H

#include <stdbool.h>
#include <stddef.h>

enum { JIFFIES_USER, JIFFIES_NICE, JIFFIES_SYS, JIFFIES_IDLE, JIFFIES_IOWAIT, JIFFIES_IRQ, JIFFIES_SOFTIRQ, JIFFIES_STEAL, JIFFIES_KINDS };

typedef struct { unsigned long long kind[JIFFIES_KINDS]; } jiffies;

/* "cpu0 1 2 3…"; false: another line. */
bool jiffies_parse(const char *line, char *ret_name, size_t size, jiffies *ret);
/* Percent of the time between; false: no time has passed. */
bool jiffies_share(const jiffies *last, const jiffies *now, double ret[JIFFIES_KINDS]);

#endif
