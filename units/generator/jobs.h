/* The timers and services of the schedule's jobs. */
#ifndef MAILSTEAD_GENERATOR_JOBS_H
#define MAILSTEAD_GENERATOR_JOBS_H

#include "lib/cron/cron.h"

/* Text of the unit files of JOB, which runs; the timer is NULL for one that runs
 * at every boot. Caller frees. */
char *job_timer(const cron_job *job);
char *job_service(const cron_job *job);

/* Writes the units of each job that runs into DIR, what zimbra-schedule.target
 * wants, and the mark that has zimbra-schedule.service follow the change. */
bool jobs_write(const char *dir, const cron_schedule *schedule);

#endif
