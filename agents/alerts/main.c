/* zmalertd: what an administrator must know goes from here to his mailbox and to
 * the SNMP agent. Set-up only; manager.c is the way of an alert, and services.c,
 * disks.c, certificates.c, failures.c and records.c are what it watches. */
#include <glib.h>
#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agents/alerts/manager.h"
#include "lib/journal/journal.h"

#define FOLDER PREFIX "/data/alerts"

static char *arg_config, *arg_folder, *arg_raise, *arg_feed;
static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (default " ALERTS_CONFIG ")", "PATH" },
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &arg_folder, "Where alerts are kept (default " FOLDER ")", "PATH" },
    { "raise-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_raise, "Socket that takes alerts", "PATH" },
    { "feed-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_feed, "Socket that hands them on", "PATH" },
    { NULL },
};

static bool parse_arguments(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- mail alerts to the administrator and hand them on");
    g_option_context_add_main_entries(context, options, NULL);
    if (g_option_context_parse(context, &argc, &argv, &error) && argc == 1)
        return true;
    fprintf(stderr, "zmalertd: %s; see --help\n", error ? error->message : "unknown argument");
    return false;
}

static int serve(sd_event *event)
{
    g_autoptr(GError) error = NULL;
    manager_paths paths = {
        .config = arg_config ? arg_config : ALERTS_CONFIG, .folder = arg_folder ? arg_folder : FOLDER,
        .raise_socket = arg_raise ? arg_raise : ALERT_RAISE_SOCKET, .feed_socket = arg_feed ? arg_feed : ALERT_FEED_SOCKET,
    };
    manager *m = manager_new(event, &paths, &error);
    if (!m) {
        journal_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    (void) sd_event_set_watchdog(event, true);      /* none asked for outside a unit */
    (void) sd_notify(false, "READY=1");
    int r = sd_event_loop(event);
    (void) sd_notify(false, "STOPPING=1");
    manager_free(m);
    return r;
}

int main(int argc, char **argv)
{
    sd_event *event = NULL;
    sigset_t mask;
    if (!parse_arguments(argc, argv))
        return EX_USAGE;
    journal_open("zmalertd", g_getenv("MAILSTEAD_LOG_LEVEL"));
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || sd_event_default(&event) < 0 ||
        sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL) < 0 ||
        sd_event_add_signal(event, NULL, SIGINT, NULL, NULL) < 0) {
        journal_error("no event loop: %m");
        return EX_OSERR;
    }
    int r = serve(event);
    sd_event_unref(event);
    return r;
}
