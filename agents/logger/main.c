/* zmloggerd: from the journal to the guide's log files, to what became of each
 * message, and to the counts. Set-up only; manager.c puts the parts together. */
#include <glib.h>
#include <sysexits.h>

#include "agents/logger/counts.h"
#include "agents/logger/manager.h"
#include "lib/daemon/daemon.h"
#include "lib/maillog/maillog.h"

static char *arg_config, *arg_database, *arg_counts, *arg_journal, *arg_root;
static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (default " MAILLOG_CONFIG ")", "PATH" },
    { "database", 0, 0, G_OPTION_ARG_FILENAME, &arg_database, "Messages, events and counts (default " MAILLOG_PATH ")", "PATH" },
    { "counts", 0, 0, G_OPTION_ARG_FILENAME, &arg_counts, "Totals for the statistics (default " COUNTS_FILE ")", "PATH" },
    { "journal", 0, 0, G_OPTION_ARG_FILENAME, &arg_journal, "Read the journal files of this folder", "FOLDER" },
    { "log-root", 0, 0, G_OPTION_ARG_FILENAME, &arg_root, "Put before the folders of the log files", "FOLDER" },
    { NULL },
};

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!daemon_arguments("zmloggerd", "- write log files and count mail from the journal", options, argc, argv))
        return EX_USAGE;
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    manager_paths paths = {
        .config = arg_config ? arg_config : MAILLOG_CONFIG, .database = arg_database ? arg_database : MAILLOG_PATH,
        .counts = arg_counts ? arg_counts : COUNTS_FILE, .journal = arg_journal, .log_root = arg_root,
    };
    manager *m = manager_new(event, &paths, &error);
    int r = m ? daemon_serve(event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
    manager_free(m);
    sd_event_unref(event);
    return r;
}
