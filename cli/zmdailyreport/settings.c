/* Settings of the report: see zmdailyreport.h and templates/logger/logger.conf.in. */
#include "cli/zmdailyreport/zmdailyreport.h"

#define GROUP "report"

enum { MAX_ROWS = 100000, DEFAULT_ROWS = 25 };

static char *text_of(GKeyFile *file, const char *key, const char *fallback)
{
    g_autofree char *text = g_key_file_get_value(file, GROUP, key, NULL);
    return g_strdup(text && *g_strstrip(text) ? text : fallback);
}

static int number_of(GKeyFile *file, const char *key)
{
    g_autofree char *text = text_of(file, key, "25");
    guint64 n;
    if (g_ascii_string_to_unsigned(text, 10, 0, MAX_ROWS, &n, NULL))
        return (int) n;
    g_printerr("zmdailyreport: %s=%s is no number from 0 to %d, %d is taken\n", key, text, MAX_ROWS, DEFAULT_ROWS);
    return DEFAULT_ROWS;
}

settings *settings_load(const char *path)
{
    settings *s = g_new0(settings, 1);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        g_printerr("zmdailyreport: %s: %s; defaults are taken\n", path, error->message);
    g_autofree char *administrator = text_of(file, "administrator", NULL), *hosts = text_of(file, "smtp_hosts", "localhost");
    s->host = text_of(file, "host", g_get_host_name());
    s->destination = text_of(file, "destination", administrator);
    s->source = text_of(file, "source", administrator ? administrator : s->destination);
    s->smtp_hosts = g_strsplit_set(hosts, " ,", -1);
    s->smtp_port = text_of(file, "smtp_port", "25");
    s->max_senders = number_of(file, "max_senders");
    s->max_recipients = number_of(file, "max_recipients");
    return s;
}

void settings_free(settings *s)
{
    if (!s)
        return;
    g_free(s->host);
    g_free(s->source);
    g_free(s->destination);
    g_strfreev(s->smtp_hosts);
    g_free(s->smtp_port);
    g_free(s);
}
