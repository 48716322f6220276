/* zmrouted: the route lookup of the mail proxy (nginx's auth_http). It knows no
 * secret of the directory: zmauthd checks the password and issues the ticket that
 * nginx logs in with at the mail host. */
#include <glib.h>
#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agents/route/config.h"
#include "agents/route/http.h"
#include "lib/journal/journal.h"

static gboolean arg_check;
static char *arg_config, *arg_socket;
static const GOptionEntry options[] = {
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &arg_check, "Check the configuration and exit", NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Configuration (" CONFIG_PATH ")", "PATH" },
    { "auth-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_socket, "Socket of zmauthd", "PATH" },
    { NULL },
};

static bool parse_arguments(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- tell the mail proxy where a mailbox is");
    g_option_context_add_main_entries(context, options, NULL);
    if (g_option_context_parse(context, &argc, &argv, &error) && argc == 1)
        return true;
    fprintf(stderr, "zmrouted: %s; see --help\n", error ? error->message : "unknown argument");
    return false;
}

static int serve(sd_event *event, const config *c)
{
    g_autoptr(GError) error = NULL;
    lookup_services s = {
        .auth = auth_client_new(event, arg_socket),
        .finder = finder_new(event, c->memcached, c->cache_ttl_sec, c->cache_timeout_ms, &error),
        .by_ip = limit_new(c->login_limit_ip, c->login_limit_ip_sec),
        .by_user = limit_new(c->login_limit_user, c->login_limit_user_sec),
        .auth_wait_sec = c->auth_wait_sec,
    };
    http *h = s.finder ? http_new(event, c, &s, &error) : NULL;
    int r = EX_UNAVAILABLE;
    if (h) {
        (void) sd_event_set_watchdog(event, true);   /* none asked for outside a unit */
        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(event);
        (void) sd_notify(false, "STOPPING=1");
    } else {
        journal_error("%s", error->message);
    }
    auth_client_free(s.auth);
    finder_free(s.finder);
    http_free(h);
    limit_free(s.by_ip);
    limit_free(s.by_user);
    return r;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    sd_event *event = NULL;
    sigset_t stop;
    if (!parse_arguments(argc, argv))
        return EX_USAGE;
    journal_open("zmrouted", g_getenv("MAILSTEAD_LOG_LEVEL"));
    g_autoptr(config) c = config_load(arg_config ? arg_config : CONFIG_PATH, &error);
    if (!c) {
        journal_error("%s", error->message);
        return EX_CONFIG;
    }
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
    int r = serve(event, c);
    sd_event_unref(event);
    return r;
}
