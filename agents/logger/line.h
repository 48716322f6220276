/* The forms of a line in the guide's log files. One entry is one line: control
 * characters are written as #ooo (octal), so nobody can write a line of his own. */
#ifndef MAILSTEAD_LOGGER_LINE_H
#define MAILSTEAD_LOGGER_LINE_H

#include "agents/logger/entry.h"

enum { LINE_TEXT_MAX = 8192 };

typedef void (*line_form)(GString *to, const entry *e);

/* "Nov 24 18:26:02 host ident[pid]: message": /var/log/zimbra.log. */
void line_syslog(GString *to, const entry *e);
/* "2026-11-24 18:26:02,123 INFO  [ident-pid] [name=…;ip=…;] component - message":
 * mailbox.log, and audit.log with component "security" (Guide ch. 12). */
void line_mailbox(GString *to, const entry *e);
void line_audit(GString *to, const entry *e);
/* The message alone: nginx.log, whose program puts the time in front itself. */
void line_own(GString *to, const entry *e);
/* "Tue Nov 24 18:26:02 2026 -> message": clamd.log, freshclam.log and others of
 * programs with a log of their own. */
void line_plain(GString *to, const entry *e);

#endif
