/* Reading of alerts.conf: see config.h. */
#include "agents/alerts/config.h"

#define GROUP "alerts"

/* Caller frees; NULL when empty. */
static char *text_of(GKeyFile *file, const char *key)
{
    g_autofree char *text = g_key_file_get_string(file, GROUP, key, NULL);
    return text && *g_strstrip(text) ? g_steal_pointer(&text) : NULL;
}

static guint number_of(GKeyFile *file, const char *key, guint fallback, guint min, guint max, GString *problems)
{
    g_autofree char *text = text_of(file, key);
    guint64 number = fallback;
    if (text && !g_ascii_string_to_unsigned(text, 10, min, max, &number, NULL))
        g_string_append_printf(problems, "%s=%s is not a number from %u to %u, %u is taken; ", key, text, min, max, fallback);
    return (guint) number;
}

static char **list_of(GKeyFile *file, const char *key, const char *separators)
{
    g_autofree char *text = text_of(file, key);
    g_auto(GStrv) parts = g_strsplit_set(text ? text : "", separators, -1);
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    for (size_t i = 0; parts[i]; i++)
        if (*g_strstrip(parts[i]))
            g_ptr_array_add(list, g_strdup(parts[i]));
    g_ptr_array_add(list, NULL);
    return (char **) g_ptr_array_steal(list, NULL);
}

static bool is_no(const char *text)
{
    static const char *const no[] = { "no", "false", "0", "off", NULL };
    g_autofree char *lower = g_ascii_strdown(text ? text : "", -1);
    return g_strv_contains(no, lower);
}

static void read_numbers(alerts_config *c, GKeyFile *file, GString *problems)
{
    static const struct { const char *key; guint fallback; } thresholds[WINDOW_KINDS] = {
        [WINDOW_IP_ACCOUNT] = { "threshold_ip_account", 10 }, [WINDOW_ACCOUNT] = { "threshold_account", 15 },
        [WINDOW_IP] = { "threshold_ip", 20 }, [WINDOW_TOTAL] = { "threshold_total", 1000 },
    };
    for (int k = 0; k < WINDOW_KINDS; k++)
        c->thresholds[k] = number_of(file, thresholds[k].key, thresholds[k].fallback, 1, WINDOWS_MAX_EVENTS, problems);
    c->window_s = number_of(file, "window", 60, 1, 86400, problems);
    c->disk_warn = number_of(file, "disk_warn", 85, 1, 100, problems);
    c->disk_critical = number_of(file, "disk_critical", 95, 1, 100, problems);
}

alerts_config *alerts_config_load(const char *path, char **problem)
{
    alerts_config *c = g_new0(alerts_config, 1);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    GString *problems = g_string_new(NULL);
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        g_string_append_printf(problems, "%s, defaults are taken; ", error->message);
    g_autofree char *notify = text_of(file, "notify");
    c->notify = !is_no(notify);
    c->host = text_of(file, "host");
    if (!c->host)
        c->host = g_strdup(g_get_host_name());
    g_autofree char *administrator = text_of(file, "administrator");
    c->destination = text_of(file, "destination");
    if (!c->destination)
        c->destination = g_strdup(administrator);
    c->abuse_destination = text_of(file, "abuse_destination");
    c->source = text_of(file, "source");
    if (!c->source)
        c->source = g_strdup(administrator ? administrator : c->destination);
    c->smtp_hosts = list_of(file, "smtp_hosts", " ,");
    if (!c->smtp_hosts[0]) {
        g_strfreev(c->smtp_hosts);
        c->smtp_hosts = g_strsplit("localhost", " ", -1);
    }
    c->smtp_port = text_of(file, "smtp_port");
    if (!c->smtp_port)
        c->smtp_port = g_strdup("25");
    c->disk_excludes = list_of(file, "disk_excludes", ":");
    read_numbers(c, file, problems);
    char *text = g_string_free(problems, problems->len == 0);
    if (problem)
        *problem = text;
    else
        g_free(text);
    return c;
}

void alerts_config_free(alerts_config *c)
{
    if (!c)
        return;
    g_free(c->host);
    g_free(c->source);
    g_free(c->destination);
    g_free(c->abuse_destination);
    g_strfreev(c->smtp_hosts);
    g_free(c->smtp_port);
    g_strfreev(c->disk_excludes);
    g_free(c);
}
