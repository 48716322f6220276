/* Postfix's queues, asked of showq(8) as postqueue(1) does. showq reads the head of
 * each message: a long queue is asked about less often. */
#include "agents/snmp/facts.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "agents/snmp/showq.h"

enum { WAIT_S = 30, KILOBYTE = 1024 };

static int ask(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const struct timeval wait = { .tv_sec = WAIT_S };
    if (g_strlcpy(at.sun_path, path, sizeof at.sun_path) >= sizeof at.sun_path)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        connect(fd, (struct sockaddr *) &at, sizeof at) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool read_all(int fd, showq *s)
{
    char bytes[16384];
    ssize_t n;
    showq_begin(s);
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        showq_take(s, bytes, (gsize) n);
    return n == 0;
}

void queues_collect(facts *f, const char *socket_path)
{
    showq s;
    int fd = ask(socket_path);
    bool complete = fd >= 0 && read_all(fd, &s);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    if (fd >= 0)
        close(fd);
    for (int i = 0; complete && i < SHOWQ_QUEUES; i++) {
        const showq_queue *q = &s.queues[i];
        record *r = record_new();
        record_set(r, "NAME", q->name);
        record_set_number(r, "MESSAGES", q->messages);
        record_set_number(r, "VOLUME", (q->bytes + KILOBYTE - 1) / KILOBYTE);
        record_set_number(r, "OLDEST_AGE", q->oldest ? MAX(now - q->oldest, 0) : 0);
        facts_add(f, GROUP_QUEUE, r);
    }
}
