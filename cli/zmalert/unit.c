/* A unit that failed becomes job-failed with what its run wrote; a mark remembers
 * it until a run without error is told as job-ok. The mark outlives a reboot, as
 * the condition does that zmalertd keeps. */
#include "cli/zmalert/unit.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "lib/alert/alert.h"

#define MARKS PREFIX "/data/alerts/failed-units"

enum { OUTPUT_LINES = 40, LINE_BYTES = 400, WAIT_MS = 3000, QUIET_MS = 200 };

static char *field(sd_journal *journal, const char *name)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;
    if (sd_journal_get_data(journal, name, &data, &len) < 0 || len <= skip)
        return NULL;
    return g_strndup((const char *) data + skip, MIN(len - skip, LINE_BYTES));
}

/* Last lines of the run with the id RUN, or of the last one when it is NULL. */
static char *read_output(sd_journal *journal, const char *run)
{
    GString *out = g_string_new(NULL);
    g_autofree char *wanted = g_strdup(run);
    if (sd_journal_seek_tail(journal) < 0)
        return g_string_free(out, FALSE);
    for (int n = 0; n < OUTPUT_LINES && sd_journal_previous(journal) > 0; n++) {
        g_autofree char *id = field(journal, "_SYSTEMD_INVOCATION_ID"), *line = field(journal, "MESSAGE");
        if (!wanted)
            wanted = g_strdup(id);
        if (wanted && g_strcmp0(id, wanted) != 0)
            break;
        if (line) {
            g_string_prepend_c(out, '\n');
            g_string_prepend(out, line);
        }
    }
    return g_string_free(out, FALSE);
}

/* Waits until the journal gets nothing for QUIET_MS, or END. */
static void wait_quiet(sd_journal *journal, gint64 end_usec)
{
    int r = SD_JOURNAL_APPEND;
    while (r > 0 && g_get_monotonic_time() < end_usec)
        r = sd_journal_wait(journal, QUIET_MS * UINT64_C(1000));
}

/* A unit's last lines come to the journal by another way than the news of its end,
 * and may be later: some quiet is waited for, and longer while there are none. */
static char *output_of(const char *unit)
{
    sd_journal *journal = NULL;
    g_autofree char *match = g_strdup_printf("_SYSTEMD_UNIT=%s", unit);
    const char *run = g_getenv("MONITOR_INVOCATION_ID");
    char *out = g_strdup("");
    if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
        return out;
    gint64 end = g_get_monotonic_time() + WAIT_MS * G_TIME_SPAN_MILLISECOND;
    if (sd_journal_add_match(journal, match, 0) >= 0)
        do {
            wait_quiet(journal, end);
            g_free(out);
            out = read_output(journal, run);
        } while (!*out && g_get_monotonic_time() < end);
    sd_journal_close(journal);
    return out;
}

static char *mark_of(const char *unit)
{
    return strchr(unit, '/') || *unit == '.' ? NULL : g_build_filename(MARKS, unit, NULL);
}

int unit_failed(int argc, char **argv)
{
    g_autofree char *output = output_of(argv[0]), *mark = mark_of(argv[0]);
    const char *result = g_getenv("MONITOR_SERVICE_RESULT"), *status = g_getenv("MONITOR_EXIT_STATUS");
    g_autofree char *why = status ? g_strdup_printf("%s, status %s", result ? result : "failed", status)
                                  : g_strdup(result ? result : "failed");
    g_autoptr(GError) error = NULL;
    alert_raise("job-failed", "UNIT", argv[0], "RESULT", why, "OUTPUT", *output ? output : "(none)", NULL);
    if (mark && (g_mkdir_with_parents(MARKS, 0755) < 0 || !g_file_set_contents(mark, "", 0, &error))) {
        fprintf(stderr, "zmalert: %s: %s; the end of this failure will not be told\n", mark,
                error ? error->message : g_strerror(errno));
        return 1;
    }
    return 0;
}

int unit_ok(int argc, char **argv)
{
    g_autofree char *mark = mark_of(argv[0]);
    if (!mark || g_unlink(mark) < 0)
        return 0;       /* no failure was told */
    alert_raise("job-ok", "UNIT", argv[0], NULL);
    return 0;
}
