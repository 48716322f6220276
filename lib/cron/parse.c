/* A file in crontab form: comments, environment, entries. Lines stand for
 * themselves: a bad one is a problem and the others count. */
#include "lib/cron/cron.h"

#include <string.h>

typedef struct {
    const char *name;
    unsigned line;
    char *title;
    char *zone;
    GPtrArray *environment;         /* char *, NAME=value */
    GPtrArray *entries, *problems;
} parser;

void cron_entry_free(cron_entry *e)
{
    if (!e)
        return;
    g_free(e->schedule);
    g_free(e->command);
    g_free(e->title);
    g_free(e->zone);
    g_strfreev(e->environment);
    g_free(e);
}

static void problem(parser *p, const char *text)
{
    g_ptr_array_add(p->problems, g_strdup_printf("%s:%u: %s", p->name, p->line, text));
}

/* What crontab -l calls a job: the last comment line with words in it. Lines of
 * capitals ("BACKUP BEGIN") are marks for programs. */
static void take_comment(parser *p, const char *line)
{
    while (*line == '#' || *line == ' ' || *line == '\t')
        line++;
    bool words = false;
    for (const char *c = line; *c; c++)
        words = words || g_ascii_islower(*c);
    if (!words)
        return;
    g_free(p->title);
    p->title = g_strndup(line, 200);
    char *valid = g_utf8_make_valid(p->title, -1);  /* the cut may have split a character */
    g_free(p->title);
    p->title = valid;
}

/* Start of the value when LINE is NAME=value. */
static const char *assignment(const char *line, char **ret_name)
{
    const char *end;
    size_t skip = 0;
    if (*line == '"' || *line == '\'') {
        end = strchr(line + 1, *line);
        if (!end)
            return NULL;
        skip = 1;
    } else {
        end = line + strcspn(line, "= \t");
    }
    const char *eq = end + skip + strspn(end + skip, " \t");
    if (*eq != '=')
        return NULL;
    *ret_name = g_strndup(line + skip, (size_t) (end - line) - skip);
    return eq + 1 + strspn(eq + 1, " \t");
}

static bool valid_name(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return n > 0 && n <= 128 && name[n] == '\0' && !g_ascii_isdigit(*name);
}

static char *unquote(const char *value)
{
    size_t len = strlen(value);
    bool quoted = len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value;
    return quoted ? g_strndup(value + 1, len - 2) : g_strdup(value);
}

static void set_zone(parser *p, const char *value)
{
    g_autoptr(GTimeZone) zone = *value ? g_time_zone_new_identifier(value) : NULL;
    bool plain = value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+-")] == '\0';
    if (*value && (!zone || !plain || g_ascii_isdigit(*value) || strchr("+-/", *value))) {
        problem(p, "CRON_TZ: there is no such time zone; a name like Europe/Berlin is wanted");
        return;
    }
    g_free(p->zone);
    p->zone = *value ? g_strdup(value) : NULL;
}

static void take_assignment(parser *p, const char *name, const char *value)
{
    g_autofree char *plain = unquote(value);
    if (!valid_name(name)) {
        problem(p, "is no entry, and no NAME=value: a name is letters, digits and _");
        return;
    }
    if (g_str_equal(name, "CRON_TZ")) {
        set_zone(p, plain);
        return;
    }
    if (g_str_equal(name, "SHELL") && !g_path_is_absolute(plain)) {
        problem(p, "SHELL: the path of a program is wanted");
        return;
    }
    g_autofree char *prefix = g_strconcat(name, "=", NULL);
    for (guint i = p->environment->len; i-- > 0; )
        if (g_str_has_prefix(p->environment->pdata[i], prefix))
            g_ptr_array_remove_index(p->environment, i);
    if (p->environment->len >= CRON_MAX_ENVIRONMENT) {
        problem(p, "too many variables");
        return;
    }
    g_ptr_array_add(p->environment, g_strconcat(prefix, plain, NULL));
}

static char **copy_environment(const GPtrArray *environment)
{
    char **copy = g_new0(char *, environment->len + 1);
    for (guint i = 0; i < environment->len; i++)
        copy[i] = g_strdup(environment->pdata[i]);
    return copy;
}

static void take_entry(parser *p, const char *line)
{
    g_autoptr(GError) error = NULL;
    const char *rest;
    cron_time when;
    if (!cron_time_parse(line, &rest, &when, &error)) {
        problem(p, error->message);
        return;
    }
    g_autofree char *shell = cron_command_shell(rest);
    if (!*g_strstrip(shell)) {
        problem(p, "command: is missing; it follows the time");
        return;
    }
    if (p->entries->len >= CRON_MAX_ENTRIES) {
        problem(p, "too many entries in one file; the rest is left out");
        return;
    }
    cron_entry *e = g_new0(cron_entry, 1);
    e->line = p->line;
    e->when = when;
    e->schedule = g_strchomp(g_strndup(line, (size_t) (rest - line)));
    e->command = g_strdup(rest);
    e->title = g_strdup(p->title);
    e->zone = g_strdup(p->zone);
    e->environment = copy_environment(p->environment);
    g_ptr_array_add(p->entries, e);
}

static const char *unfit(const char *line, size_t len)
{
    if (len > CRON_MAX_LINE)
        return "the line is too long";
    if (len > 0 && line[len - 1] == '\r')
        return "ends in a carriage return; save the file with Unix line ends";
    if (!g_utf8_validate(line, (gssize) len, NULL))
        return "is not UTF-8";
    for (size_t i = 0; i < len; i++)
        if (g_ascii_iscntrl(line[i]) && line[i] != '\t')
            return "has a control character";
    return NULL;
}

static void take_line(parser *p, const char *bytes, size_t len)
{
    const char *why = unfit(bytes, len);
    if (why) {
        problem(p, why);
        return;
    }
    g_autofree char *line = g_strstrip(g_strndup(bytes, len));
    g_autofree char *name = NULL;
    if (*line == '\0')
        return;
    if (*line == '#') {
        take_comment(p, line);
        return;
    }
    const char *value = assignment(line, &name);
    if (value)
        take_assignment(p, name, value);
    else
        take_entry(p, line);
}

void cron_parse(const char *name, const char *text, size_t len, GPtrArray *entries, GPtrArray *problems)
{
    parser p = { .name = name, .entries = entries, .problems = problems,
                 .environment = g_ptr_array_new_with_free_func(g_free) };
    if (len > CRON_MAX_BYTES) {
        p.line = 1;
        problem(&p, "the file is too long and is left out");
        len = 0;
    }
    for (const char *at = text, *end = text + len; at < end; ) {
        const char *nl = memchr(at, '\n', (size_t) (end - at));
        const char *stop = nl ? nl : end;
        p.line++;
        take_line(&p, at, (size_t) (stop - at));
        at = nl ? nl + 1 : end;
    }
    g_ptr_array_unref(p.environment);
    g_free(p.title);
    g_free(p.zone);
}

/* First '%' that no '\' stands before. */
static const char *split(const char *command)
{
    for (const char *p = command; *p; p++) {
        if (p[0] == '\\' && p[1] == '%')
            p++;
        else if (*p == '%')
            return p;
    }
    return NULL;
}

static void append_plain(GString *to, const char *from, size_t len, char percent)
{
    for (size_t i = 0; i < len; i++) {
        if (from[i] == '\\' && i + 1 < len && from[i + 1] == '%')
            g_string_append_c(to, from[++i]);
        else
            g_string_append_c(to, from[i] == '%' ? percent : from[i]);
    }
}

char *cron_command_shell(const char *command)
{
    const char *end = split(command);
    GString *s = g_string_new(NULL);
    append_plain(s, command, end ? (size_t) (end - command) : strlen(command), '%');
    return g_string_free(s, FALSE);
}

char *cron_command_input(const char *command)
{
    const char *start = split(command);
    if (!start)
        return NULL;
    GString *s = g_string_new(NULL);
    append_plain(s, start + 1, strlen(start + 1), '\n');
    g_string_append_c(s, '\n');
    return g_string_free(s, FALSE);
}
