/* The guide's control commands of single services (zmmtactl, zmproxyctl, ldap …):
 * one program, told apart by the name it is called by. A thin view of systemd.
 *
 * A row names the unit that start, stop and restart act on, and the one that
 * takes a reload. restart of a target restarts its parts (their PartOf=). */
#include <glib.h>
#include <unistd.h>

#include "lib/service/service.h"

#define JOB_TIMEOUT_MS (180 * 1000)

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNAVAILABLE = 3 };

typedef struct {
    const char *name;
    const char *unit;
    const char *reload_unit;    /* NULL: the same */
    const char *service;        /* row of lib/service whose parts count for status; NULL: the unit alone */
} control;

static const control controls[] = {
    { "ldap",           "zimbra-ldap.service", NULL, NULL },
    { "zmamavisdctl",   "zimbra-amavis.service", NULL, NULL },
    { "zmantispamctl",  "zimbra-antispam.target", "zimbra-amavis.service", "antispam" },
    { "zmantivirusctl", "zimbra-antivirus.target", "zimbra-clamd.service", "antivirus" },
    { "zmclamdctl",     "zimbra-clamd.service", NULL, NULL },
    { "zmfreshclamctl", "zimbra-freshclam.service", NULL, NULL },
    { "zmloggerctl",    "zimbra-logger.service", NULL, NULL },
    { "zmmailboxdctl",  "zimbra-mailbox.target", NULL, "mailbox" },
    { "zmmemcachedctl", "zimbra-memcached.service", NULL, NULL },
    { "zmmilterctl",    "zimbra-milter.service", NULL, NULL },
    { "zmmtactl",       "zimbra-mta.target", "zimbra-postfix.service", "mta" },
    { "zmnginxctl",     "zimbra-nginx.service", NULL, NULL },
    { "zmopendkimctl",  "zimbra-opendkim.service", NULL, NULL },
    { "zmproxyctl",     "zimbra-proxy.target", "zimbra-nginx.service", "proxy" },
    { "zmsaslauthdctl", "zimbra-auth.service", NULL, NULL },
    { "zmstatctl",      "zimbra-stats.service", NULL, "stats" },
    { "zmstorectl",     "zimbra-mailbox.target", NULL, "mailbox" },
    { "zmswatchctl",    "zimbra-snmp.target", NULL, "snmp" },
};

static const struct { const char *name; service_action action; const char *doing; } verbs[] = {
    { "start",   SERVICE_START,             "Starting" },
    { "stop",    SERVICE_STOP,              "Stopping" },
    { "restart", SERVICE_RESTART,           "Restarting" },
    { "reload",  SERVICE_RELOAD_OR_RESTART, "Reloading" },
};

/* Verbs that one command has besides: another word for one of all. */
static const struct { const char *control, *name, *verb; } own_verbs[] = {
    { "zmstatctl", "rotate", "reload" },        /* zmstatd moves its files at a reload */
};

static const char *verb_meant(const char *control_name, const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(own_verbs); i++)
        if (g_str_equal(own_verbs[i].control, control_name) && g_str_equal(own_verbs[i].name, word))
            return own_verbs[i].verb;
    return word;
}

static int usage(FILE *out, const char *name)
{
    fprintf(out, "%s start|stop|restart|reload|status", name);
    for (size_t i = 0; i < G_N_ELEMENTS(own_verbs); i++)
        if (g_str_equal(own_verbs[i].control, name))
            fprintf(out, "|%s", own_verbs[i].name);
    fputc('\n', out);
    return out == stdout ? EXIT_OK : EXIT_USAGE;
}

static int failed(const control *c, const GError *error)
{
    g_printerr("%s: %s\n", c->name, error->message);
    return EXIT_FAILED;
}

static int print_status(service_bus *bus, const control *c)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) detail = g_string_new(NULL);
    const char *const alone[] = { c->unit, NULL };
    const service_def unit_only = { .name = c->name, .unit = c->unit, .parts = alone };
    const service_def *service = c->service ? service_find(c->service) : &unit_only;
    bool running = service_is_running(bus, service, detail, &error);
    if (error)
        return failed(c, error);
    g_print("%s is %srunning.\n", c->unit, running ? "" : "not ");
    if (!running)
        g_print("%s", detail->str);
    return running ? EXIT_OK : EXIT_FAILED;
}

static int act(service_bus *bus, const control *c, service_action action, const char *doing)
{
    g_autoptr(GError) error = NULL;
    const char *unit = action == SERVICE_RELOAD_OR_RESTART && c->reload_unit ? c->reload_unit : c->unit;
    g_print("%s %s...", doing, unit);
    bool ok = service_unit_do(bus, unit, action, JOB_TIMEOUT_MS, &error);
    g_print(ok ? "done.\n" : "failed.\n");
    if (!ok)
        return failed(c, error);
    return action == SERVICE_STOP ? EXIT_OK : print_status(bus, c);
}

int main(int argc, char **argv)
{
    g_autofree char *name = g_path_get_basename(argv[0]);
    const control *c = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++)
        if (g_str_equal(controls[i].name, name))
            c = &controls[i];
    if (!c) {
        g_printerr("%s: call it by one of its names (man zmctl)\n", name);
        return EXIT_USAGE;
    }
    if (argc == 2 && (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h")))
        return usage(stdout, name);
    g_autoptr(GError) error = NULL;
    g_autoptr(service_bus) bus = argc == 2 ? service_bus_open(&error) : NULL;
    if (argc == 2 && !bus) {
        g_printerr("%s: %s\n", name, error->message);
        return EXIT_UNAVAILABLE;
    }
    if (argc == 2 && g_str_equal(argv[1], "status"))
        return print_status(bus, c);
    const char *verb = argc == 2 ? verb_meant(name, argv[1]) : "";
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(verbs[i].name, verb))
            return act(bus, c, verbs[i].action, verbs[i].doing);
    return usage(stderr, name);
}
