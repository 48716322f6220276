/* Runs another program to its end. */
#ifndef MAILSTEAD_WIZARD_RUN_H
#define MAILSTEAD_WIZARD_RUN_H

#include <glib.h>
#include <stdbool.h>

/* Runs ARGV (NULL-terminated, ARGV[0] a path or a name on PATH) with INPUT on
 * its standard input (NULL: none). True when it exits 0; its standard output is
 * *RET_OUTPUT (NULL: not wanted). The error holds the last lines it wrote. */
bool run_program(const char *const *argv, const char *input, char **ret_output, GError **error);

#define RUN_ERROR (run_error_quark())
GQuark run_error_quark(void);
enum { RUN_ERROR_EXIT };

#endif
