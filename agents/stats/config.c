/* Reading of stats.conf: see config.h. */
#include "agents/stats/config.h"

#define GROUP "stats"

enum { DAY_S = 86400 };

static const struct { const char *key; size_t offset; guint64 min, max; unsigned fallback; } numbers[] = {
    { "interval", offsetof(stats_config, interval_s), 1, 3600, 30 },
    { "disk_interval", offsetof(stats_config, disk_interval_s), 1, DAY_S, 600 },
    { "max_retention", offsetof(stats_config, retention_days), 0, 36500, 0 },
};

static void read_numbers(stats_config *c, GKeyFile *file, GString *problems)
{
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *text = g_key_file_get_string(file, GROUP, numbers[i].key, NULL);
        guint64 v = numbers[i].fallback;
        if (text && *g_strstrip(text) && !g_ascii_string_to_unsigned(text, 10, numbers[i].min, numbers[i].max, &v, NULL))
            g_string_append_printf(problems, "%s=%s is not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", %u is taken; ",
                                   numbers[i].key, text, numbers[i].min, numbers[i].max, numbers[i].fallback);
        *(unsigned *) (void *) ((char *) c + numbers[i].offset) = (unsigned) v;
    }
}

stats_config *stats_config_load(const char *path, char **ret_problem)
{
    stats_config *c = g_new0(stats_config, 1);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    GString *problems = g_string_new(NULL);
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        g_string_append_printf(problems, "%s, defaults are taken; ", error->message);
    read_numbers(c, file, problems);
    c->folder = g_key_file_get_string(file, GROUP, "directory", NULL);
    if (c->folder && *c->folder && !g_path_is_absolute(c->folder))
        g_string_append_printf(problems, "directory=%s is not an absolute path; ", c->folder);
    if (!c->folder || !g_path_is_absolute(c->folder)) {
        g_free(c->folder);
        c->folder = g_strdup(PREFIX "/zmstat");
    }
    g_autofree char *excludes = g_key_file_get_string(file, GROUP, "disk_excludes", NULL);
    c->disk_excludes = g_strsplit(excludes ? excludes : "", ":", -1);
    *ret_problem = g_string_free(problems, problems->len == 0);
    return c;
}

void stats_config_free(stats_config *c)
{
    if (!c)
        return;
    g_free(c->folder);
    g_strfreev(c->disk_excludes);
    g_free(c);
}
