/* zmqueuelog: writes the size of Postfix's queue to the journal (Guide appendix C,
 * every ten minutes). postqueue's list may be long: only its last line is kept. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "cli/monitor/queue.h"
#include "cli/monitor/record.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

/* Last line of the output; the exit status of postqueue, or -1. Caller frees. */
static char *ask_queue(int *ret_status)
{
    char *line = NULL, *last = NULL;
    size_t size = 0;
    FILE *in = popen("/usr/sbin/postqueue -p", "re");
    *ret_status = -1;
    if (!in)
        return NULL;
    while (getline(&line, &size, in) > 0)
        if (*g_strchomp(line)) {
            g_free(last);
            last = g_strdup(line);
        }
    free(line);
    int status = pclose(in);
    if (WIFEXITED(status))
        *ret_status = WEXITSTATUS(status);
    return last;
}

static int log_queue(bool print)
{
    int status;
    guint64 kbytes, messages;
    g_autofree char *last = ask_queue(&status);
    if (status == EX_UNAVAILABLE) {     /* postqueue has said why; that the MTA is down is another alert */
        printf("zmqueuelog: the mail system is down, nothing to log\n");
        return EXIT_OK;
    }
    if (status != 0 || !last || !queue_parse(last, &kbytes, &messages)) {
        fprintf(stderr, "zmqueuelog: postqueue -p: exit status %d, last line: %s\n", status, last ? last : "(none)");
        return EXIT_FAILED;
    }
    g_autofree char *k = g_strdup_printf("%" G_GUINT64_FORMAT, kbytes), *m = g_strdup_printf("%" G_GUINT64_FORMAT, messages);
    g_autofree char *text = g_strdup_printf("QUEUE: %s %s", k, m);
    const char *const fields[] = { "QUEUE_KBYTES", k, "QUEUE_MESSAGES", m, NULL };
    monitor_record(print, MONITOR_TEXT, text, fields);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    static gboolean print;
    static const GOptionEntry options[] = {
        { "print", 'n', 0, G_OPTION_ARG_NONE, &print, "Print the record instead of logging it", NULL },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- log the size of the mail queue");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "zmqueuelog: %s; see --help\n", error ? error->message : "takes no argument");
        return EXIT_WRONG;
    }
    return log_queue(print);
}
