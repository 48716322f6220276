/* See line.h. Times are local, like in any log an administrator reads. */
#include "agents/logger/line.h"

#include <syslog.h>

/* At most MAX bytes; UTF-8 passes, other bytes and control characters do not. */
static void append_text(GString *to, span s, size_t max)
{
    g_autofree char *valid = g_utf8_validate_len(s.text, s.len, NULL) ? NULL : g_utf8_make_valid(s.text, (gssize) s.len);
    if (valid)
        s = span_of(valid);
    for (size_t i = 0; i < MIN(s.len, max); i++) {
        guchar c = (guchar) s.text[i];
        if (c < 0x20 || c == 0x7f)
            g_string_append_printf(to, "#%03o", c);
        else
            g_string_append_c(to, (char) c);
    }
    if (s.len > max)
        g_string_append(to, "...");
}

static struct tm local_time(const entry *e)
{
    struct tm tm = { .tm_mday = 1 };
    time_t t = (time_t) (e->time_usec / G_USEC_PER_SEC);
    (void) localtime_r(&t, &tm);
    return tm;
}

/* A macro, so that the compiler sees the format. */
#define APPEND_TIME(to, e, format) do { \
        char text_[64]; \
        struct tm tm_ = local_time(e); \
        if (strftime(text_, sizeof text_, format, &tm_) > 0) \
            g_string_append(to, text_); \
    } while (0)

static span ident_of(const entry *e)
{
    span ident = entry_span(e, FIELD_IDENT);
    return ident.len ? ident : entry_span(e, FIELD_COMM);
}

static span pid_of(const entry *e)
{
    span pid = entry_span(e, FIELD_SYSLOG_PID);
    return pid.len ? pid : entry_span(e, FIELD_PID);
}

void line_syslog(GString *to, const entry *e)
{
    APPEND_TIME(to, e, "%b %e %H:%M:%S ");
    append_text(to, entry_span(e, FIELD_HOST), 255);
    g_string_append_c(to, ' ');
    append_text(to, ident_of(e), 64);
    if (pid_of(e).len) {
        g_string_append_c(to, '[');
        append_text(to, pid_of(e), 20);
        g_string_append_c(to, ']');
    }
    g_string_append(to, ": ");
    append_text(to, entry_span(e, FIELD_MESSAGE), LINE_TEXT_MAX);
    g_string_append_c(to, '\n');
}

static const char *level_of(const entry *e)
{
    static const char *const levels[] = { "FATAL", "FATAL", "FATAL", "ERROR", "WARN ", "INFO ", "INFO ", "DEBUG" };
    return levels[CLAMP(e->priority, 0, LOG_DEBUG)];
}

static void append_item(GString *to, const char *name, span value)
{
    if (!value.len)
        return;
    g_string_append_printf(to, "%s=", name);
    append_text(to, value, 320);
    g_string_append_c(to, ';');
}

static void append_head(GString *to, const entry *e)
{
    APPEND_TIME(to, e, "%Y-%m-%d %H:%M:%S");
    g_string_append_printf(to, ",%03d %s [", (int) (e->time_usec % G_USEC_PER_SEC / 1000), level_of(e));
    append_text(to, ident_of(e), 64);
    g_string_append_c(to, '-');
    append_text(to, pid_of(e), 20);
    g_string_append(to, "] [");
    span client = entry_span(e, FIELD_CLIENT_IP);
    append_item(to, "name", entry_span(e, FIELD_ACCOUNT));
    append_item(to, "ip", client.len ? client : entry_span(e, FIELD_CLIENT));
    append_item(to, "msgid", entry_span(e, FIELD_MAIL_ID));
    g_string_append(to, "] ");
}

static void append_tail(GString *to, const entry *e)
{
    g_string_append(to, " - ");
    append_text(to, entry_span(e, FIELD_MESSAGE), LINE_TEXT_MAX);
    g_string_append_c(to, '\n');
}

/* The guide's categories, as far as an entry tells. */
static const char *component_of(const entry *e)
{
    static const struct { const char *protocol, *component; } protocols[] = {
        { "imap", "imap" }, { "imaps", "imap" }, { "pop3", "pop" }, { "pop3s", "pop" }, { "lmtp", "lmtp" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++)
        if (entry_is(e, FIELD_PROTOCOL, protocols[i].protocol))
            return protocols[i].component;
    if (entry_span(e, FIELD_MAIL_ID).len || entry_unit_starts(e, "zimbra-mailbox-intake@"))
        return "lmtp";
    return entry_unit_starts(e, "zimbra-mailbox-shard@") ? "mailbox" : "system";
}

void line_mailbox(GString *to, const entry *e)
{
    append_head(to, e);
    g_string_append(to, component_of(e));
    append_tail(to, e);
}

void line_audit(GString *to, const entry *e)
{
    append_head(to, e);
    g_string_append(to, "security");
    append_tail(to, e);
}

void line_plain(GString *to, const entry *e)
{
    APPEND_TIME(to, e, "%a %b %e %H:%M:%S %Y -> ");
    append_text(to, entry_span(e, FIELD_MESSAGE), LINE_TEXT_MAX);
    g_string_append_c(to, '\n');
}

void line_own(GString *to, const entry *e)
{
    append_text(to, entry_span(e, FIELD_MESSAGE), LINE_TEXT_MAX);
    g_string_append_c(to, '\n');
}
