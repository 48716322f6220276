/* See message.h. Text that is all ASCII goes as it is, in lines of at most 900
 * bytes; other text as base64, so that any SMTP server takes it. */
#include "agents/alerts/message.h"

#include <string.h>

enum { LINE_MAX_BYTES = 900, BASE64_LINE = 76, WORD_BYTES = 42 };

/* RFC 2047: encoded words of whole characters where the text is not ASCII. */
static char *header_text(const char *text)
{
    if (g_str_is_ascii(text))
        return g_strndup(text, LINE_MAX_BYTES);
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; ) {
        const char *end = p;
        while (*end && g_utf8_next_char(end) - p <= WORD_BYTES)
            end = g_utf8_next_char(end);
        g_autofree char *word = g_base64_encode((const guchar *) p, (gsize) (end - p));
        g_string_append_printf(out, "%s=?UTF-8?B?%s?=", out->len ? "\r\n " : "", word);
        p = end;
    }
    return g_string_free(out, FALSE);
}

static void append_plain(GString *out, const char *body)
{
    g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        const char *p = lines[i];
        for (; strlen(p) > LINE_MAX_BYTES; p += LINE_MAX_BYTES)
            g_string_append_printf(out, "%.*s\r\n", (int) LINE_MAX_BYTES, p);
        g_string_append_printf(out, "%s\r\n", p);
    }
}

static void append_base64(GString *out, const char *body)
{
    g_autofree char *text = g_base64_encode((const guchar *) body, strlen(body));
    for (const char *p = text; *p; p += MIN(strlen(p), BASE64_LINE))
        g_string_append_printf(out, "%.*s\r\n", (int) BASE64_LINE, p);
}

static char *build(const char *from, const char *to, const char *host, const char *id, const char *uuid,
                   const char *subject, const char *body)
{
    GString *out = g_string_new(NULL);
    bool ascii = g_str_is_ascii(body);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    g_autofree char *title = header_text(subject);
    g_string_append_printf(out, "From: Mailstead <%s>\r\nTo: %s\r\nSubject: %s\r\n", from, to, title);
    g_string_append_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[g_date_time_get_day_of_week(now) - 1],
                           g_date_time_get_day_of_month(now), months[g_date_time_get_month(now) - 1], g_date_time_get_year(now),
                           g_date_time_get_hour(now), g_date_time_get_minute(now), g_date_time_get_second(now));
    g_string_append_printf(out, "Message-ID: <%s.alert@%s>\r\nAuto-Submitted: auto-generated\r\nX-Mailstead-Alert: %s\r\n", uuid, host, id);
    g_string_append_printf(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                           ascii ? "us-ascii" : "utf-8", ascii ? "7bit" : "base64");
    if (ascii)
        append_plain(out, body);
    else
        append_base64(out, body);
    return g_string_free(out, FALSE);
}

static char *local_time(const alert *a)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(alert_time_usec(a) / G_USEC_PER_SEC);
    return t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S %z") : g_strdup("?");
}

char *message_of_alert(const alert *a, const char *from, const char *to)
{
    g_autofree char *subject = alert_subject(a), *text = alert_body(a), *when = local_time(a);
    const alert_def *def = alert_find(alert_id(a));
    GString *body = g_string_new(text);
    g_string_append_printf(body, "\n\nTime: %s\nSeverity: %s\n", when, alert_severity_name(a));
    if (def && def->remedy)
        g_string_append_printf(body, "What to do: %s\n", def->remedy);
    char *message = build(from, to, alert_get(a, "HOST"), alert_id(a), alert_uuid(a), subject, body->str);
    g_string_free(body, TRUE);
    return message;
}

char *message_of_many(GPtrArray *alerts, guint64 omitted, const char *host, const char *from, const char *to)
{
    g_autofree char *subject = g_strdup_printf("%" G_GUINT64_FORMAT " alerts on %s", alerts->len + omitted, host);
    g_autofree char *uuid = g_uuid_string_random();
    GString *body = g_string_new("So many alerts came at once that they are told in one message.\n\n");
    for (guint i = 0; i < alerts->len; i++) {
        g_autofree char *when = local_time(alerts->pdata[i]), *title = alert_subject(alerts->pdata[i]);
        g_string_append_printf(body, "%s  %-8s %s\n", when, alert_severity_name(alerts->pdata[i]), title);
    }
    if (omitted)
        g_string_append_printf(body, "\n%" G_GUINT64_FORMAT " more are in the journal only.\n", omitted);
    g_string_append(body, "\nEach is in the journal; zmalert list shows them again.\n");
    char *message = build(from, to, host, "digest", uuid, subject, body->str);
    g_string_free(body, TRUE);
    return message;
}
