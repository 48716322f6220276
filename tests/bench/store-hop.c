/* What a delivery's hop from intake to shard costs (design §6): a RCPT_CHECK and a
 * DELIVER with their answers between two processes that do nothing else.
 *
 *   build/release/bench/store-hop [DELIVERIES [BODY-BYTES [RUNNING]]] */
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/store/wire/wire.h"

typedef struct { unsigned left, running; wire_conn *conn; sd_event *event; wire_message check, deliver; } bench;

static void answer(wire_conn *c, wire_message *m, void *data)
{
    if (!m) {
        (void) sd_event_exit(data, 0);
        return;
    }
    wire_result result = { WIRE_OK, 1, "" };
    wire_message reply = { .type = WIRE_RCPT_VERDICT, .id = m->id, .rcpt_verdict = { WIRE_OK, "" } };
    if (m->type == WIRE_DELIVER)
        reply = (wire_message) { .type = WIRE_DELIVERED, .id = m->id, .delivered = { "", &result, 1 } };
    g_assert(wire_send(c, &reply) == 0);
}

static void serve(int fd)
{
    sd_event *event;
    wire_conn *c;
    g_assert(sd_event_new(&event) >= 0);
    g_assert(wire_conn_new(event, fd, answer, event, &c) == 0);
    _exit(sd_event_loop(event));
}

static void next(bench *b);

static void delivered(wire_conn *c, wire_message *m, void *data)
{
    next(data);
}

static void checked(wire_conn *c, wire_message *m, void *data)
{
    bench *b = data;
    g_assert(wire_call(c, &b->deliver, delivered, b) == 0);
}

static void next(bench *b)
{
    if (b->left == 0) {
        if (--b->running == 0)
            (void) sd_event_exit(b->event, 0);
        return;
    }
    b->left--;
    g_assert(wire_call(b->conn, &b->check, checked, b) == 0);
}

static double cpu_us(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static unsigned argument(int argc, char **argv, int i, unsigned fallback)
{
    guint64 v = fallback;
    return argc > i && !g_ascii_string_to_unsigned(argv[i], 10, 1, 100000000, &v, NULL) ? fallback : (unsigned) v;
}

int main(int argc, char **argv)
{
    unsigned total = argument(argc, argv, 1, 50000), size = argument(argc, argv, 2, 4096);
    bench b = { .left = total, .running = argument(argc, argv, 3, 1) };
    int pair[2];
    g_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    pid_t shard = fork();
    if (shard == 0) {
        close(pair[0]);
        serve(pair[1]);
    }
    close(pair[1]);
    g_autofree char *body = g_strnfill(size, 'x');
    static const char id[] = "6a5d5e64-9b5c-4b7e-8f0a-1d2c3b4a5968";
    wire_recipient to = { id, "someone@example.test", 0, WIRE_INBOX };
    b.check = (wire_message) { .type = WIRE_RCPT_CHECK, .rcpt_check = { id, to.name, 0, size, 0 } };
    b.deliver = (wire_message) { .type = WIRE_DELIVER, .deliver = {
        "sender@example.test", "192.0.2.1", "<id@example.test>", "", 0, size, { body, size }, { body, MIN(size, 300) }, &to, 1 } };
    g_assert(sd_event_new(&b.event) >= 0);
    g_assert(wire_conn_new(b.event, pair[0], NULL, NULL, &b.conn) == 0);
    gint64 start = g_get_monotonic_time();
    for (unsigned i = b.running; i > 0; i--)
        next(&b);
    (void) sd_event_loop(b.event);
    double wall = (double) (g_get_monotonic_time() - start);
    wire_conn_unref(b.conn);
    (void) waitpid(shard, NULL, 0);
    printf("%u deliveries of %u bytes, %u at a time: %.1f us each; CPU intake %.1f us, shard %.1f us\n", total, size,
           argument(argc, argv, 3, 1), wall / total, cpu_us(RUSAGE_SELF) / total, cpu_us(RUSAGE_CHILDREN) / total);
    return 0;
}
