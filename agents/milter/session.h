/* The callbacks of libmilter for one SMTP session. */
#ifndef MAILSTEAD_AGENTS_MILTER_SESSION_H
#define MAILSTEAD_AGENTS_MILTER_SESSION_H

#include "agents/milter/asker.h"

/* Registers the callbacks; A answers for all sessions. */
bool session_register(asker *a);

/* "<user@example.com>" without its brackets; caller frees. */
char *session_address(const char *argument);
/* Refusal of RCPT TO for LIST: printable, without "%" (libmilter's own mark). */
char *session_refusal(const char *sender, const char *list);

#endif
