/* See config.h. */
#include "agents/snmp/config.h"

#define SECTION "snmpagent"

static gint64 percent_of(GKeyFile *file, const char *key, gint64 fallback, GString *problems)
{
    g_autofree char *text = g_key_file_get_string(file, SECTION, key, NULL);
    guint64 number;
    if (!text || !*text)
        return fallback;
    if (g_ascii_string_to_unsigned(text, 10, 1, 100, &number, NULL))
        return (gint64) number;
    g_string_append_printf(problems, "%s=%s is not a number from 1 to 100, %d is taken; ", key, text, (int) fallback);
    return fallback;
}

static bool truth_of(GKeyFile *file, const char *key, bool fallback, GString *problems)
{
    static const struct { const char *word; bool truth; } words[] = {
        { "yes", true }, { "true", true }, { "1", true }, { "no", false }, { "false", false }, { "0", false },
    };
    g_autofree char *text = g_key_file_get_string(file, SECTION, key, NULL);
    if (!text || !*text)
        return fallback;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(words[i].word, text) == 0)
            return words[i].truth;
    g_string_append_printf(problems, "%s=%s is neither yes nor no, %s is taken; ", key, text, fallback ? "yes" : "no");
    return fallback;
}

snmpagent_config *snmpagent_config_load(const char *path, char **ret_problem)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        g_string_append_printf(problems, "%s, defaults are taken; ", error->message);
    snmpagent_config *c = g_new0(snmpagent_config, 1);
    g_autofree char *excludes = g_key_file_get_string(file, SECTION, "disk_excludes", NULL);
    c->host = g_key_file_get_string(file, SECTION, "host", NULL);
    if (!c->host || !*c->host) {
        g_free(c->host);
        c->host = g_strdup(g_get_host_name());
    }
    c->notify = truth_of(file, "notify", true, problems);
    c->disk_warn = percent_of(file, "disk_warn", 85, problems);
    c->disk_critical = percent_of(file, "disk_critical", 95, problems);
    c->disk_excludes = g_strsplit(excludes ? excludes : "", ":", -1);
    *ret_problem = problems->len ? g_string_free(g_steal_pointer(&problems), FALSE) : NULL;
    return c;
}

void snmpagent_config_free(snmpagent_config *c)
{
    if (!c)
        return;
    g_free(c->host);
    g_strfreev(c->disk_excludes);
    g_free(c);
}
