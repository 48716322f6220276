/* Records of what the status and queue jobs see, in the form of the guide's
 * system: "zimbramon[PID]: PID:info: YYYY-MM-DD HH:MM:SS, WHAT: …". */
#ifndef MAILSTEAD_MONITOR_RECORD_H
#define MAILSTEAD_MONITOR_RECORD_H

#include <glib.h>
#include <stdbool.h>

/* Facilities of syslog that administrators' routing knows them by. */
enum { MONITOR_TEXT = 16, MONITOR_STATISTICS = 17 };    /* local0, local1 */

/* One record to the journal, or the line on the standard output when PRINT.
 * FIELDS: pairs name, value for programs, NULL-terminated. */
void monitor_record(bool print, int facility, const char *text, const char *const *fields);

#endif
