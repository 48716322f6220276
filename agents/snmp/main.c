/* zmsnmpagent: what SNMP managers read of this host and are told by it. Set-up
 * only; manager.c puts the parts together. */
#include <stdlib.h>
#include <sysexits.h>

#include "agents/snmp/agentx.h"
#include "agents/snmp/config.h"
#include "agents/snmp/manager.h"
#include "lib/alert/alert.h"
#include "lib/daemon/daemon.h"

#define SENT_FILE PREFIX "/data/snmp/sent"

static char *arg_config, *arg_agentx, *arg_feed, *arg_sent;
static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (default " SNMPAGENT_CONFIG ")", "PATH" },
    { "agentx-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_agentx, "snmpd's socket for subagents (default " SNMPD_AGENTX_SOCKET ")", "PATH" },
    { "feed-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_feed, "Socket that alerts come from", "PATH" },
    { "sent-file", 0, 0, G_OPTION_ARG_FILENAME, &arg_sent, "Which alert was sent last (default " SENT_FILE ")", "PATH" },
    { NULL },
};

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!daemon_arguments("zmsnmpagent", "- tell SNMP managers about this host", options, argc, argv))
        return EX_USAGE;
    /* net-snmp would read every module of the system; numbers need no names. */
    if (setenv("MIBS", "", 1) < 0)
        return EX_OSERR;
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    const manager_paths paths = {
        .config = arg_config ? arg_config : SNMPAGENT_CONFIG, .agentx_socket = arg_agentx ? arg_agentx : SNMPD_AGENTX_SOCKET,
        .feed_socket = arg_feed ? arg_feed : ALERT_FEED_SOCKET, .sent_file = arg_sent ? arg_sent : SENT_FILE,
    };
    manager *m = manager_new(event, &paths, &error);
    int r = m ? daemon_serve(event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
    manager_free(m);
    sd_event_unref(event);
    return r;
}
