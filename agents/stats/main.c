/* zmstatd: the host's numbers, sampled once and given to everybody (design §8).
 * Set-up only; sampler.c is the way of a sample, collect/ what is measured. */
#include <stdio.h>
#include <sysexits.h>

#include "agents/stats/describe.h"
#include "agents/stats/http.h"
#include "agents/stats/manager.h"
#include "lib/daemon/daemon.h"
#include "lib/series/series.h"

#define RUN_FOLDER "/run/zimbra/stats"

static char *arg_config, *arg_run, *arg_rrds, *arg_proc, *arg_sys;
static int arg_port = METRICS_PORT;
static gboolean arg_describe;
static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (default " STATS_CONFIG ")", "PATH" },
    { "run", 0, 0, G_OPTION_ARG_FILENAME, &arg_run, "Pages, imports and the sample (default " RUN_FOLDER ")", "FOLDER" },
    { "rrds", 0, 0, G_OPTION_ARG_FILENAME, &arg_rrds, "RRD files (default " SERIES_FOLDER ")", "FOLDER" },
    { "proc", 0, 0, G_OPTION_ARG_FILENAME, &arg_proc, "Another /proc", "FOLDER" },
    { "sys", 0, 0, G_OPTION_ARG_FILENAME, &arg_sys, "Another /sys", "FOLDER" },
    { "port", 0, 0, G_OPTION_ARG_INT, &arg_port, "Port of /metrics on 127.0.0.1 (default 9105)", "N" },
    { "describe", 0, 0, G_OPTION_ARG_NONE, &arg_describe, "Print every CSV file and column, and leave", NULL },
    { NULL },
};

int main(int argc, char **argv)
{
    if (!daemon_arguments("zmstatd", "- sample this host's statistics", options, argc, argv))
        return EX_USAGE;
    if (arg_port < 1 || arg_port > 65535) {
        fprintf(stderr, "zmstatd: --port must be from 1 to 65535\n");
        return EX_USAGE;
    }
    if (arg_describe) {
        g_autofree char *text = describe_collectors();
        fputs(text, stdout);
        return EX_OK;
    }
    g_autoptr(GError) error = NULL;
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    stats_paths paths = { .proc = arg_proc ? arg_proc : "/proc", .sys = arg_sys ? arg_sys : "/sys",
                          .run = arg_run ? arg_run : RUN_FOLDER, .rrds = arg_rrds ? arg_rrds : SERIES_FOLDER };
    manager *m = manager_new(event, arg_config ? arg_config : STATS_CONFIG, &paths, (guint16) arg_port, &error);
    int r = m ? daemon_serve(event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
    manager_free(m);
    sd_event_unref(event);
    return r;
}
