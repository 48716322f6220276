/* Commands from a file, from stdin, or typed with history and completion; help,
 * exit and flushCache. History stays in memory: lines can hold passwords. */
#include <errno.h>
#include <stdio.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <unistd.h>

#include "cli/zmprov/handlers.h"
#include "cli/zmprov/tokens.h"
#include "lib/schema/schema.h"

#define PROMPT "prov> "

void report_error(const GError *error)
{
    fflush(stdout);
    fprintf(stderr, "ERROR: %s (%s)\n", directory_error_name(error), error->message);
}

/* 0 or 1, the number of failures. */
static int run_line(session *s, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = tokens_split(line, &error);
    if (words && !*words)
        return 0;
    if (words && command_run(s, (int) g_strv_length(words), words, &error)) {
        fflush(stdout);
        return 0;
    }
    report_error(error);
    return 1;
}

static int run_stream(session *s, FILE *f, const char *prompt)
{
    char *line = NULL;
    size_t room = 0;
    int failures = 0;
    ssize_t n;
    while (!s->quit) {
        fputs(prompt, stdout);
        fflush(stdout);
        if ((n = getline(&line, &room, f)) < 0)
            break;
        line[strcspn(line, "\r\n")] = 0;
        failures += run_line(s, line);
    }
    free(line);
    return failures;
}

int run_file(session *s, const char *path)
{
    FILE *f = g_str_equal(path, "-") ? stdin : fopen(path, "re");
    if (!f) {
        fprintf(stderr, "ERROR: service.FAILURE (cannot read %s: %s)\n", path, g_strerror(errno));
        return 1;
    }
    int failures = run_stream(s, f, "");
    if (f != stdin)
        (void) fclose(f); /* only read from */
    return failures;
}

/* ---- the prompt ---- */

static char *next_command(const char *text, int state)
{
    static size_t i;
    size_t n;
    const command *all = command_table(&n);
    for (i = state ? i : 0; i < n; )
        if (g_ascii_strncasecmp(all[i++].name, text, strlen(text)) == 0)
            return strdup(all[i - 1].name);
    return NULL;
}

/* Names of attributes, with the sign that was typed. */
static char *next_attr(const char *text, int state)
{
    static size_t i;
    size_t n, sign = *text == '+' || *text == '-';
    const attr_def *all = schema_attrs(&n);
    for (i = state ? i : 0; i < n; i++)
        if (g_ascii_strncasecmp(all[i].name, text + sign, strlen(text) - sign) == 0) {
            g_autofree char *found = g_strdup_printf("%.*s%s", (int) sign, text, all[i++].name);
            return strdup(found);
        }
    return NULL;
}

static char **complete(const char *text, int start, int end)
{
    rl_attempted_completion_over = 1;
    return rl_completion_matches(text, start == 0 ? next_command : next_attr);
}

int run_interactive(session *s)
{
    if (!isatty(STDIN_FILENO))
        return run_stream(s, stdin, PROMPT);
    static char breaks[] = " \t\"'";
    rl_readline_name = "zmprov";
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = breaks;
    while (!s->quit) {
        char *line = readline(PROMPT);
        if (!line) {
            printf("\n");
            break;
        }
        if (*line)
            add_history(line);
        (void) run_line(s, line); /* the user has seen it */
        free(line);
    }
    return 0;
}

/* ---- commands ---- */

HANDLER(run_exit)
{
    s->quit = true;
    return true;
}

static void print_category(command_category category)
{
    size_t n;
    const command *all = command_table(&n);
    for (size_t i = 0; i < n; i++)
        if (category == CATEGORY_COMMANDS || all[i].category == category)
            printf("  %s(%s) %s\n", all[i].name, all[i].alias, all[i].usage);
}

HANDLER(run_help)
{
    if (argc == 0) {
        printf("Commands are in these categories:\n\n");
        for (int i = 0; i < CATEGORIES; i++)
            printf("  help %s\n", category_word((command_category) i));
        return true;
    }
    for (int i = 0; i < CATEGORIES; i++)
        if (g_ascii_strcasecmp(argv[0], category_word((command_category) i)) == 0) {
            print_category((command_category) i);
            return true;
        }
    const command *about = command_find(argv[0]);
    if (!about)
        return invalid(error, "help has nothing on %s", argv[0]);
    printf("  %s(%s) %s\n", about->name, about->alias, about->usage);
    return true;
}

/* Whether anything of this system caches a type, and what it holds. */
static const struct { const char *type; bool of_directory; } cache_types[] = {
    { "account", true }, { "acl", true }, { "all", true }, { "config", true }, { "cos", true }, { "domain", true },
    { "galgroup", true }, { "globalgrant", true }, { "group", true }, { "license", false }, { "locale", false },
    { "mime", true }, { "server", true }, { "skin", false }, { "uistrings", false }, { "zimlet", false },
};

HANDLER(run_flush_cache)
{
    (void) take_flag(&argc, &argv, "-a"); /* all servers: see below */
    if (argc == 0)
        return usage_error(c, error);
    g_auto(GStrv) types = g_strsplit(argv[0], ",", -1);
    for (char **t = types; *t; t++) {
        size_t i = 0;
        while (i < G_N_ELEMENTS(cache_types) && g_ascii_strcasecmp(*t, cache_types[i].type) != 0)
            i++;
        if (i == G_N_ELEMENTS(cache_types))
            return invalid(error, "no such type of cache: %s", *t);
        fprintf(stderr, cache_types[i].of_directory
                ? "%s: nothing to do: every server drops changed entries when the directory reports the change\n"
                : "%s: nothing to do: no server caches these\n", *t);
    }
    if (s->reader)
        directory_flush(s->reader);
    return true;
}
