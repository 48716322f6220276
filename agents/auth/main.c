/* zmauthd: every login of this host is decided here (design §7). Set-up only; the
 * parts are manager.c (the way of a question), decide.c (the decisions),
 * server.c and sasl.c (the sockets). */
#include <glib.h>
#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agents/auth/manager.h"
#include "agents/auth/sasl.h"
#include "agents/auth/server.h"
#include "lib/journal/journal.h"
#include "lib/localconfig/localconfig.h"

#define SASL_SOCKET "/run/zimbra/auth/sasl"
#define SASL_GROUP "postfix"
#define DENIED_DELAY_MS 2000

static gboolean arg_check;
static int arg_threads = 8;
static char *arg_socket, *arg_sasl, *arg_changes;
static const GOptionEntry options[] = {
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &arg_check, "Check this host's settings and exit", NULL },
    { "threads", 0, 0, G_OPTION_ARG_INT, &arg_threads, "Connections to the directory (1-64, default 8)", "N" },
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_socket, "Socket for the other daemons", "PATH" },
    { "sasl-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_sasl, "Socket for Postfix", "PATH" },
    { "changes-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_changes, "zmconfigd's change notices", "PATH" },
    { NULL },
};

static bool parse_arguments(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- decide every login of this host");
    g_option_context_add_main_entries(context, options, NULL);
    if (g_option_context_parse(context, &argc, &argv, &error) && argc == 1 && arg_threads >= 1 && arg_threads <= 64)
        return true;
    fprintf(stderr, "zmauthd: %s; see --help\n", error ? error->message : "unknown argument or thread count out of range");
    return false;
}

/* The keys without which nothing can be asked. */
static bool check_settings(localconfig *lc)
{
    static const char *const needed[] = { "ldap_url", "zimbra_ldap_userdn", "zimbra_ldap_password", "zimbra_server_hostname" };
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++) {
        const char *value = localconfig_get(lc, needed[i]);
        if (!value || !*value) {
            journal_error("localconfig key %s is not set: zmlocalconfig -e %s=VALUE", needed[i], needed[i]);
            return false;
        }
    }
    return true;
}

static int serve(sd_event *event, localconfig *lc)
{
    g_autoptr(GError) error = NULL;
    manager_settings settings = {
        .host = localconfig_get(lc, "zimbra_server_hostname"), .threads = (unsigned) arg_threads,
        .denied_delay_ms = DENIED_DELAY_MS, .changes_path = arg_changes,
    };
    manager *m = manager_new(event, &settings, &error);
    server *s = m ? server_new(event, m, arg_socket ? arg_socket : AUTH_SOCKET, &error) : NULL;
    sasl *x = s ? sasl_new(event, m, arg_sasl ? arg_sasl : SASL_SOCKET, arg_sasl ? NULL : SASL_GROUP, &error) : NULL;
    int r = EX_UNAVAILABLE;
    if (x) {
        (void) sd_event_set_watchdog(event, true);   /* none asked for outside a unit */
        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(event);
        (void) sd_notify(false, "STOPPING=1");
    } else {
        journal_error("%s", error->message);
    }
    sasl_free(x);
    server_free(s);
    manager_free(m);
    return r;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    sd_event *event = NULL;
    sigset_t stop;
    if (!parse_arguments(argc, argv))
        return EX_USAGE;
    journal_open("zmauthd", g_getenv("MAILSTEAD_LOG_LEVEL"));
    g_autoptr(localconfig) lc = localconfig_load(NULL, &error);
    if (!lc) {
        journal_error("%s", error->message);
        return EX_CONFIG;
    }
    if (!check_settings(lc))
        return EX_CONFIG;
    if (arg_check)
        return EX_OK;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0 || sd_event_default(&event) < 0 ||
        sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL) < 0 ||
        sd_event_add_signal(event, NULL, SIGINT, NULL, NULL) < 0) {
        journal_error("no event loop: %m");
        return EX_OSERR;
    }
    int r = serve(event, lc);
    sd_event_unref(event);
    return r;
}
