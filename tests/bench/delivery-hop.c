/* What the hop from intake to shard costs a delivery (design §6: intake is a
 * process of its own). The same messages are stored twice:
 *
 *   direct   the shard's process appends them itself
 *   hop      another process asks for each recipient and sends each message as
 *            intake does (WIRE_RCPT_CHECK, WIRE_DELIVER over SOCK_SEQPACKET; above
 *            32 KiB in a descriptor of the shard's volume)
 *
 * WINDOW deliveries are under way at a time, to different mailboxes. CPU is user +
 * system of all processes concerned; each run has a fresh store below DIR.
 *
 *   build/release/bench/delivery-hop DIR [MESSAGES [WINDOW [MAILBOXES]]] */
#include <glib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/store/shard/delivery/delivery.h"
#include "agents/store/wire/wire.h"
#include "lib/journal/journal.h"

enum { SUMMARY = 700, RUNS = 3 };

typedef struct {
    const char *dir;
    unsigned messages, window, mailboxes, started, done;
    size_t size;
    char *text;
    sd_event *event;
    shard *shard;
    delivery *delivery;
    wire_conn *conn;             /* hop: to the other process */
} bench;

typedef struct { bench *b; unsigned number; int fd; } slot;

static double cpu_us(void)
{
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    const struct timeval all[] = { self.ru_utime, self.ru_stime, children.ru_utime, children.ru_stime };
    double us = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        us += (double) all[i].tv_sec * 1e6 + (double) all[i].tv_usec;
    return us;
}

static void open_shard(bench *b, const char *name)
{
    g_autofree char *store = g_strdup_printf("%s/%s/store", b->dir, name), *log = g_strdup_printf("%s/%s/redolog", b->dir, name),
                    *db = g_strdup_printf("%s/%s/db", b->dir, name);
    const shard_config config = { .count = 1, .store_dir = store, .redolog_dir = log, .db_dir = db,
                                  .checkpoint_bytes = 64 << 20, .checkpoint_seconds = 60, .workers = 2 };
    b->started = b->done = 0;
    if (sd_event_new(&b->event) < 0 || shard_open(b->event, &config, &b->shard) < 0)
        g_error("no store below %s", b->dir);
}

static char *account_of(const bench *b, unsigned n)
{
    return g_strdup_printf("6a1b0c9e-0000-4000-8000-%012u", n % b->mailboxes);
}

static int write_text(const bench *b, int fd)
{
    return pwrite(fd, b->text, b->size, 0) == (ssize_t) b->size ? 0 : -1;
}

/* ---- direct ---- */

static void direct_next(bench *b);

static void direct_done(int r, uint32_t uidvalidity, uint32_t uid, void *data)
{
    if (r < 0)
        g_error("append: %s", g_strerror(-r));
    bench *b = data;
    b->done++;
    direct_next(b);
}

static void direct_next(bench *b)
{
    if (b->started >= b->messages)
        return;
    g_autofree char *account = account_of(b, b->started++);
    mailbox *m = mailbox_open_header(b->shard, account, account);
    new_message msg = { .fd = -1, .body = b->text, .size = b->size, .summary = b->text, .summary_len = SUMMARY, .date = 1 };
    if (b->size > STORE_INLINE_MAX) {
        msg.fd = shard_spool_fd(b->shard);
        msg.body = NULL;
        g_assert(write_text(b, msg.fd) == 0);
    }
    int r = mailbox_append(m, FOLDER_ID_INBOX, &msg, direct_done, b);
    g_assert(r == 0);
    if (msg.fd >= 0)
        close(msg.fd);
    mailbox_unref(m);
}

static void run_direct(bench *b)
{
    for (unsigned i = 0; i < b->window; i++)
        direct_next(b);
    while (b->done < b->messages)
        sd_event_run(b->event, UINT64_MAX);
}

/* ---- hop: the other process ---- */

static void hop_next(slot *s);

static void hop_delivered(wire_conn *c, wire_message *m, void *data)
{
    slot *s = data;
    if (!m || m->type != WIRE_DELIVERED || m->delivered.results[0].status != WIRE_OK)
        g_error("delivery failed");
    if (s->fd >= 0)
        close(s->fd);
    s->b->done++;
    hop_next(s);
}

static void hop_checked(wire_conn *c, wire_message *m, void *data)
{
    slot *s = data;
    bench *b = s->b;
    if (!m || m->type != WIRE_RCPT_VERDICT || m->rcpt_verdict.status != WIRE_OK)
        g_error("recipient refused");
    s->fd = wire_take_fd(m, 0);
    g_autofree char *account = account_of(b, s->number);
    const wire_recipient to = { .account_id = account, .name = account };
    wire_message out = { .type = WIRE_DELIVER, .deliver = {
        .sender = "a@example.test", .client = "", .message_id = "", .incoming = "", .date = 1, .size = b->size,
        .summary = { b->text, SUMMARY }, .recipients = &to, .n_recipients = 1 } };
    if (s->fd >= 0) {
        g_assert(write_text(b, s->fd) == 0);
        out.fds[out.n_fds++] = s->fd;
    } else {
        out.deliver.body = (wire_bytes) { b->text, b->size };
    }
    if (wire_call(c, &out, hop_delivered, s) < 0)
        g_error("the shard takes no message");
}

static void hop_next(slot *s)
{
    bench *b = s->b;
    if (b->started >= b->messages)
        return;
    s->number = b->started++;
    s->fd = -1;
    g_autofree char *account = account_of(b, s->number);
    wire_message out = { .type = WIRE_RCPT_CHECK, .rcpt_check = {
        .account_id = account, .name = account, .size = b->size, .want_spool = b->size > STORE_INLINE_MAX } };
    if (wire_call(b->conn, &out, hop_checked, s) < 0)
        g_error("the shard takes no question");
}

static void on_lost(wire_conn *c, wire_message *m, void *data) { }

static void run_sender(bench *b, int fd)
{
    if (sd_event_new(&b->event) < 0 || wire_conn_new(b->event, fd, on_lost, b, &b->conn) < 0)
        g_error("no connection");
    g_autofree slot *slots = g_new0(slot, b->window);
    for (unsigned i = 0; i < b->window; i++) {
        slots[i].b = b;
        hop_next(&slots[i]);
    }
    while (b->done < b->messages)
        sd_event_run(b->event, UINT64_MAX);
    _exit(EXIT_SUCCESS);
}

/* ---- hop: the shard's process ---- */

static void on_message(wire_conn *c, wire_message *m, void *data)
{
    bench *b = data;
    if (m)
        (void) delivery_message(b->delivery, c, m);
    else
        b->done = b->messages;
}

static void run_hop(bench *b, int fd)
{
    b->delivery = delivery_new(b->shard, 0, 1);
    if (wire_conn_new(b->event, fd, on_message, b, &b->conn) < 0)
        g_error("no connection");
    while (b->done < b->messages)
        sd_event_run(b->event, UINT64_MAX);
    wire_conn_unref(b->conn);
    delivery_free(b->delivery);
}

static pid_t start_sender(bench *b, int *ret_fd)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        g_error("socketpair failed");
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        b->started = b->done = 0;
        run_sender(b, fds[1]);
    }
    close(fds[1]);
    *ret_fd = fds[0];
    return child;
}

/* Mailboxes and databases are there before: their making is not measured. */
static void warm_up(bench *b, const char *name)
{
    unsigned messages = b->messages;
    b->messages = b->mailboxes;
    open_shard(b, name);
    run_direct(b);
    shard_close(b->shard);
    sd_event_unref(b->event);
    b->messages = messages;
}

/* CPU per delivery until the last answer, and of the databases afterwards. */
static void measure(bench *b, bool hop, size_t size, double ret_us[2])
{
    b->size = size;
    g_autofree char *name = g_strdup_printf("%s-%zu", hop ? "hop" : "direct", size);
    int fd = -1;
    pid_t child = hop ? start_sender(b, &fd) : 0;
    warm_up(b, name);
    open_shard(b, name);
    double start = cpu_us();
    if (hop)
        run_hop(b, fd);
    else
        run_direct(b);
    if (hop)
        waitpid(child, NULL, 0);
    double answered = cpu_us();
    shard_close(b->shard);
    sd_event_unref(b->event);
    ret_us[0] = (answered - start) / b->messages;
    ret_us[1] = (cpu_us() - answered) / b->messages;
}

/* Each run in a process of its own, so that no thread is there when it forks. The
 * best of three: other work on the machine only ever adds. */
static void run_apart(bench *b, bool hop, size_t size)
{
    double best[2] = { 1e9, 1e9 }, us[2];
    for (int i = 0; i < RUNS; i++) {
        int p[2];
        if (pipe(p) < 0)
            g_error("pipe failed");
        pid_t child = fork();
        if (child == 0) {
            measure(b, hop, size, us);
            _exit(write(p[1], us, sizeof us) == sizeof us ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        if (read(p[0], us, sizeof us) != sizeof us)
            g_error("a run failed");
        close(p[0]);
        close(p[1]);
        waitpid(child, NULL, 0);
        for (int k = 0; k < 2; k++)
            best[k] = MIN(best[k], us[k]);
    }
    printf("%-6s %6zu bytes: %6.1f us CPU per delivery until the answer, %.1f us for the databases\n", hop ? "hop" : "direct", size, best[0], best[1]);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: delivery-hop DIR [MESSAGES [WINDOW [MAILBOXES]]]\n");
        return 2;
    }
    bench b = { .dir = argv[1], .messages = argc > 2 ? (unsigned) strtoul(argv[2], NULL, 10) : 5000,
                .window = argc > 3 ? (unsigned) strtoul(argv[3], NULL, 10) : 50,
                .mailboxes = argc > 4 ? (unsigned) strtoul(argv[4], NULL, 10) : 100 };
    journal_open("delivery-hop", "warning");    /* not the log line of each message */
    b.text = g_strnfill(64 * 1024, 'x');
    static const size_t sizes[] = { 4096, 65536 };
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (int hop = 0; hop <= 1; hop++)
            run_apart(&b, hop, sizes[i]);
    g_free(b.text);
    return EXIT_SUCCESS;
}
