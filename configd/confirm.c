/* Confirmation questions. A refused connection is asked again until the
 * deadline (a reloading server may be a moment late); a wrong answer is final. */
#include "configd/confirm.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>

#define PAUSE_MS 100

G_DEFINE_QUARK(mailstead-confirm-error-quark, confirm_error)

static GSocketConnection *dial(GSocketConnectable *to, gint64 deadline, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_enable_proxy(client, FALSE);
    for (;;) {
        g_autoptr(GError) local = NULL;
        g_socket_client_set_timeout(client, MAX(1, (deadline - g_get_monotonic_time()) / G_USEC_PER_SEC));
        GSocketConnection *c = g_socket_client_connect(client, to, NULL, &local);
        if (c)
            return c;
        if (g_get_monotonic_time() + PAUSE_MS * 1000 >= deadline) {
            g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_NO_ANSWER, "%s", local->message);
            return NULL;
        }
        g_usleep(PAUSE_MS * 1000);
    }
}

/* The last line of one reply; caller frees. */
static char *read_reply(GDataInputStream *in, GError **error)
{
    for (int lines = 0; lines < 64; lines++) {
        g_autoptr(GError) local = NULL;
        g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, &local);
        if (!line) {
            g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_BAD_ANSWER, "%s", local ? local->message : "connection closed");
            return NULL;
        }
        if (strlen(line) < 4 || line[3] != '-')
            return g_steal_pointer(&line);
    }
    g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_BAD_ANSWER, "a reply without an end");
    return NULL;
}

/* Greeting, HELO, MAIL, RCPT: any answer will do but the one that says that the
 * configuration cannot be used. */
static bool speak_smtp(GSocketConnection *c, GError **error)
{
    static const char *const commands[] = {
        NULL, "HELO configd.invalid\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<configuration-check@configd.invalid>\r\n", "QUIT\r\n",
    };
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(c));
    g_autoptr(GDataInputStream) in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(c)));
    g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i] && !g_output_stream_write_all(out, commands[i], strlen(commands[i]), NULL, NULL, error))
            return false;
        g_autofree char *reply = read_reply(in, error);
        if (!reply)
            return false;
        if (strstr(reply, " 4.3.5 ") || (i == 0 && !g_str_has_prefix(reply, "220"))) {
            g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_BAD_ANSWER, "the running service answers \"%.200s\"", reply);
            return false;
        }
    }
    return true;
}

bool confirm_ask(const char *question, gint64 deadline, GError **error)
{
    g_auto(GStrv) words = g_strsplit(question, " ", -1);
    guint n = g_strv_length(words);
    g_autoptr(GSocketConnectable) to = NULL;
    guint64 port;

    if (n == 3 && (g_str_equal(words[0], "smtp") || g_str_equal(words[0], "tcp")) &&
        g_ascii_string_to_unsigned(words[2], 10, 1, 65535, &port, NULL))
        to = g_network_address_new(words[1], port);
    else if (n == 2 && g_str_equal(words[0], "unix"))
        to = G_SOCKET_CONNECTABLE(g_unix_socket_address_new(words[1]));
    if (!to) {
        g_set_error(error, CONFIRM_ERROR, CONFIRM_ERROR_TABLE, "actions table: confirm \"%s\" is none of smtp HOST PORT, tcp HOST PORT, unix PATH", question);
        return false;
    }
    g_autoptr(GSocketConnection) c = dial(to, deadline, error);
    bool ok = c && (!g_str_equal(words[0], "smtp") || speak_smtp(c, error));
    if (!ok)
        g_prefix_error(error, "%s: ", question);
    return ok;
}
