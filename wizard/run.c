/* Runs another program to its end. Secrets travel on standard input, never in
 * the arguments, which every user of the host can read. */
#include "wizard/run.h"

#include <gio/gio.h>

G_DEFINE_QUARK(mailstead-run-error, run_error)

enum { REASON_LINES = 5 };

/* The last lines of TEXT, on one line. */
static char *last_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(g_strchomp((char *) text), "\n", -1);
    guint n = g_strv_length(lines);
    return g_strjoinv("; ", lines + (n > REASON_LINES ? n - REASON_LINES : 0));
}

bool run_program(const char *const *argv, const char *input, char **ret_output, GError **error)
{
    GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE |
                             (input ? G_SUBPROCESS_FLAGS_STDIN_PIPE : 0);
    g_autoptr(GSubprocess) program = g_subprocess_newv(argv, flags, error);
    g_autofree char *output = NULL, *complaint = NULL;
    if (!program || !g_subprocess_communicate_utf8(program, input, NULL, &output, &complaint, error))
        return false;
    if (!g_subprocess_get_successful(program)) {
        g_autofree char *reason = last_lines(*complaint ? complaint : output);
        g_set_error(error, RUN_ERROR, RUN_ERROR_EXIT, "%s failed: %s", argv[0], reason);
        return false;
    }
    if (ret_output)
        *ret_output = g_steal_pointer(&output);
    return true;
}
