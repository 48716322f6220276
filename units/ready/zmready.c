/* zmready: readiness of servers that cannot tell systemd about it. An
 * ExecStartPost= of their units waits until the ports listen, so that "started"
 * means that a client can connect.
 *
 * The kernel's table is read instead of connecting: a probe by connection would
 * start a server process and stand in the mail log. */
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <unistd.h>

#define POLL_INTERVAL_US (20 * 1000)
#define TCP_LISTEN 0x0A

enum { EXIT_READY = 0, EXIT_TIMEOUT = 1, EXIT_USAGE = 2 };

/* Line of /proc/net/tcp: "  0: 0100007F:2BCB 00000000:0000 0A …" (address, peer, state). */
static bool line_listens(const char *line, guint64 port)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    const char *field[4] = { NULL };
    guint n = 0;
    for (size_t i = 0; words[i] && n < G_N_ELEMENTS(field); i++)
        if (*words[i])
            field[n++] = words[i];
    const char *colon = n == G_N_ELEMENTS(field) ? strrchr(field[1], ':') : NULL;
    return colon && g_ascii_strtoull(colon + 1, NULL, 16) == port &&
        g_ascii_strtoull(field[3], NULL, 16) == TCP_LISTEN;
}

static bool table_has(const char *path, guint64 port)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;   /* no IPv6 in this kernel */
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 1; lines[0] && lines[i]; i++)
        if (line_listens(lines[i], port))
            return true;
    return false;
}

static bool port_listens(guint64 port)
{
    return table_has("/proc/self/net/tcp", port) || table_has("/proc/self/net/tcp6", port);
}

static int wait_port(const char *word, gint64 end)
{
    guint64 port;
    if (!g_ascii_string_to_unsigned(word, 10, 1, 65535, &port, NULL)) {
        g_printerr("zmready: %s is no port\n", word);
        return EXIT_USAGE;
    }
    while (!port_listens(port)) {
        if (g_get_monotonic_time() > end) {
            g_printerr("zmready: nothing listens on port %s in time\n", word);
            return EXIT_TIMEOUT;
        }
        g_usleep(POLL_INTERVAL_US);
    }
    return EXIT_READY;
}

int main(int argc, char **argv)
{
    int timeout = 60;
    const GOptionEntry options[] = {
        { "timeout", 't', 0, G_OPTION_ARG_INT, &timeout, "How long to wait (60)", "SECONDS" },
        G_OPTION_ENTRY_NULL
    };
    g_autoptr(GOptionContext) context = g_option_context_new("PORT... - waits until TCP ports listen");
    g_option_context_add_main_entries(context, options, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 2) {
        g_printerr("zmready: %s\n", error ? error->message : "name at least one port");
        return EXIT_USAGE;
    }
    gint64 end = g_get_monotonic_time() + (gint64) timeout * G_USEC_PER_SEC;
    for (int i = 1; i < argc; i++) {
        int r = wait_port(argv[i], end);
        if (r != EXIT_READY)
            return r;
    }
    return EXIT_READY;
}
