/* See entry.h. The buffers are kept from entry to entry. */
#include "agents/logger/entry.h"

#include <string.h>
#include <syslog.h>

static const char *const names[ENTRY_FIELDS] = {
    [FIELD_MESSAGE] = "MESSAGE", [FIELD_IDENT] = "SYSLOG_IDENTIFIER", [FIELD_PID] = "_PID", [FIELD_SYSLOG_PID] = "SYSLOG_PID",
    [FIELD_PRIORITY] = "PRIORITY", [FIELD_FACILITY] = "SYSLOG_FACILITY", [FIELD_UNIT] = "_SYSTEMD_UNIT", [FIELD_UID] = "_UID",
    [FIELD_EXE] = "_EXE", [FIELD_COMM] = "_COMM", [FIELD_HOST] = "_HOSTNAME", [FIELD_AUDIT] = "AUDIT", [FIELD_RESULT] = "RESULT",
    [FIELD_ACCOUNT] = "ACCOUNT", [FIELD_CLIENT] = "CLIENT", [FIELD_CLIENT_IP] = "CLIENT_IP", [FIELD_PROTOCOL] = "PROTOCOL",
    [FIELD_REASON] = "REASON", [FIELD_FOLDER] = "FOLDER", [FIELD_SIZE] = "SIZE", [FIELD_SENDER] = "SENDER",
    [FIELD_MAIL_ID] = "MAIL_ID", [FIELD_BY] = "BY",
};

entry *entry_new(void)
{
    entry *e = g_new0(entry, 1);
    for (int f = 0; f < ENTRY_FIELDS; f++)
        e->fields[f] = g_string_new(NULL);
    return e;
}

void entry_free(entry *e)
{
    if (!e)
        return;
    for (int f = 0; f < ENTRY_FIELDS; f++)
        g_string_free(e->fields[f], TRUE);
    g_free(e);
}

void entry_clear(entry *e)
{
    for (int f = 0; f < ENTRY_FIELDS; f++)
        g_string_truncate(e->fields[f], 0);
}

void entry_set(entry *e, const void *data, size_t len)
{
    const char *equals = memchr(data, '=', MIN(len, 64));
    if (!equals)
        return;
    size_t n = (size_t) (equals - (const char *) data);
    for (int f = 0; f < ENTRY_FIELDS; f++) {
        if (strlen(names[f]) != n || memcmp(names[f], data, n) != 0)
            continue;
        size_t max = f == FIELD_MESSAGE ? ENTRY_MESSAGE_MAX : ENTRY_FIELD_MAX;
        g_string_truncate(e->fields[f], 0);
        g_string_append_len(e->fields[f], equals + 1, (gssize) MIN(len - n - 1, max));
        return;
    }
}

static gint64 number(const entry *e, entry_field f, gint64 max, gint64 fallback)
{
    gint64 n;
    return span_number(entry_span(e, f), &n) && n <= max ? n : fallback;
}

void entry_finish(entry *e, gint64 time_usec)
{
    e->time_usec = time_usec;
    e->priority = (int) number(e, FIELD_PRIORITY, LOG_DEBUG, LOG_INFO);
    e->facility = (int) number(e, FIELD_FACILITY, 127, -1);
    e->uid = number(e, FIELD_UID, G_MAXUINT32, -1);
}

int entry_read(entry *e, sd_journal *journal)
{
    const void *data;
    size_t len;
    uint64_t usec;
    entry_clear(e);
    int r = sd_journal_get_realtime_usec(journal, &usec);
    if (r < 0)
        return r;
    sd_journal_restart_data(journal);
    while ((r = sd_journal_enumerate_available_data(journal, &data, &len)) > 0)
        entry_set(e, data, len);
    entry_finish(e, (gint64) usec);
    return r;
}

span entry_span(const entry *e, entry_field f)
{
    return (span) { e->fields[f]->str, e->fields[f]->len };
}

bool entry_is(const entry *e, entry_field f, const char *value)
{
    return span_is(entry_span(e, f), value);
}

bool entry_unit_starts(const entry *e, const char *prefix)
{
    return span_starts(entry_span(e, FIELD_UNIT), prefix);
}
