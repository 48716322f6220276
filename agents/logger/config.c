/* See config.h. */
#include "agents/logger/config.h"

#define GROUP "logger"

static char *text_of(GKeyFile *file, const char *key)
{
    char *text = g_key_file_get_value(file, GROUP, key, NULL);
    return text ? g_strstrip(text) : NULL;
}

/* Directory durations: a number and s, m, h or d. */
static gint64 duration_of(GKeyFile *file, const char *key, gint64 fallback_s, GString *problems)
{
    static const struct { char unit; gint64 s; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    g_autofree char *text = text_of(file, key);
    char *end = NULL;
    if (!text || !*text)
        return fallback_s;
    guint64 n = g_ascii_strtoull(text, &end, 10);
    for (size_t i = 0; end != text && i < G_N_ELEMENTS(units); i++)
        if (n > 0 && n < 100000000 && ((end[0] == units[i].unit && !end[1]) || (!end[0] && i == 0)))
            return (gint64) n * units[i].s;
    g_string_append_printf(problems, "%s=%s is no duration (like 31d), %" G_GINT64_FORMAT " s is taken; ", key, text, fallback_s);
    return fallback_s;
}

static unsigned number_of(GKeyFile *file, const char *key, unsigned fallback, unsigned max, GString *problems)
{
    g_autofree char *text = text_of(file, key);
    guint64 n;
    if (!text || !*text)
        return fallback;
    if (g_ascii_string_to_unsigned(text, 10, 1, max, &n, NULL))
        return (unsigned) n;
    g_string_append_printf(problems, "%s=%s is no number from 1 to %u, %u is taken; ", key, text, max, fallback);
    return fallback;
}

logger_config logger_config_load(const char *path, char **problem)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    GString *problems = g_string_new(NULL);
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        g_string_append_printf(problems, "%s: %s, defaults are taken; ", path, error->message);
    g_autofree char *syslog = text_of(file, "log_to_syslog");
    logger_config c = {
        .log_to_syslog = syslog && (g_ascii_strcasecmp(syslog, "true") == 0 || g_ascii_strcasecmp(syslog, "yes") == 0),
        .keep_days = number_of(file, "keep_days", 8, 3650, problems),
        .raw_lifetime_s = duration_of(file, "raw_lifetime", 31 * 86400, problems),
        .summary_lifetime_s = duration_of(file, "summary_lifetime", 730 * 86400, problems),
    };
    char *text = g_string_free(problems, problems->len == 0);
    if (problem)
        *problem = text;
    else
        g_free(text);
    return c;
}
