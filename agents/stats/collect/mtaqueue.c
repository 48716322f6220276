/* mtaqueue.csv: Postfix's queues, counted by zmstatqueue (agents/stats/queue), which
 * may read them; we may not. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agents/stats/collect/all.h"
#include "agents/stats/queue/queue.h"

static const stat_field fields[] = {
    { "KBytes", FIELD_GAUGE, "kilobytes", "Size of all queued messages", "size" },
    { "requests", FIELD_GAUGE, NULL, "Queued messages", "messages" },
#define Q(name, what) \
    { name "_messages", FIELD_GAUGE, NULL, "Messages " what, NULL }, \
    { name "_bytes", FIELD_GAUGE, "bytes", "Their size", NULL }, \
    { name "_oldest_seconds", FIELD_GAUGE, "seconds", "Age of the oldest", NULL },
    Q("incoming", "that have just come in") Q("active", "that are being delivered") Q("deferred", "that wait for another try")
    Q("hold", "held by an administrator") Q("corrupt", "that are damaged") Q("maildrop", "handed in on this host")
#undef Q
};

enum { KBYTES, REQUESTS, FIRST_QUEUE, PER_QUEUE = 3, ANSWER_SECONDS = 3 };

static int ask(const char *path, char *answer, size_t size)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof sa.sun_path)
        return -ENAMETOOLONG;
    g_strlcpy(sa.sun_path, path, sizeof sa.sun_path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval limit = { .tv_sec = ANSWER_SECONDS };
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);    /* a plain socket: cannot fail */
    ssize_t n = connect(fd, (const struct sockaddr *) &sa, sizeof sa) < 0 ? -1 : recv(fd, answer, size - 1, 0);
    int r = n < 0 ? -errno : n == 0 ? -ECONNRESET : 0;
    close(fd);
    if (r == 0)
        answer[n] = '\0';
    return r;
}

static int sample(void *state, const world *w, sample_table *t)
{
    char answer[QUEUE_ANSWER_MAX];
    int r = ask(w->queue_socket, answer, sizeof answer);
    if (r < 0)
        return r == -ENOENT ? 0 : r;            /* no socket: a host without an MTA */
    queue_count q[QUEUE_KINDS];
    if (!queue_parse(answer, q))
        return -EBADMSG;
    sample_row *row = sample_add(t, NULL, NULL);
    double bytes = 0, messages = 0;
    for (size_t i = 0; i < QUEUE_KINDS; i++) {
        bytes += (double) q[i].bytes;
        messages += (double) q[i].messages;
        sample_put(t, row, FIRST_QUEUE + i * PER_QUEUE, (double) q[i].messages);
        sample_put(t, row, FIRST_QUEUE + i * PER_QUEUE + 1, (double) q[i].bytes);
        sample_put(t, row, FIRST_QUEUE + i * PER_QUEUE + 2, (double) q[i].oldest_s);
    }
    sample_put(t, row, KBYTES, bytes / 1024);
    sample_put(t, row, REQUESTS, messages);
    return 0;
}

static const stat_group group = { .name = "mtaqueue", .help = "Mail queues of Postfix", .layout = CSV_WIDE, .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_mtaqueue = { .group = &group, .state_size = 1, .sample = sample };
