/* zmldapinit: makes the directory of a first host, or waits for slapd.
 *
 * Reads the passwords of the identities from localconfig and the CA from
 * ssl/zimbra/ca, which set-up has written before. Doing it twice changes
 * nothing. Leaves starting slapd to systemd and everything that an
 * administrator names (domain, accounts) to zmsetup. */
#include <unistd.h>

#include "wizard/ldapinit/ldapinit.h"

#define LDAP_FOLDER PREFIX "/data/ldap"
#define TEMPLATES   PREFIX "/lib/schema/slapd/"

static int arg_wait_s;

static const GOptionEntry options[] = {
    { "wait", 0, 0, G_OPTION_ARG_INT, &arg_wait_s, "Only wait until slapd answers on its local socket", "SECONDS" },
    { NULL }
};

static bool initialise(GError **error)
{
    if (geteuid() != 0) {
        g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_STATE, "only root can make the directory");
        return false;
    }
    if (ldapinit_is_done(LDAP_FOLDER))
        return true;
    g_autoptr(localconfig) lc = localconfig_load(NULL, error);
    g_autofree char *config = lc ? template_fill(TEMPLATES "config.ldif", lc, error) : NULL;
    g_autofree char *tree = config ? template_fill(TEMPLATES "tree.ldif", lc, error) : NULL;
    return tree && ldapinit_load(LDAP_FOLDER, config, tree, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- make the directory of a first host");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "zmldapinit: %s; see --help\n", error ? error->message : "unexpected argument");
        return 2;
    }
    bool good = arg_wait_s > 0 ? ldapinit_wait(arg_wait_s, &error) : initialise(&error);
    if (!good)
        fprintf(stderr, "zmldapinit: %s\n", error->message);
    return good ? 0 : 1;
}
