/* zmalert: raise an alert from a script, see the catalogue, follow what comes.
 *   raise ID [FIELD=VALUE]...   unit-failed UNIT   unit-ok UNIT   catalogue   list */
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/zmalert/unit.h"
#include "lib/alert/alert.h"
#include "lib/localsocket/localsocket.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_WRONG = 2, LIST_WAIT_MS = 300 };

static int wrong(const char *what, const char *which)
{
    fprintf(stderr, "zmalert: %s%s%s; see --help\n", what, which ? ": " : "", which ? which : "");
    return EXIT_WRONG;
}

static int do_raise(int argc, char **argv)
{
    if (!alert_find(argv[0]))
        return wrong("no such alert (zmalert catalogue lists them)", argv[0]);
    g_autoptr(alert) a = alert_new(argv[0]);
    for (int i = 1; i < argc; i++) {
        g_auto(GStrv) pair = g_strsplit(argv[i], "=", 2);
        if (!pair[0] || !pair[1])
            return wrong("FIELD=VALUE is wanted", argv[i]);
        int r = alert_set(a, pair[0], pair[1]);
        if (r < 0)
            return wrong(r == -E2BIG ? "too many fields" : "no name of a field (capital letters, digits, _)", pair[0]);
    }
    alert_send(a);
    return EXIT_OK;
}

static int do_catalogue(int argc, char **argv)
{
    size_t n;
    const alert_def *table = alert_table(&n);
    for (size_t i = 0; i < n; i++)
        printf("%-28s %s  %s\n", table[i].id, table[i].message_id, table[i].subject);
    return EXIT_OK;
}

static void print_packet(char *packet)
{
    g_auto(GStrv) lines = g_strsplit(packet, "\n", -1);
    g_autofree char *when = g_strdup("");
    if (g_strv_length(lines) < 5)
        return;
    for (size_t i = 5; lines[i]; i++) {
        gint64 time;
        if (g_str_has_prefix(lines[i], "TIME=") && g_ascii_string_to_signed(lines[i] + 5, 10, 0, G_MAXINT64, &time, NULL)) {
            g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(time);
            g_free(when);
            when = t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
        }
    }
    printf("%5s  %s  %-8s %-24s %s\n", lines[0], when, lines[2], lines[1], lines[3]);
}

static int do_list(int argc, char **argv)
{
    struct timeval wait = { .tv_usec = LIST_WAIT_MS * 1000 };
    int fd = localsocket_connect(ALERT_FEED_SOCKET, SOCK_SEQPACKET);
    if (fd >= 0 && (send(fd, "0", 1, MSG_NOSIGNAL) < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0)) {
        int e = errno;
        close(fd);
        fd = -e;
    }
    if (fd < 0) {
        fprintf(stderr, "zmalert: %s: %s; does zimbra-alerts.service run?\n", ALERT_FEED_SOCKET, g_strerror(-fd));
        return EXIT_FAILED;
    }
    static char packet[64 * 1024];
    for (ssize_t n; (n = recv(fd, packet, sizeof packet - 1, 0)) > 0; ) {
        packet[n] = '\0';
        print_packet(packet);
    }
    close(fd);
    return EXIT_OK;
}

static const struct {
    const char *name;
    int min, max;
    const char *arguments, *help;
    int (*handler)(int argc, char **argv);
} verbs[] = {
    { "raise", 1, 1 + ALERT_MAX_FIELDS, "ID [FIELD=VALUE]...", "raise an alert of the catalogue", do_raise },
    { "unit-failed", 1, 1, "UNIT", "raise job-failed with the unit's last output", unit_failed },
    { "unit-ok", 1, 1, "UNIT", "raise job-ok when the unit's failure was told", unit_ok },
    { "catalogue", 0, 0, "", "all alerts there are: id, MESSAGE_ID, subject", do_catalogue },
    { "list", 0, 0, "", "the alerts that zmalertd keeps, oldest first", do_list },
};

static int usage(void)
{
    printf("Usage: zmalert COMMAND [ARGUMENT]...\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        printf("  %-12s %-22s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    g_set_prgname("zmalert");
    if (argc < 2)
        return wrong("a command is wanted", NULL);
    if (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h"))
        return usage();
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(argv[1], verbs[i].name))
            return argc - 2 >= verbs[i].min && argc - 2 <= verbs[i].max ? verbs[i].handler(argc - 2, argv + 2)
                : wrong("wrong number of arguments", argv[1]);
    return wrong("no such command", argv[1]);
}
