/* zmcontrol: shows and drives the services of this host (Guide ch. 5). A thin
 * view of systemd: what it does, systemctl does as well. */
#include <errno.h>
#include <locale.h>
#include <unistd.h>

#include "cli/zmcontrol/version.h"
#include "cli/zmcontrol/zmcontrol.h"

enum { EXIT_OK = 0, EXIT_DOWN = 1, EXIT_USAGE = 2, EXIT_UNAVAILABLE = 3 };

static const struct {
    const char *name;
    int (*run)(zmcontrol *z);
    const char *usage;
} commands[] = {
    { "start",    zmcontrol_start,   "Starts the manager and all services of this host." },
    { "startup",  zmcontrol_start,   "The same." },
    { "stop",     zmcontrol_stop,    "Stops all services." },
    { "shutdown", zmcontrol_stop,    "The same." },
    { "restart",  zmcontrol_restart, "Stops all services, then starts them." },
    { "status",   zmcontrol_status,  "Says of each service whether it runs; exit status 1 when one does not." },
};

static void print_usage(FILE *out)
{
    fprintf(out, "zmcontrol [-v -h] [-H host] command\n\n"
            "\t-v:\tdisplay version\n"
            "\t-h:\tprint usage statement\n"
            "\t-H:\thost name (this host's; other hosts' is not possible yet)\n\n"
            "\tCommand in:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(out, "\t\t%-10s %s\n", commands[i].name, commands[i].usage);
}

static bool load_services(zmcontrol *z, GError **error)
{
    size_t n;
    const service_def *table = service_table(&n);
    g_auto(GStrv) enabled = service_get_enabled(error);
    if (!enabled)
        return false;
    z->services = g_ptr_array_new();
    for (size_t i = 0; i < n; i++)
        if (table[i].always || g_strv_contains((const char *const *) enabled, table[i].name))
            g_ptr_array_add(z->services, (gpointer) &table[i]);
    return true;
}

/* localconfig.xml is for root and zimbra; status works for others too, with the
 * defaults. */
static bool load_settings(zmcontrol *z, GError **error)
{
    bool hidden = access(LOCALCONFIG_PATH, R_OK) < 0 && errno == EACCES;
    z->lc = localconfig_load(hidden ? "/nonexistent" : NULL, error);
    if (!z->lc)
        return false;
    z->own_name = g_strdup(g_get_host_name());
    z->host = localconfig_get(z->lc, "zimbra_server_hostname");
    if (!z->host || !*z->host || g_str_equal(z->host, "localhost"))
        z->host = z->own_name;
    return true;
}

static bool is_this_host(const zmcontrol *z, const char *name)
{
    return !name || !g_ascii_strcasecmp(name, z->host) || !g_ascii_strcasecmp(name, z->own_name) ||
        !g_ascii_strcasecmp(name, "localhost");
}

static int run(zmcontrol *z, const char *host, int (*command)(zmcontrol *))
{
    g_autoptr(GError) error = NULL;
    if (!load_settings(z, &error) || !load_services(z, &error) || !(z->bus = service_bus_open(&error))) {
        g_printerr("zmcontrol: %s\n", error->message);
        return EXIT_UNAVAILABLE;
    }
    if (!is_this_host(z, host)) {
        g_printerr("zmcontrol: -H %s: control of other hosts comes with a later release; "
                   "run zmcontrol on %s itself\n", host, host);
        return EXIT_USAGE;
    }
    return command(z);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *host = NULL;
    for (int opt; (opt = getopt(argc, argv, "vhH:-:")) != -1; ) {
        if (opt == 'H') {
            host = optarg;
        } else if (opt == 'v') {
            g_print("Release " MAILSTEAD_RELEASE ".GA " MAILSTEAD_SYSTEM " Mailstead edition.\n");
            return EXIT_OK;
        } else if (opt == 'h' || (opt == '-' && g_str_equal(optarg, "help"))) {
            print_usage(stdout);
            return EXIT_OK;
        } else {
            print_usage(stderr);
            return EXIT_USAGE;
        }
    }
    for (size_t i = 0; optind == argc - 1 && i < G_N_ELEMENTS(commands); i++) {
        if (!g_str_equal(commands[i].name, argv[optind]))
            continue;
        zmcontrol z = { 0 };
        int status = run(&z, host, commands[i].run);
        g_clear_pointer(&z.services, g_ptr_array_unref);
        service_bus_free(z.bus);
        localconfig_free(z.lc);
        g_free(z.own_name);
        return status;
    }
    print_usage(stderr);
    return EXIT_USAGE;
}
