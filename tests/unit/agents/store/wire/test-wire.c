#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/store/wire/wire.h"

static const wire_recipient recipients[] = {
    { .account_id = "a-1", .name = "user1@example.test", .quota_bytes = 5, .folder = WIRE_INBOX },
    { .account_id = "a-2", .name = "user2@example.test", .folder = WIRE_JUNK },
};

static wire_message deliver(const void *summary, size_t len)
{
    return (wire_message) {
        .type = WIRE_DELIVER, .id = 7,
        .deliver = { .sender = "from@example.test", .message_id = "<1@x>", .date = -5, .size = 4,
                     .body = { "a\0\r\n", 4 }, .summary = { summary, len }, .recipients = recipients, .n_recipients = 2 },
    };
}

static void assert_deliver(const wire_message *m, size_t summary_len)
{
    assert_int_equal(m->type, WIRE_DELIVER);
    assert_string_equal(m->deliver.sender, "from@example.test");
    assert_string_equal(m->deliver.client, "");
    assert_int_equal(m->deliver.date, -5);
    assert_int_equal(m->deliver.body.len, 4);
    assert_memory_equal(m->deliver.body.data, "a\0\r\n", 4);
    assert_int_equal(m->deliver.summary.len, summary_len);
    assert_int_equal(m->deliver.n_recipients, 2);
    assert_string_equal(m->deliver.recipients[1].account_id, "a-2");
    assert_int_equal(m->deliver.recipients[1].folder, WIRE_JUNK);
    assert_int_equal(m->deliver.recipients[0].quota_bytes, 5);
}

static void survives_encoding(void **state)
{
    wire_message in = deliver("sum", 3), out;
    g_autoptr(GByteArray) bytes = wire_encode(&in);
    assert_int_equal(wire_decode(bytes->data, bytes->len, &out), 0);
    assert_int_equal(out.id, 7);
    assert_deliver(&out, 3);
    wire_message_clear(&out);
}

/* every shorter datagram, and one with a byte too many, is refused */
static void refuses_cut_datagrams(void **state)
{
    wire_message in = deliver("sum", 3), out;
    g_autoptr(GByteArray) bytes = wire_encode(&in);
    for (size_t len = 0; len < bytes->len; len++)
        assert_true(wire_decode(bytes->data, len, &out) < 0);
    g_byte_array_append(bytes, (const guint8 *) "x", 1);
    assert_int_equal(wire_decode(bytes->data, bytes->len, &out), -EBADMSG);
    g_byte_array_set_size(bytes, bytes->len - 1);
    bytes->data[0]++;
    assert_int_equal(wire_decode(bytes->data, bytes->len, &out), -EPROTONOSUPPORT);
}

static void refuses_what_exceeds_limits(void **state)
{
    g_autofree char *big = g_strnfill(300 * 1024, 'x');
    wire_message m = deliver(big, 300 * 1024);
    assert_null(wire_encode(&m));
    wire_message h = { .type = WIRE_HANDOFF, .handoff = { .account_id = big } };
    assert_null(wire_encode(&h));
}

static void places_accounts(void **state)
{
    assert_int_equal(wire_shard_of("a", 1), 0);
    assert_int_equal(wire_shard_of("A", 7), wire_shard_of("a", 7));
    assert_int_equal(wire_shard_of("a", 1000), 0xaf63dc4c8601ec8cULL % 1000);   /* FNV-1a's published value */
}

/* ---- connections ---- */

typedef struct { sd_event *event; unsigned messages, lost; size_t summary_len; int fd; bool answered; } seen;

static void on_message(wire_conn *c, wire_message *m, void *data)
{
    seen *s = data;
    if (!m) {
        s->lost++;
        return;
    }
    s->messages++;
    if (m->type == WIRE_DELIVER)
        assert_deliver(m, s->summary_len);
    if (m->n_fds > 0)
        s->fd = wire_take_fd(m, 0);
    if (m->type == WIRE_RCPT_CHECK) {
        wire_message answer = { .type = WIRE_RCPT_VERDICT, .id = m->id, .rcpt_verdict = { .status = WIRE_OVER_QUOTA, .text = "full" } };
        assert_int_equal(wire_send(c, &answer), 0);
    }
}

static void on_verdict(wire_conn *c, wire_message *m, void *data)
{
    seen *s = data;
    s->answered = true;
    if (m)
        assert_int_equal(m->rcpt_verdict.status, WIRE_OVER_QUOTA);
    else
        s->lost++;
}

static void run(sd_event *event)
{
    while (sd_event_run(event, 0) > 0)
        ;
}

static void pair(sd_event *event, seen *a, seen *b, wire_conn **ca, wire_conn **cb)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(wire_conn_new(event, fds[0], on_message, a, ca), 0);
    assert_int_equal(wire_conn_new(event, fds[1], on_message, b, cb), 0);
}

static void carries_descriptors_and_large_payloads(void **state)
{
    sd_event *event;
    assert_int_equal(sd_event_new(&event), 0);
    seen a = { .fd = -1 }, b = { .fd = -1, .summary_len = 200 * 1024 };
    wire_conn *ca, *cb;
    pair(event, &a, &b, &ca, &cb);
    g_autofree char *big = g_strnfill(b.summary_len, 's');
    wire_message m = deliver(big, b.summary_len);
    int pipefd[2];
    assert_int_equal(pipe(pipefd), 0);
    m.fds[0] = pipefd[1];
    m.n_fds = 1;
    assert_int_equal(wire_send(ca, &m), 0);
    close(pipefd[1]);
    run(event);
    assert_int_equal(b.messages, 1);
    char byte;
    assert_int_equal(write(b.fd, "!", 1), 1);
    assert_int_equal(read(pipefd[0], &byte, 1), 1);
    close(b.fd);
    close(pipefd[0]);
    wire_conn_unref(ca);
    run(event);
    assert_int_equal(b.lost, 1);
    wire_conn_unref(cb);
    sd_event_unref(event);
}

/* more than the socket buffer holds: queued, in order, none lost */
static void queues_what_does_not_fit(void **state)
{
    sd_event *event;
    assert_int_equal(sd_event_new(&event), 0);
    seen a = { .fd = -1 }, b = { .fd = -1, .summary_len = 30000 };
    wire_conn *ca, *cb;
    pair(event, &a, &b, &ca, &cb);
    g_autofree char *body = g_strnfill(b.summary_len, 's');
    wire_message m = deliver(body, b.summary_len);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(wire_send(ca, &m), 0);
    run(event);
    assert_int_equal(b.messages, 50);
    wire_conn_unref(ca);
    wire_conn_unref(cb);
    sd_event_unref(event);
}

static void answers_calls(void **state)
{
    sd_event *event;
    assert_int_equal(sd_event_new(&event), 0);
    seen a = { .fd = -1 }, b = { .fd = -1 };
    wire_conn *ca, *cb;
    pair(event, &a, &b, &ca, &cb);
    wire_message m = { .type = WIRE_RCPT_CHECK, .rcpt_check = { .account_id = "a-1" } };
    assert_int_equal(wire_call(ca, &m, on_verdict, &a), 0);
    run(event);
    assert_true(a.answered);
    assert_int_equal(a.messages, 0);
    a.answered = false;
    wire_message parse = { .type = WIRE_PARSE };
    assert_int_equal(wire_call(ca, &parse, on_verdict, &a), 0);
    wire_conn_unref(cb);
    run(event);
    assert_true(a.answered);
    assert_int_equal(a.lost, 2);   /* the call and the connection */
    wire_conn_unref(ca);
    sd_event_unref(event);
}

static void listens(void **state)
{
    sd_event *event;
    assert_int_equal(sd_event_new(&event), 0);
    g_autofree char *path = g_strdup_printf("%s/wire-test-%d", g_get_tmp_dir(), (int) getpid());
    seen server = { .fd = -1, .summary_len = 3 }, client = { .fd = -1 };
    wire_listener *l;
    wire_conn *c;
    assert_int_equal(wire_connect(event, path, on_message, &client, &c), -ENOENT);
    assert_int_equal(wire_listen(event, path, NULL, on_message, &server, &l), 0);
    assert_int_equal(wire_connect(event, path, on_message, &client, &c), 0);
    wire_message m = deliver("sum", 3);
    assert_int_equal(wire_send(c, &m), 0);
    run(event);
    assert_int_equal(server.messages, 1);
    wire_conn_unref(c);
    run(event);
    assert_int_equal(server.lost, 1);
    wire_listener_free(l);
    sd_event_unref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_encoding), cmocka_unit_test(refuses_cut_datagrams),
        cmocka_unit_test(refuses_what_exceeds_limits), cmocka_unit_test(carries_descriptors_and_large_payloads),
        cmocka_unit_test(queues_what_does_not_fit), cmocka_unit_test(places_accounts), cmocka_unit_test(answers_calls), cmocka_unit_test(listens),
    };
    return cmocka_run_group_tests_name("store-wire", tests, NULL, NULL);
}
