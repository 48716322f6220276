/* The block of crontab -l: the system's files one after the other, with a comment
 * above each entry that does not run or runs at another time. */
#include "cli/crontab/crontab.h"

#include <string.h>

#include "lib/cron/cron.h"
#include "lib/service/service.h"

static const cron_job *job_at(const cron_schedule *s, const cron_file *file, unsigned line)
{
    for (guint i = 0; i < s->jobs->len; i++) {
        const cron_job *job = s->jobs->pdata[i];
        if (job->file == file && job->entry->line == line)
            return job;
    }
    return NULL;
}

static void append_state(GString *out, const cron_job *job)
{
    if (!job->installed) {
        g_autofree char *program = cron_command_program(job->entry->command);
        g_string_append_printf(out, "# (does not run: %s is not part of this release)\n", program);
    } else if (job->moved && job->moved->when.kind == CRON_NEVER) {
        g_string_append(out, "# (does not run: switched off by this site, see below)\n");
    } else if (job->moved) {
        g_string_append_printf(out, "# (runs at %s on this site, see below)\n", job->moved->schedule);
    }
}

static void append_file(GString *out, const cron_schedule *s, const cron_file *file)
{
    g_autofree char *path = g_build_filename(CRON_SYSTEM_FOLDER, file->name, NULL), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;     /* a release without that file */
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        const cron_job *job = job_at(s, file, i + 1);
        if (job)
            append_state(out, job);
        if (*lines[i] || lines[i + 1])
            g_string_append_printf(out, "%s\n", lines[i]);
    }
}

char *block_text(void)
{
    size_t n;
    const cron_file *files = cron_files(&n);
    g_auto(GStrv) enabled = service_get_enabled(NULL);  /* not set up: what runs on every host */
    static const char *const none[] = { NULL };
    const char *const *names = enabled ? (const char *const *) enabled : none;
    g_autoptr(cron_schedule) s = cron_schedule_load(CRON_SYSTEM_FOLDER, CRON_SITE_FOLDER, names);
    GString *out = g_string_new(BLOCK_START "\n");
    for (size_t i = 0; i < n; i++)
        if (cron_file_applies(&files[i], names))
            append_file(out, s, &files[i]);
    g_string_append(out, BLOCK_END "\n");
    return g_string_free(out, FALSE);
}

char *without_block(const char *text, GError **error)
{
    const char *start = strstr(text, BLOCK_START "\n"), *end = strstr(text, BLOCK_END);
    if (!start && !end)
        return g_strdup(text);
    g_autofree char *block = block_text();
    if (!start || !end || !g_str_has_prefix(start, block)) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX, "the block between ZIMBRASTART and ZIMBRAEND was changed; it belongs to "
                    "the system. To give one of its jobs another time, write a line with the new time and the same command "
                    "outside of the block; @never instead of a time switches it off");
        return NULL;
    }
    const char *rest = start + strlen(block);
    g_autofree char *before = g_strndup(text, (size_t) (start - text));
    return g_strconcat(before, rest, NULL);
}
