/* Showing keys in the forms that scripts read. */
#include "cli/zmlocalconfig/zmlocalconfig.h"

#define MASK "**********"

static char *shell_quoted(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, "'", -1);
    return g_strjoinv("'\"'\"'", parts);
}

static void show_plain(FILE *out, const char *key, const char *value)
{
    fprintf(out, "%s = %s\n", key, value);
}

static void show_xml(FILE *out, const char *key, const char *value)
{
    g_autofree char *text =
        g_markup_printf_escaped("  <key name=\"%s\">\n    <value>%s</value>\n  </key>\n", key, value);
    fputs(text, out);
}

/* A key of the file need not be a name that a shell takes. */
static bool is_shell_name(const char *key)
{
    return !strpbrk(key, ".-") && !g_ascii_isdigit(*key);
}

static void show_shell(FILE *out, const char *key, const char *value)
{
    g_autofree char *quoted = shell_quoted(value);
    if (is_shell_name(key))
        fprintf(out, "%s='%s';\n", key, quoted);
}

static void show_export(FILE *out, const char *key, const char *value)
{
    g_autofree char *quoted = shell_quoted(value);
    if (is_shell_name(key))
        fprintf(out, "export %s='%s';\n", key, quoted);
}

static void show_nokey(FILE *out, const char *key, const char *value)
{
    fprintf(out, "%s\n", value);
}

static const struct {
    const char *word, *head, *tail;
    void (*show)(FILE *out, const char *key, const char *value);
} formats[FORMATS] = {
    [FORMAT_PLAIN] = { "plain", "", "", show_plain },
    [FORMAT_XML] = { "xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<localconfig>\n", "</localconfig>\n",
                     show_xml },
    [FORMAT_SHELL] = { "shell", "", "", show_shell },
    [FORMAT_EXPORT] = { "export", "", "", show_export },
    [FORMAT_NOKEY] = { "nokey", "", "", show_nokey },
};

show_format show_format_of(const char *word)
{
    int f = 0;
    while (f < FORMATS && g_ascii_strcasecmp(word, formats[f].word) != 0)
        f++;
    return (show_format) f;
}

/* Allocated; NULL with ERROR when the value cannot be expanded. "" for none. */
static char *value_of(localconfig *lc, const show_options *o, const char *key, GError **error)
{
    const char *raw = o->defaults ? localconfig_default(key) : localconfig_get_raw(lc, key);
    if (raw && *raw && localconfig_is_secret(key) && !o->secrets)
        return g_strdup(MASK);
    if (o->expand && !o->defaults)
        return localconfig_expand(lc, key, error);
    return g_strdup(raw ? raw : "");
}

static bool has_changed(localconfig *lc, const char *key)
{
    const char *fallback = localconfig_default(key), *value = localconfig_get_raw(lc, key);
    return value && g_strcmp0(value, fallback) != 0;
}

static bool show_one(localconfig *lc, const show_options *o, const char *key, FILE *out, GError **error)
{
    if ((o->changed && !has_changed(lc, key)) || (o->info && !localconfig_is_supported(key)))
        return true;
    g_autofree char *value = value_of(lc, o, key, error);
    if (value)
        formats[o->format].show(out, key, value);
    return value != NULL;
}

bool show_keys(localconfig *lc, const show_options *o, char **keys, FILE *out, GError **error)
{
    g_auto(GStrv) all = *keys ? NULL : localconfig_keys(lc, false);
    bool ok = true;
    fputs(formats[o->format].head, out);
    for (char **k = all ? all : keys; ok && *k; k++) {
        bool there = localconfig_is_known(*k) || localconfig_get_raw(lc, *k);
        if (!there && !o->quiet)
            fprintf(stderr, "zmlocalconfig: warning: no such key: %s\n", *k);
        if (there)
            ok = show_one(lc, o, *k, out, error);
    }
    fputs(formats[o->format].tail, out);
    return ok;
}
