/* Prepare and validate commands of the actions table, and the checks that are
 * built in. A command is one program with arguments, never a shell. */
#include "configd/validate.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configd/command.h"

G_DEFINE_QUARK(mailstead-validate-error-quark, validate_error)

static bool check_exists(const candidate *c, char **args, GError **error)
{
    for (; *args; args++)
        if (access(*args, F_OK) < 0) {
            g_set_error(error, VALIDATE_ERROR, 0, "%s: %s", *args, g_strerror(errno));
            return false;
        }
    return true;
}

static const struct { const char *name; validate_check check; } checks[] = {
    { "postfix", check_postfix },
    { "exists", check_exists },
};

/* %d, %l, %t and %% of the table's commands. */
static char *expand(const candidate *c, const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text; text++) {
        if (*text != '%' || !text[1]) {
            g_string_append_c(out, *text);
            continue;
        }
        switch (*++text) {
        case 'd': g_string_append(out, c->candidate); break;
        case 'l': g_string_append(out, c->live); break;
        case 't': g_string_append(out, c->scratch); break;
        case '%': g_string_append_c(out, '%'); break;
        default: g_string_append_printf(out, "%%%c", *text);
        }
    }
    return g_string_free(out, FALSE);
}

static char **split(const candidate *c, const char *line, GError **error)
{
    g_auto(GStrv) words = NULL;
    int n;
    if (!g_shell_parse_argv(line, &n, &words, error)) {
        g_prefix_error(error, "actions table, command \"%s\": ", line);
        return NULL;
    }
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (char **w = words; *w; w++) {
        g_autofree char *word = expand(c, *w);
        g_strv_builder_add(b, word);
    }
    return g_strv_builder_end(b);
}

/* The last lines a program said, in one. */
static char *last_words(const command_result *r)
{
    const char *text = *r->err ? r->err : r->out;
    g_autofree char *copy = g_strstrip(g_strdup(text));
    size_t len = strlen(copy);
    const char *from = len > 600 ? copy + len - 600 : copy;
    while (from > copy && (*from & 0xc0) == 0x80)
        from++;
    g_auto(GStrv) lines = g_strsplit(from, "\n", -1);
    return g_strjoinv("; ", lines);
}

static bool run(const candidate *c, const char *line, bool validating, GError **error)
{
    g_auto(GStrv) argv = split(c, line, error);
    if (!argv)
        return false;
    g_autofree char *mail_config = g_strconcat("MAIL_CONFIG=", c->candidate, NULL);
    char *envp[] = { mail_config, (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "LC_ALL=C", NULL };
    command cmd = {
        .argv = argv, .envp = envp, .timeout_s = c->folder->validate_timeout_s,
        .user = validating ? c->folder->validate_user : NULL,
    };
    g_auto(command_result) r = { 0 };
    if (!command_run(&cmd, &r, error))
        return false;
    bool complained = validating && c->folder->refuse_stderr && *r.err;
    if (!r.timed_out && r.status == 0 && !complained)
        return true;
    g_autofree char *words = last_words(&r);
    if (r.timed_out)
        g_set_error(error, VALIDATE_ERROR, 0, "%s gave no answer in %u s", argv[0], cmd.timeout_s);
    else
        g_set_error(error, VALIDATE_ERROR, 0, "%s (exit %d): %s", argv[0], r.status, words);
    return false;
}

static bool run_check(const candidate *c, const char *line, GError **error)
{
    g_auto(GStrv) words = split(c, line, error);
    if (!words)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
        if (g_str_equal(checks[i].name, words[0]))
            return checks[i].check(c, words + 1, error);
    g_set_error(error, VALIDATE_ERROR, 0, "actions table, [%s]: no check named %s", c->folder->name, words[0]);
    return false;
}

static bool remove_scratch(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (unlink(child) < 0 && (errno == EISDIR || errno == EPERM))
            remove_scratch(child);
    }
    return rmdir(path) == 0;
}

static bool run_all(const generation_store *s, const plan_folder *folder, int n, char **lines, bool validating, GError **error)
{
    if (!*lines)
        return true;
    g_autofree char *dir = generation_path(s, folder->name, n);
    g_autofree char *live = g_build_filename(s->l->conf, folder->name, NULL);
    g_autofree char *scratch = g_build_filename(s->l->run, "check-XXXXXX", NULL);
    candidate c = { .store = s, .folder = folder, .candidate = dir, .live = live, .scratch = scratch };
    bool ok = true;

    if (!g_mkdtemp_full(scratch, 0700)) {
        g_set_error(error, VALIDATE_ERROR, 0, "%s: %s", scratch, g_strerror(errno));
        return false;
    }
    for (char **l = lines; *l && ok; l++)
        ok = validating && g_str_has_prefix(*l, "check:") ? run_check(&c, *l + strlen("check:"), error)
                                                          : run(&c, *l, validating, error);
    remove_scratch(scratch);
    return ok;
}

bool validate_prepare(const generation_store *s, const plan_folder *folder, int n, GError **error)
{
    return run_all(s, folder, n, folder->prepare, false, error);
}

bool validate_candidate(const generation_store *s, const plan_folder *folder, int n, GError **error)
{
    return run_all(s, folder, n, folder->validate, true, error);
}
