/* The report as mail: one SMTP conversation with the first configured server that
 * takes it. Blocking, with a time limit for each answer. */
#include "cli/zmdailyreport/zmdailyreport.h"

#include <gio/gio.h>
#include <string.h>

enum { TIMEOUT_S = 60, BASE64_LINE = 76 };

static void append_body(GString *out, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        g_string_append_printf(out, "%s\r\n", lines[i]);
}

static void append_base64(GString *out, const char *text)
{
    g_autofree char *encoded = g_base64_encode((const guchar *) text, strlen(text));
    for (const char *p = encoded; *p; p += MIN(strlen(p), BASE64_LINE))
        g_string_append_printf(out, "%.*s\r\n", (int) BASE64_LINE, p);
}

char *mail_message(const settings *s, const range *r, const char *text)
{
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    GString *out = g_string_new(NULL);
    bool ascii = g_str_is_ascii(text);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) to = g_date_time_new_from_unix_local(r->to / G_USEC_PER_SEC);
    g_autofree char *day = g_date_time_format(to, "%Y-%m-%d"), *uuid = g_uuid_string_random();
    g_autofree char *id = r->id ? g_strdup_printf("%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, r->id, r->to) : g_strdup(uuid);
    g_string_append_printf(out, "From: Mailstead <%s>\r\nTo: %s\r\nSubject: Daily mail report for %s\r\n", s->source, s->destination, day);
    g_string_append_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[g_date_time_get_day_of_week(now) - 1],
                           g_date_time_get_day_of_month(now), months[g_date_time_get_month(now) - 1], g_date_time_get_year(now),
                           g_date_time_get_hour(now), g_date_time_get_minute(now), g_date_time_get_second(now));
    g_string_append_printf(out, "Message-ID: <%s.report@%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", id, s->host);
    g_string_append_printf(out, "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                           ascii ? "us-ascii" : "utf-8", ascii ? "7bit" : "base64");
    if (ascii)
        append_body(out, text);
    else
        append_base64(out, text);
    return g_string_free(out, FALSE);
}

typedef struct {
    GSocketConnection *connection;
    GDataInputStream *in;
    GOutputStream *out;     /* of the connection */
} conversation;

/* The last line of the server's answer must begin with DIGIT. */
static bool expect(conversation *c, char digit, const char *what, GError **error)
{
    for (;;) {
        g_autofree char *line = g_data_input_stream_read_line(c->in, NULL, NULL, error);
        if (!line) {
            if (error && !*error)
                g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "%s: the server closed the connection", what);
            return false;
        }
        if (strlen(line) > 3 && line[3] == '-')
            continue;
        if (line[0] == digit)
            return true;
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: the server says: %.200s", what, line);
        return false;
    }
}

static bool say(conversation *c, char digit, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);
static bool say(conversation *c, char digit, GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_autofree char *line = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_autofree char *bytes = g_strconcat(line, "\r\n", NULL);
    return g_output_stream_write_all(c->out, bytes, strlen(bytes), NULL, NULL, error) && expect(c, digit, line, error);
}

/* MESSAGE with a dot before each line that begins with one. */
static char *stuffed(const char *message)
{
    g_auto(GStrv) parts = g_strsplit(message, "\r\n.", -1);
    g_autofree char *joined = g_strjoinv("\r\n..", parts);
    return g_strconcat(joined, g_str_has_suffix(joined, "\r\n") ? "." : "\r\n.", NULL);
}

static bool converse(conversation *c, const settings *s, const char *message, GError **error)
{
    g_autofree char *data = stuffed(message);
    return expect(c, '2', "greeting", error) && say(c, '2', error, "EHLO %s", s->host) &&
           say(c, '2', error, "MAIL FROM:<%s>", s->source) && say(c, '2', error, "RCPT TO:<%s>", s->destination) &&
           say(c, '3', error, "DATA") && g_output_stream_write_all(c->out, data, strlen(data), NULL, NULL, error) &&
           say(c, '2', error, "%s", "");
}

static bool send_to(const settings *s, const char *host, guint16 port, const char *message, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, TIMEOUT_S);
    g_socket_client_set_enable_proxy(client, FALSE);
    g_autoptr(GSocketConnection) connection = g_socket_client_connect_to_host(client, host, port, NULL, error);
    if (!connection)
        return false;
    conversation c = { .connection = connection, .out = g_io_stream_get_output_stream(G_IO_STREAM(connection)),
                       .in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection))) };
    g_data_input_stream_set_newline_type(c.in, G_DATA_STREAM_NEWLINE_TYPE_ANY);
    bool done = converse(&c, s, message, error);
    if (done)
        (void) say(&c, '2', NULL, "QUIT");
    g_object_unref(c.in);
    return done;
}

bool mail_send(const settings *s, const char *message, GError **error)
{
    guint64 port;
    if (!g_ascii_string_to_unsigned(s->smtp_port, 10, 1, 65535, &port, NULL))
        port = 25;
    for (size_t i = 0; s->smtp_hosts[i]; i++) {
        g_clear_error(error);
        if (*s->smtp_hosts[i] && send_to(s, s->smtp_hosts[i], (guint16) port, message, error))
            return true;
    }
    if (error && *error)
        g_prefix_error(error, "the report cannot be mailed to %s: ", s->destination);
    else
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no mail server is named: zimbraSmtpHostname");
    return false;
}
