/* zmmilter: may this sender send to this distribution list? Asked by Postfix at
 * RCPT TO (guide: zimbraMilterServerEnabled), answered by zmauthd, so that this
 * program, which reads what strangers send, needs nothing of the directory. */
#include <glib.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "agents/milter/config.h"
#include "agents/milter/session.h"
#include "lib/daemon/daemon.h"
#include "lib/journal/journal.h"

#define IDLE_SEC 300

static gboolean arg_check;
static char *arg_config, *arg_socket;
static const GOptionEntry options[] = {
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &arg_check, "Check the configuration and exit", NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Configuration (" CONFIG_PATH ")", "PATH" },
    { "auth-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_socket, "Socket of zmauthd", "PATH" },
    { NULL },
};

static int serve(char *where)
{
    g_autoptr(GError) error = NULL;
    sigset_t signals;
    sigfillset(&signals);    /* libmilter has a thread of its own for them */
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
        return EX_OSERR;
    asker *a = asker_new(arg_socket, &error);
    if (!a)
        return daemon_failed(EX_UNAVAILABLE, error);
    int r = EX_UNAVAILABLE;
    if (!session_register(a) || smfi_setconn(where) != MI_SUCCESS || smfi_settimeout(IDLE_SEC) != MI_SUCCESS ||
        smfi_opensocket(false) != MI_SUCCESS) {
        journal_error("cannot listen on %s: is the address this host's and the port free?", where);
    } else {
        (void) sd_notify(false, "READY=1");
        r = smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
        (void) sd_notify(false, "STOPPING=1");
    }
    return r;                /* the sessions' threads may still hold the asker */
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!daemon_arguments("zmmilter", "- enforce who may send to a distribution list", options, argc, argv))
        return EX_USAGE;
    g_autofree char *where = config_socket(arg_config ? arg_config : CONFIG_PATH, &error);
    if (!where)
        return daemon_failed(EX_CONFIG, error);
    return arg_check ? EX_OK : serve(where);
}
