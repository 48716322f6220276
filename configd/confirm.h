/* Asks a running service one question after its configuration changed. */
#ifndef MAILSTEAD_CONFIGD_CONFIRM_H
#define MAILSTEAD_CONFIGD_CONFIRM_H

#include <glib.h>
#include <stdbool.h>

/* QUESTION: "smtp HOST PORT", "tcp HOST PORT", "unix PATH". Tries again until
 * DEADLINE (monotonic, microseconds). Blocks. */
bool confirm_ask(const char *question, gint64 deadline, GError **error);

#define CONFIRM_ERROR (confirm_error_quark())
GQuark confirm_error_quark(void);
enum { CONFIRM_ERROR_TABLE, CONFIRM_ERROR_NO_ANSWER, CONFIRM_ERROR_BAD_ANSWER };

#endif
