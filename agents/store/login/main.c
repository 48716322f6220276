/* zmmailboxd-login: the store's door (design §6). Accepts IMAP, POP3 and LMTP,
 * authenticates by zmauthd, and passes sessions on to the shards and to intake. It
 * opens no file but its configuration, certificate and key, and those before the
 * first byte of input. */
#include "agents/store/login/login.h"

#include <sys/resource.h>
#include <sysexits.h>

#include "lib/daemon/daemon.h"
#include "lib/journal/journal.h"

static char *arg_config;
static gboolean arg_check;

static const GOptionEntry options[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &arg_config, "Read FILE instead of " LOGIN_CONFIG_PATH, "FILE" },
    { "check", 0, 0, G_OPTION_ARG_NONE, &arg_check, "Check the configuration and leave", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static bool load(login *l, GError **error)
{
    l->config = login_config_load(arg_config ? arg_config : LOGIN_CONFIG_PATH, error);
    if (!l->config)
        return false;
    if (*l->config->certificate && !(l->tls = transport_context(l->config->certificate, l->config->key, error)))
        return false;
    if (!l->tls)
        journal_warning("no certificate is configured: TLS ports and STARTTLS are off");
    return true;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);   /* fewer connections then */
    }
}

static void make_page(login *l)
{
    static const statpage_def defs[NUMBERS] = {
        [NUMBER_LOGINS] = { "logins", STATPAGE_COUNTER }, [NUMBER_FAILURES] = { "login_failures", STATPAGE_COUNTER },
        [NUMBER_WAITING] = { "waiting", STATPAGE_GAUGE }, [NUMBER_IMAP_RELAYS] = { "imap_relays", STATPAGE_GAUGE },
        [NUMBER_POP3_RELAYS] = { "pop3_relays", STATPAGE_GAUGE }, [NUMBER_OPEN_DESCRIPTORS] = { "open_descriptors", STATPAGE_GAUGE },
    };
    int r;
    l->numbers = statpage_new(NULL, "zmmailboxd-login", defs, NUMBERS, &r);
    if (r < 0)
        journal_warning("no statistics: the page in %s cannot be made: %s", STATPAGE_FOLDER, g_strerror(-r));
    r = statpage_watch_descriptors(l->numbers, l->event, NUMBER_OPEN_DESCRIPTORS);
    g_assert(r >= 0);
}

static bool start(login *l, GError **error)
{
    make_page(l);
    raise_file_limit();
    l->shards = g_new0(wire_conn *, l->config->shards);
    l->clients = g_hash_table_new(NULL, NULL);
    l->per_address = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    l->lmtp_hosts = hosts_new((const char *const *) l->config->lmtp_hosts);
    l->auth = auth_client_new(l->event, l->config->auth_socket);
    return listeners_open(l, error);
}

static void stop(login *l)
{
    listeners_close(l);
    g_autoptr(GList) left = g_hash_table_get_keys(l->clients);
    for (GList *p = left; p; p = p->next)
        client_free(p->data);
    for (unsigned i = 0; i < l->config->shards; i++)
        wire_conn_unref(l->shards[i]);
    wire_conn_unref(l->intake);
    hosts_free(l->lmtp_hosts);
    auth_client_free(l->auth);
    g_hash_table_unref(l->clients);
    g_hash_table_unref(l->per_address);
    g_free(l->shards);
    SSL_CTX_free(l->tls);
    statpage_free(l->numbers);
    login_config_free(l->config);
    sd_event_unref(l->event);
}

int main(int argc, char **argv)
{
    login l = { 0 };
    g_autoptr(GError) error = NULL;
    if (!daemon_arguments("zmmailboxd-login", "- accept mail clients and hand them to the mailbox shards", options, argc, argv))
        return EX_USAGE;
    if (!load(&l, &error))
        return daemon_failed(EX_CONFIG, error);
    if (arg_check)
        return EX_OK;
    l.event = daemon_event();
    if (!l.event)
        return EX_OSERR;
    int r = start(&l, &error) ? daemon_serve(l.event, NULL, NULL) : daemon_failed(EX_UNAVAILABLE, error);
    stop(&l);
    return r;
}
