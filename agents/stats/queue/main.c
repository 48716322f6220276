/* zmstatqueue: counts Postfix's queues for zmstatd. It is a program of its own so
 * that zmstatd needs no right to read mail: this one runs as postfix, sees little
 * more than the spool, takes no input and says six lines.
 *
 * Whoever connects to the socket that systemd gives it gets one packet and is cut
 * off. A walk that took long is not repeated soon: its counts serve for ten times
 * as long, so that a queue of a million messages does not keep the disk busy. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agents/stats/queue/queue.h"
#include "lib/daemon/daemon.h"
#include "lib/journal/journal.h"

#define SPOOL "/var/spool/postfix"
enum { REST_FACTOR = 10 };

static char *arg_spool;
static const GOptionEntry options[] = {
    { "spool", 0, 0, G_OPTION_ARG_FILENAME, &arg_spool, "Postfix's queue_directory (default " SPOOL ")", "PATH" },
    { NULL },
};

typedef struct {
    char *answer;
    gint64 until_us;            /* ANSWER serves until then */
    bool told;                  /* that a queue cannot be read */
} counter;

static void count(counter *c)
{
    gint64 begun = g_get_monotonic_time();
    queue_count counts[QUEUE_KINDS] = { 0 };
    int failed = 0;
    for (size_t i = 0; i < QUEUE_KINDS; i++) {
        int r = queue_walk(arg_spool ? arg_spool : SPOOL, queue_names[i], g_get_real_time() / G_USEC_PER_SEC, &counts[i]);
        if (r < 0 && r != -ENOENT)
            failed = r;
    }
    if (failed && !c->told)
        journal_error("a queue below %s cannot be read: %s", arg_spool ? arg_spool : SPOOL, g_strerror(-failed));
    c->told = failed != 0;
    g_free(c->answer);
    c->answer = queue_format(counts);
    gint64 now = g_get_monotonic_time();
    c->until_us = now + (now - begun) * REST_FACTOR;
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    counter *c = data;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0)
        return 0;
    if (!c->answer || g_get_monotonic_time() >= c->until_us)
        count(c);
    (void) send(peer, c->answer, strlen(c->answer), MSG_NOSIGNAL | MSG_DONTWAIT);    /* who went away needs none */
    close(peer);
    return 0;
}

int main(int argc, char **argv)
{
    if (!daemon_arguments("zmstatqueue", "- count Postfix's queues for zmstatd", options, argc, argv))
        return EX_USAGE;
    sd_event *event = daemon_event();
    counter c = { 0 };
    int r = EX_OSERR;
    if (event && (sd_listen_fds(true) != 1 || fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK) < 0 ||
                  sd_event_add_io(event, NULL, SD_LISTEN_FDS_START, EPOLLIN, on_accept, &c) < 0)) {
        journal_error("no socket was given; start zimbra-stats-queue.socket instead");
        r = EX_USAGE;
    } else if (event) {
        r = daemon_serve(event, NULL, NULL);
    }
    sd_event_unref(event);
    g_free(c.answer);
    return r;
}
