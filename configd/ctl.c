/* zmconfigctl (zmconfigdctl and libexec/configrewrite by its other names): the
 * engine's verbs over the control socket, and start, stop, restart, kill of the
 * unit. A table of verbs; request.c has the wire form. */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "configd/request.h"
#include "lib/service/service.h"
#include "lib/localsocket/localsocket.h"

#define SOCKET_PATH "/run/zimbra/configd/control"
#define ZMCONFIGD PREFIX "/libexec/zmconfigd"
#define UNIT "zimbra-configd.service"
#define UNIT_TIMEOUT_MS 300000
#define ANSWER_TIMEOUT_S 600

static char *arg_socket, *arg_server;
static char **arg_set, **arg_words;
static const GOptionEntry options[] = {
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arg_set, "render, dry-run: as if KEY had VALUE", "KEY=VALUE" },
    { "server", 0, 0, G_OPTION_ARG_STRING, &arg_server, "render: of this server instead of the host", "NAME" },
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &arg_socket, "In place of " SOCKET_PATH, "PATH" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &arg_words, NULL, NULL },
    { NULL },
};

typedef struct verb {
    const char *name;
    guint min, max;
    const char *usage, *help;
    int (*run)(const struct verb *v, char **args);
    const char *word;                 /* on the wire */
    bool settings;                    /* takes --set */
    service_action action;            /* of unit verbs */
} verb;

/* ---- over the socket ---- */

static int dial(void)
{
    const char *path = arg_socket ? arg_socket : SOCKET_PATH;
    struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };
    int fd = localsocket_connect(path, SOCK_STREAM);
    if (fd < 0) {
        fprintf(stderr, "zmconfigd is not running (%s: %s); start it with zmconfigctl start\n", path, g_strerror(-fd));
        return -1;
    }
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);   /* else it waits longer */
    return fd;
}

static GString *converse(int fd, const char *line)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    char buffer[8192];
    ssize_t n = send(fd, line, strlen(line), MSG_NOSIGNAL);
    if (n != (ssize_t) strlen(line))
        return NULL;
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        g_string_append_len(answer, buffer, n);
    return n == 0 && answer->len ? g_steal_pointer(&answer) : NULL;
}

static char *request_line(const verb *v, char **args)
{
    GString *line = g_string_new(v->word);
    for (char **a = args; *a; a++) {
        g_autofree char *word = request_escape(*a);
        g_string_append_printf(line, " %s", word);
    }
    for (char **s = v->settings ? arg_set : NULL; s && *s; s++) {
        g_autofree char *word = request_escape(*s);
        g_string_append_printf(line, " %s", word);
    }
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

static int run_request(const verb *v, char **args)
{
    int fd = dial();
    if (fd < 0)
        return EX_UNAVAILABLE;
    g_autofree char *line = request_line(v, args);
    g_autoptr(GString) answer = converse(fd, line);
    close(fd);
    if (!answer) {
        fprintf(stderr, "zmconfigd gave no answer: %s\n", g_strerror(errno));
        return EX_UNAVAILABLE;
    }
    const char *text = strchr(answer->str, '\n');
    size_t first = text ? (size_t) (text - answer->str) : answer->len;
    if (!g_str_has_prefix(answer->str, "SUCCESS")) {
        const char *reason = answer->str + (g_str_has_prefix(answer->str, "ERROR ") ? strlen("ERROR ") : 0);
        fprintf(stderr, "%.*s\n", (int) (first - (reason - answer->str)), reason);
        return EXIT_FAILURE;
    }
    if (text)
        fputs(text + 1, stdout);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

static int run_status(const verb *v, char **args)
{
    int r = run_request(v, args);
    if (r == EXIT_SUCCESS)
        puts("zmconfigd is running.");
    return r;
}

/* ---- without the daemon ---- */

static int run_render(const verb *v, char **args)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    g_strv_builder_add_many(b, ZMCONFIGD, "--render", args[0], NULL);
    if (arg_server)
        g_strv_builder_add_many(b, "--server", arg_server, NULL);
    for (char **s = arg_set; s && *s; s++)
        g_strv_builder_add_many(b, "--set", *s, NULL);
    g_auto(GStrv) argv = g_strv_builder_end(b);
    execv(argv[0], argv);
    fprintf(stderr, "zmconfigctl: %s: %s\n", argv[0], g_strerror(errno));
    return EX_OSFILE;
}

/* ---- the unit ---- */

static int run_unit(const verb *v, char **args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(service_bus) bus = service_bus_open(&error);
    if (bus && service_unit_do(bus, UNIT, v->action, UNIT_TIMEOUT_MS, &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "%s\n", error->message);
    return EXIT_FAILURE;
}

static const verb verbs[] = {
    { "status", 0, 0, "", "State of the daemon and of each service's configuration", run_status, .word = "STATUS" },
    { "history", 0, 1, "[COUNT]", "The last generations, what changed them and how they ended", run_request, .word = "HISTORY" },
    { "diff", 2, 2, "A B", "Differences of two generations", run_request, .word = "DIFF" },
    { "dry-run", 0, 0, "[--set K=V]", "What would change now", run_request, .word = "DRYRUN", .settings = true },
    { "render", 1, 1, "SERVICE [--server H] [--set K=V]", "The files of a service as they would be; needs no running system", run_render, .settings = true },
    { "rewrite", 1, REQUEST_MAX_ARGS, "SERVICE...", "Render, validate and apply again", run_request, .word = "REWRITE" },
    { "rollback", 1, 1, "GENERATION", "Go back to a generation and stay there", run_request, .word = "ROLLBACK" },
    { "commit-confirm", 0, 1, "[MINUTES]", "Changes from now on go back by themselves (10 minutes) unless confirmed", run_request, .word = "COMMITCONFIRM" },
    { "confirm", 0, 0, "", "Keep the changes made since commit-confirm", run_request, .word = "CONFIRM" },
    { "resume", 0, REQUEST_MAX_ARGS, "[SERVICE...]", "Follow the directory again after a rollback", run_request, .word = "RESUME" },
    { "start", 0, 0, "", "Start zmconfigd", run_unit, .action = SERVICE_START },
    { "stop", 0, 0, "", "Stop zmconfigd", run_unit, .action = SERVICE_STOP },
    { "restart", 0, 0, "", "Restart zmconfigd", run_unit, .action = SERVICE_RESTART },
    { "reload", 0, 0, "", "Read templates again and look at everything", run_unit, .action = SERVICE_RELOAD },
    { "kill", 0, 0, "", "Same as stop: systemd kills what does not end", run_unit, .action = SERVICE_STOP },
};

static char *summary(void)
{
    GString *s = g_string_new("Verbs:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_autofree char *form = g_strconcat(verbs[i].name, " ", verbs[i].usage, NULL);
        g_string_append_printf(s, "  %-34s %s\n", form, verbs[i].help);
    }
    return g_string_free(s, FALSE);
}

/* Called as configrewrite, what the guide's scripts call: all words are services. */
static char **words_of(const char *program, char **words)
{
    g_autofree char *name = g_path_get_basename(program);
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    if (g_str_equal(name, "configrewrite"))
        g_strv_builder_add(b, "rewrite");
    if (words)
        g_strv_builder_addv(b, (const char **) words);
    return g_strv_builder_end(b);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = summary();
    g_autoptr(GOptionContext) context = g_option_context_new("VERB - see and steer the host's configuration");
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_description(context, text);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "zmconfigctl: %s; see --help\n", error->message);
        return EX_USAGE;
    }
    g_auto(GStrv) words = words_of(argv[0], arg_words);
    guint n = g_strv_length(words);
    for (size_t i = 0; n && i < G_N_ELEMENTS(verbs); i++) {
        if (!g_str_equal(verbs[i].name, words[0]))
            continue;
        if (n - 1 >= verbs[i].min && n - 1 <= verbs[i].max && (!arg_set || verbs[i].settings) && (!arg_server || verbs[i].run == run_render))
            return verbs[i].run(&verbs[i], words + 1);
        fprintf(stderr, "zmconfigctl: expected %s %s\n", verbs[i].name, verbs[i].usage);
        return EX_USAGE;
    }
    fprintf(stderr, "zmconfigctl: %s\n%s", n ? "unknown verb" : "no verb", text);
    return EX_USAGE;
}
