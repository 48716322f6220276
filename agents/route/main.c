/* zmrouted: the route lookup of the mail proxy (nginx's auth_http). It knows no
 * secret of the directory: zmauthd checks the password and issues the ticket that
 * nginx logs in with at the mail host. */
#include <glib.h>
#include <sysexits.h>

#include "agents/route/config.h"
#include "agents/route/http.h"
#include "lib/daemon/daemon.h"

static gboolean arg_check;
static char *arg_config, *arg_socket;
static const GOptionEntry options[] = {
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &arg_check, "Check the configuration and exit", NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &arg_config, "Configuration (" CONFIG_PATH ")", "PATH" },
    { "auth-socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_socket, "Socket of zmauthd", "PATH" },
    { NULL },
};

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
    int r = h ? daemon_serve(event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
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
    if (!daemon_arguments("zmrouted", "- tell the mail proxy where a mailbox is", options, argc, argv))
        return EX_USAGE;
    g_autoptr(config) c = config_load(arg_config ? arg_config : CONFIG_PATH, &error);
    if (!c)
        return daemon_failed(EX_CONFIG, error);
    if (arg_check)
        return EX_OK;

    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    int r = serve(event, c);
    sd_event_unref(event);
    return r;
}
