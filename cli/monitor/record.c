/* See record.h. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "cli/monitor/record.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static void add(GArray *iov, const char *name, const char *value)
{
    char *s = g_strdup_printf("%s=%s", name, value);
    struct iovec v = { .iov_base = s, .iov_len = strlen(s) };
    g_array_append_val(iov, v);
}

void monitor_record(bool print, int facility, const char *text, const char *const *fields)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *when = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    g_autofree char *pid = g_strdup_printf("%d", (int) getpid());
    g_autofree char *message = g_strdup_printf("%s:info: %s, %s", pid, when, text);
    if (print) {
        printf("%s\n", message);
        return;
    }
    g_autoptr(GArray) iov = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    g_autofree char *number = g_strdup_printf("%d", facility);
    add(iov, "MESSAGE", message);
    add(iov, "PRIORITY", "6");
    add(iov, "SYSLOG_FACILITY", number);
    add(iov, "SYSLOG_IDENTIFIER", "zimbramon");
    add(iov, "SYSLOG_PID", pid);
    for (size_t i = 0; fields[i]; i += 2)
        add(iov, fields[i], fields[i + 1]);
    if (sd_journal_sendv((struct iovec *) (void *) iov->data, (int) iov->len) < 0)
        fprintf(stderr, "the journal does not take: %s\n", message);
    for (guint i = 0; i < iov->len; i++)
        g_free(g_array_index(iov, struct iovec, i).iov_base);
}
