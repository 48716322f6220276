/* Any bytes are a crontab with problems; what is an entry has bits within its
 * fields, calendars, and a time that reads back equal. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "lib/cron/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const cron_entry *e)
{
    const char *rest;
    cron_time again;
    GError *error = NULL;
    g_assert(cron_time_parse(e->schedule, &rest, &again, &error));
    g_assert(*rest == '\0' && memcmp(&again.minutes, &e->when.minutes, sizeof again.minutes) == 0 && again.kind == e->when.kind);
    char **calendars = cron_time_calendars(&e->when, e->zone);
    if (e->when.kind == CRON_CALENDAR) {
        g_assert(e->when.minutes && !(e->when.minutes >> 60) && e->when.hours && !(e->when.hours >> 24));
        g_assert(e->when.days && !(e->when.days & 1) && e->when.months && !(e->when.months & 1) && !(e->when.months >> 13));
        g_assert(e->when.weekdays && !(e->when.weekdays >> 7) && calendars[0]);
    }
    char *shell = cron_command_shell(e->command), *input = cron_command_input(e->command);
    char **paths = cron_command_paths(e->command), *program = cron_command_program(e->command);
    g_assert(*shell && !strchr(shell, '\n') && (!e->title || g_utf8_validate(e->title, -1, NULL)));
    g_free(shell);
    g_free(input);
    g_free(program);
    g_strfreev(paths);
    g_strfreev(calendars);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify) cron_entry_free);
    GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
    cron_parse("x", (const char *) data, size, entries, problems);
    for (guint i = 0; i < entries->len; i++)
        check(entries->pdata[i]);
    g_ptr_array_unref(entries);
    g_ptr_array_unref(problems);
    return 0;
}
