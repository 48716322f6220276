/* zmalertd: what an administrator must know goes from here to his mailbox and to
 * the SNMP agent. Set-up only; manager.c is the way of an alert, and services.c,
 * disks.c, certificates.c, failures.c and records.c are what it watches. */
#include <glib.h>
#include <sysexits.h>

#include "agents/alerts/manager.h"
#include "lib/daemon/daemon.h"

#define FOLDER PREFIX "/data/alerts"

static char *arg_config, *arg_folder, *arg_raise, *arg_feed;
static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (default " ALERTS_CONFIG ")", "PATH" },
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &arg_folder, "Where alerts are kept (default " FOLDER ")", "PATH" },
    { "raise-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_raise, "Socket that takes alerts", "PATH" },
    { "feed-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_feed, "Socket that hands them on", "PATH" },
    { NULL },
};

static int serve(sd_event *event)
{
    g_autoptr(GError) error = NULL;
    manager_paths paths = {
        .config = arg_config ? arg_config : ALERTS_CONFIG, .folder = arg_folder ? arg_folder : FOLDER,
        .raise_socket = arg_raise ? arg_raise : ALERT_RAISE_SOCKET, .feed_socket = arg_feed ? arg_feed : ALERT_FEED_SOCKET,
    };
    manager *m = manager_new(event, &paths, &error);
    if (!m)
        return daemon_failed(EX_UNAVAILABLE, error);
    int r = daemon_serve(event, NULL, NULL);
    manager_free(m);
    return r;
}

int main(int argc, char **argv)
{
    if (!daemon_arguments("zmalertd", "- mail alerts to the administrator and hand them on", options, argc, argv))
        return EX_USAGE;
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    int r = serve(event);
    sd_event_unref(event);
    return r;
}
