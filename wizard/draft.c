/* The answers of the interactive front ends: see draft.h. */
#include "wizard/draft.h"

#include <errno.h>
#include <unistd.h>

#include "lib/tls/tls.h"

struct draft {
    char *path;
    GKeyFile *file;
};

draft *draft_open(const char *path)
{
    draft *d = g_new0(draft, 1);
    d->path = g_strdup(path);
    d->file = g_key_file_new();
    (void) g_key_file_load_from_file(d->file, path, G_KEY_FILE_NONE, NULL);     /* else it stays empty */
    return d;
}

void draft_free(draft *d)
{
    if (!d)
        return;
    g_free(d->path);
    g_key_file_unref(d->file);
    g_free(d);
}

static char *text_of(GKeyFile *file, gsize *len)
{
    return g_key_file_to_data(file, len, NULL);
}

bool draft_is_empty(const draft *d)
{
    gsize n;
    g_auto(GStrv) sections = g_key_file_get_groups(d->file, &n);
    return n == 0;
}

char *draft_get(const draft *d, const char *section, const char *key)
{
    return g_key_file_get_value(d->file, section, key, NULL);
}

/* "[admin] address = "x" is not valid; allowed: …": what is said to who just typed it. */
static char *reason_in(const char *problem)
{
    const char *allowed = strstr(problem, "allowed: ");
    const char *plain = strstr(problem, ": ");
    if (allowed)
        return g_strdup_printf("Wanted: %s", allowed + strlen("allowed: "));
    return g_strdup(plain ? plain + 2 : problem);
}

char *draft_check(const draft *d, const char *section, const char *key, const char *value)
{
    gsize len;
    if (strpbrk(value, "\r\n"))
        return g_strdup("Wanted: one line");
    if (g_ascii_isspace(*value) || (*value && g_ascii_isspace(value[strlen(value) - 1])))
        return g_strdup("Wanted: no blank at its start or end");
    g_autofree char *text = text_of(d->file, &len), *head = g_strdup_printf("[%s] %s", section, key);
    g_autoptr(GKeyFile) trial = g_key_file_new();
    (void) g_key_file_load_from_data(trial, text, len, G_KEY_FILE_NONE, NULL);  /* our own text: it parses */
    if (*value)
        g_key_file_set_value(trial, section, key, value);
    else
        (void) g_key_file_remove_key(trial, section, key, NULL);                /* may be absent */
    g_auto(GStrv) problems = answers_problems(trial);
    for (char **p = problems; *p; p++)
        if (g_str_has_prefix(*p, head))
            return reason_in(*p);
    return NULL;
}

static bool save(draft *d, GError **error)
{
    g_autofree char *text = text_of(d->file, NULL);
    return tls_write_file(d->path, text, 0600, (gid_t) -1, error);
}

bool draft_set(draft *d, const char *section, const char *key, const char *value, GError **error)
{
    g_autofree char *old = draft_get(d, section, key);
    if (g_strcmp0(old ? old : "", value) == 0)
        return true;                        /* the file, and so its digest, stays */
    if (*value)
        g_key_file_set_value(d->file, section, key, value);
    else
        (void) g_key_file_remove_key(d->file, section, key, NULL);
    return save(d, error);
}

answers *draft_finish(const draft *d, GError **error)
{
    gsize len;
    g_autofree char *text = text_of(d->file, &len);
    return answers_parse(text, len, error);
}

bool draft_remove(draft *d, GError **error)
{
    if (unlink(d->path) == 0 || errno == ENOENT)
        return true;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: cannot remove: %s", d->path, g_strerror(errno));
    return false;
}
