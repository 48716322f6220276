/* zmprov: administration of the directory from the command line (guide,
 * appendix A).
 *
 * It works on LDAP directly and needs the right to read localconfig.xml, which
 * root and zimbra have. Exit status: 0; 1 for a wrong option; 2 when a command
 * failed. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/zmprov/session.h"

#define PASSWORD_LINE_MAX 2048

enum { EXIT_USAGE = 1, EXIT_FAILED = 2 };

static const char usage[] =
    "zmprov [OPTIONS] [COMMAND [ARGUMENTS...]]\n"
    "\n"
    "  -h/--help                   this text\n"
    "  -f/--file FILE              read commands from FILE (-: stdin)\n"
    "  -s/--server HOST[:PORT]     server concerned (all servers share the directory)\n"
    "  -l/--ldap                   work on LDAP directly (always done)\n"
    "  -L/--logpropertyfile FILE   accepted for old scripts, without effect\n"
    "  -a/--account NAME           administrator to act as; needs -p or -P\n"
    "  -p/--password PASSWORD      the administrator's password\n"
    "  -P/--passfile FILE          read it from FILE\n"
    "  -z/--zadmin                 act with the rights of localconfig (the default)\n"
    "  -m/--master                 read from the master directory\n"
    "  -r/--replace                allow replacing attributes that zmprov_safeguarded_attrs protects\n"
    "  -v/--verbose                full listings\n"
    "  -d/--debug                  say what is connected to\n"
    "\n"
    "Without a command zmprov reads them from the terminal. Commands:\n"
    "  zmprov help commands | account | calendar | config | cos | domain | list |\n"
    "              misc | reverseproxy | right | search | server\n";

static const struct option options[] = {
    { "help", no_argument, NULL, 'h' },
    { "file", required_argument, NULL, 'f' },
    { "server", required_argument, NULL, 's' },
    { "ldap", no_argument, NULL, 'l' },
    { "logpropertyfile", required_argument, NULL, 'L' },
    { "account", required_argument, NULL, 'a' },
    { "password", required_argument, NULL, 'p' },
    { "passfile", required_argument, NULL, 'P' },
    { "zadmin", no_argument, NULL, 'z' },
    { "authtoken", required_argument, NULL, 'y' },
    { "authtokenfile", required_argument, NULL, 'Y' },
    { "master", no_argument, NULL, 'm' },
    { "replace", no_argument, NULL, 'r' },
    { "verbose", no_argument, NULL, 'v' },
    { "debug", no_argument, NULL, 'd' },
    { NULL, 0, NULL, 0 },
};

/* ---- -a and -p ---- */

static bool read_password(session *s, const char *path)
{
    char line[PASSWORD_LINE_MAX];
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(line, sizeof line, f);
    if (f)
        (void) fclose(f); /* only read from */
    if (!ok)
        return false;
    line[strcspn(line, "\r\n")] = 0;
    g_free(s->password);
    s->password = g_strdup(line);
    explicit_bzero(line, sizeof line);
    return true;
}

/* Proves the password by a bind as the account, which must be an
 * administrator's. */
static bool check_administrator(session *s, GError **error)
{
    directory *d = session_reader(s, error);
    g_autoptr(entry) e = d ? directory_account(d, s->account, error) : NULL;
    if (!e)
        return false;
    const char *url = localconfig_get_or(s->lc, "ldap_url", "");
    g_autofree char *password = directory_normalise_password(s->password ? s->password : "");
    g_autoptr(directory) proof = directory_open_as(s->lc, url, entry_dn(e), password, error);
    if (!proof)
        return false;
    bool active = entry_has_value(e, "zimbraAccountStatus", "active");
    if (active && entry_get_bool(e, "zimbraIsAdminAccount", false))
        return true;
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_DENIED, "%s is not an active administrator's account",
                entry_name(e));
    return false;
}

/* ---- start ---- */

static int fail(const char *text, const char *detail)
{
    fprintf(stderr, "zmprov: %s%s\n", text, detail);
    return EXIT_USAGE;
}

/* 0, or an exit status + 1. */
static int take_options(session *s, int argc, char **argv, const char **ret_file)
{
    for (int o; (o = getopt_long(argc, argv, "+hf:s:lL:a:p:P:zy:Y:mrvd", options, NULL)) != -1; ) {
        switch (o) {
        case 'h': fputs(usage, stdout); return EXIT_SUCCESS + 1;
        case 'f': *ret_file = optarg; break;
        case 's': g_free(s->server); s->server = g_strdup(optarg); break;
        case 'a': g_free(s->account); s->account = g_strdup(optarg); break;
        case 'p':
            g_free(s->password);
            s->password = g_strdup(optarg);
            memset(optarg, '*', strlen(optarg)); /* see take_words() */
            break;
        case 'P':
            if (!read_password(s, optarg))
                return fail("cannot read a password from ", optarg) + 1;
            break;
        case 'm': s->from_master = true; break;
        case 'r': s->replace = true; break;
        case 'v': s->verbose = true; break;
        case 'd': s->debug = true; break;
        case 'l': case 'L': case 'z': break;
        case 'y': case 'Y': return fail("tokens cannot be used: give -a NAME and -P FILE", "") + 1;
        default: return fail("see zmprov --help", "") + 1;
        }
    }
    if (s->password && !s->account)
        return fail("a password needs -a NAME", "") + 1;
    return 0;
}

/* The words of the command in memory of our own. The process's own arguments are
 * blanked: ps and journald (_CMDLINE) need not keep passwords. */
static char **take_words(int argc, char **argv)
{
    char **words = g_new0(char *, (gsize) argc + 1);
    for (int i = 0; i < argc; i++) {
        words[i] = g_strdup(argv[i]);
        if (i > 0)
            memset(argv[i], '*', strlen(argv[i]));
    }
    return words;
}

static int run(session *s, int argc, char **argv, const char *file)
{
    g_auto(GStrv) words = take_words(argc, argv);
    g_autoptr(GError) error = NULL;
    if (s->account && !check_administrator(s, &error)) {
        report_error(error);
        return EXIT_FAILED;
    }
    if (file)
        return run_file(s, file) ? EXIT_FAILED : EXIT_SUCCESS;
    if (argc == 0)
        return run_interactive(s) ? EXIT_FAILED : EXIT_SUCCESS;
    if (command_run(s, argc, words, &error))
        return EXIT_SUCCESS;
    report_error(error);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    session s = { NULL };
    const char *file = NULL;
    g_autoptr(GError) error = NULL;
    int status = take_options(&s, argc, argv, &file);
    if (status) {
        session_done(&s);
        return status - 1;
    }
    s.lc = localconfig_load(NULL, &error);
    if (s.lc) {
        status = run(&s, argc - optind, argv + optind, file);
    } else {
        fprintf(stderr, "ERROR: service.FAILURE (%s; run zmprov as zimbra or root)\n", error->message);
        status = EXIT_FAILED;
    }
    session_done(&s);
    if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
        status = EXIT_FAILED;
    return status;
}
