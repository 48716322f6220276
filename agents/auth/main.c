/* zmauthd: every login of this host is decided here (design §7). Set-up only; the
 * parts are manager.c (the way of a question), decide.c (the decisions),
 * server.c and sasl.c (the sockets). */
#include <glib.h>
#include <sysexits.h>

#include "agents/auth/manager.h"
#include "agents/auth/sasl.h"
#include "agents/auth/server.h"
#include "lib/daemon/daemon.h"
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

static statpage *make_page(sd_event *event)
{
    int r;
    statpage *page = statpage_new(NULL, "zmauthd", manager_numbers, NUMBERS, &r);
    if (r < 0)
        journal_warning("no statistics: the page in %s cannot be made: %s", STATPAGE_FOLDER, g_strerror(-r));
    r = statpage_watch_descriptors(page, event, NUMBER_OPEN_DESCRIPTORS);
    g_assert(r >= 0);
    return page;
}

static int serve(sd_event *event, localconfig *lc)
{
    g_autoptr(GError) error = NULL;
    manager_settings settings = {
        .host = localconfig_get(lc, "zimbra_server_hostname"), .threads = (unsigned) arg_threads,
        .denied_delay_ms = DENIED_DELAY_MS, .changes_path = arg_changes, .numbers = make_page(event),
    };
    manager *m = manager_new(event, &settings, &error);
    server *s = m ? server_new(event, m, arg_socket ? arg_socket : AUTH_SOCKET, &error) : NULL;
    sasl *x = s ? sasl_new(event, m, arg_sasl ? arg_sasl : SASL_SOCKET, arg_sasl ? NULL : SASL_GROUP, &error) : NULL;
    int r = x ? daemon_serve(event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
    sasl_free(x);
    server_free(s);
    manager_free(m);
    statpage_free(settings.numbers);
    return r;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!daemon_arguments("zmauthd", "- decide every login of this host", options, argc, argv))
        return EX_USAGE;
    if (arg_threads < 1 || arg_threads > 64) {
        fprintf(stderr, "zmauthd: --threads is 1 to 64, not %d\n", arg_threads);
        return EX_USAGE;
    }
    g_autoptr(localconfig) lc = localconfig_load(NULL, &error);
    if (!lc)
        return daemon_failed(EX_CONFIG, error);
    if (!check_settings(lc))
        return EX_CONFIG;
    if (arg_check)
        return EX_OK;

    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    int r = serve(event, lc);
    sd_event_unref(event);
    return r;
}
