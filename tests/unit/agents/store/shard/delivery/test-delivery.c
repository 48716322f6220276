/* Deliveries into a real shard, asked for as intake does it. */
#include "tests/unit/agents/store/shard/fixture.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/store/shard/delivery/delivery.h"
#include "agents/store/wire/wire.h"
#include "lib/journal/journal.h"

#define OTHER "6a1b0c9e-0000-4000-8000-000000000002"

typedef struct {
    fixture *f;
    delivery *d;
    wire_conn *intake, *shard;
    int waiting, answers;
    wire_status status[8], verdict;
    uint32_t uid[8];
    int spool;
} scene;

static void on_request(wire_conn *c, wire_message *m, void *data)
{
    scene *s = data;
    if (m)
        assert_true(delivery_message(s->d, c, m));
}

static scene *scene_new(unsigned number, unsigned count)
{
    scene *s = g_new0(scene, 1);
    s->f = fixture_new();
    fixture_open(s->f);
    s->d = delivery_new(s->f->shard, number, count);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(wire_conn_new(s->f->event, pair[0], NULL, NULL, &s->intake), 0);
    assert_int_equal(wire_conn_new(s->f->event, pair[1], on_request, s, &s->shard), 0);
    return s;
}

static void scene_free(scene *s)
{
    delivery_free(s->d);
    fixture_free(s->f);
    wire_conn_unref(s->intake);
    wire_conn_unref(s->shard);
    g_free(s);
}

static void on_delivered(wire_conn *c, wire_message *m, void *data)
{
    scene *s = data;
    assert_non_null(m);
    for (size_t i = 0; i < m->delivered.n_results && i < 8; i++) {
        s->status[i] = (wire_status) m->delivered.results[i].status;
        s->uid[i] = m->delivered.results[i].uid;
    }
    s->answers++;
    s->waiting--;
}

static void on_verdict(wire_conn *c, wire_message *m, void *data)
{
    scene *s = data;
    assert_non_null(m);
    s->verdict = (wire_status) m->rcpt_verdict.status;
    s->spool = wire_take_fd(m, 0);
    s->waiting--;
}

static wire_status check(scene *s, const char *account, int64_t quota, uint64_t size, bool spool)
{
    wire_message m = { .type = WIRE_RCPT_CHECK, .rcpt_check = { account, "a@b", quota, size, spool } };
    s->waiting = 1;
    assert_int_equal(wire_call(s->intake, &m, on_verdict, s), 0);
    fixture_run(s->f, &s->waiting);
    return s->verdict;
}

static void ask(scene *s, const wire_recipient *to, size_t n, const char *text, uint64_t size, int fd)
{
    wire_message m = { .type = WIRE_DELIVER, .deliver = {
        .sender = "s@t", .client = "c", .message_id = "<i>", .incoming = "", .date = 1000, .size = size,
        .summary = { "s", 1 }, .recipients = to, .n_recipients = n } };
    if (fd >= 0)
        m.fds[m.n_fds++] = fd;
    else
        m.deliver.body = (wire_bytes) { text, strlen(text) };
    assert_int_equal(wire_call(s->intake, &m, on_delivered, s), 0);
}

static void deliver(scene *s, const wire_recipient *to, size_t n, const char *text, uint64_t size, int fd)
{
    s->waiting = 1;
    ask(s, to, n, text, size, fd);
    fixture_run(s->f, &s->waiting);
}

static uint32_t item_of(scene *s, mailbox *m, uint32_t folder, uint32_t uid)
{
    folder_view *v = view_of_folder(s->f, m, folder);
    const message_record *r = folder_view_find(v, uid);
    assert_non_null(r);
    uint32_t item = r->item;
    folder_view_unref(v);
    return item;
}

static void assert_text(scene *s, const char *account, uint32_t folder, uint32_t uid, const char *text, size_t text_len)
{
    mailbox *m = open_mailbox(s->f, account);
    size_t len;
    g_autofree char *got = blob_text(s->f, m, item_of(s, m, folder, uid), &len);
    assert_int_equal(len, text_len);
    assert_memory_equal(got, text, len);
    mailbox_unref(m);
}

static void on_blob(int r, int fd, uint64_t size, void *data)
{
    struct stat *st = data;
    assert_int_equal(r, 0);
    assert_int_equal(fstat(fd, st), 0);
    close(fd);
}

static ino_t inode_of(scene *s, const char *account, uint32_t uid)
{
    mailbox *m = open_mailbox(s->f, account);
    struct stat st = { 0 };
    mailbox_blob(m, item_of(s, m, FOLDER_ID_INBOX, uid), on_blob, &st);
    while (st.st_ino == 0)
        assert_true(sd_event_run(s->f->event, UINT64_MAX) >= 0);
    mailbox_unref(m);
    return st.st_ino;
}

static void verdicts(void **state)
{
    scene *s = scene_new(0, 1);
    assert_int_equal(check(s, ACCOUNT, 0, 0, false), WIRE_OK);
    assert_int_equal(s->spool, -1);
    assert_int_equal(check(s, ACCOUNT, 1000, 2000, false), WIRE_OVER_QUOTA);
    assert_int_equal(check(s, "../etc", 0, 0, false), WIRE_NO_SUCH);
    assert_int_equal(check(s, ACCOUNT, 0, 0, true), WIRE_OK);
    assert_true(s->spool >= 0);
    close(s->spool);
    scene_free(s);
}

static void inbox_and_junk(void **state)
{
    static const wire_recipient to[] = { { ACCOUNT, "a@b", 0, WIRE_INBOX }, { OTHER, "c@d", 0, WIRE_JUNK } };
    static const char text[] = "Subject: x\r\n\r\nbody\r\n";
    scene *s = scene_new(0, 1);
    deliver(s, to, 2, text, strlen(text), -1);
    assert_int_equal(s->status[0], WIRE_OK);
    assert_int_equal(s->status[1], WIRE_OK);
    assert_text(s, ACCOUNT, FOLDER_ID_INBOX, s->uid[0], text, strlen(text));
    assert_text(s, OTHER, FOLDER_ID_JUNK, s->uid[1], text, strlen(text));
    scene_free(s);
}

static void several_recipients_share_a_file(void **state)
{
    static const wire_recipient to[] = { { ACCOUNT, "a@b", 0, WIRE_INBOX }, { OTHER, "c@d", 0, WIRE_INBOX } };
    g_autofree char *text = g_strnfill(40000, 'x');
    scene *s = scene_new(0, 1);
    deliver(s, to, 2, "small\r\n", 7, -1);
    assert_int_equal(inode_of(s, ACCOUNT, s->uid[0]), inode_of(s, OTHER, s->uid[1]));
    assert_int_equal(check(s, ACCOUNT, 0, 0, true), WIRE_OK);
    assert_int_equal(write(s->spool, text, 40000), 40000);
    deliver(s, to, 2, NULL, 40000, s->spool);
    close(s->spool);
    assert_int_equal(s->status[0], WIRE_OK);
    assert_text(s, ACCOUNT, FOLDER_ID_INBOX, s->uid[0], text, 40000);
    assert_int_equal(inode_of(s, ACCOUNT, s->uid[0]), inode_of(s, OTHER, s->uid[1]));
    scene_free(s);
}

static void each_recipient_has_his_result(void **state)
{
    static const wire_recipient to[] = {
        { ACCOUNT, "a@b", 10, WIRE_INBOX }, { "no/id", "x@y", 0, WIRE_INBOX }, { OTHER, "c@d", 0, WIRE_INBOX },
    };
    scene *s = scene_new(0, 1);
    deliver(s, to, 3, "more than ten bytes\r\n", 21, -1);
    assert_int_equal(s->status[0], WIRE_OVER_QUOTA);
    assert_int_equal(s->status[1], WIRE_NO_SUCH);
    assert_int_equal(s->status[2], WIRE_OK);
    scene_free(s);
}

static void foreign_accounts_are_put_off(void **state)
{
    scene *s = scene_new(wire_shard_of(ACCOUNT, 7) == 0 ? 1 : 0, 7);
    assert_int_equal(check(s, ACCOUNT, 0, 0, false), WIRE_TEMPFAIL);
    scene_free(s);
}

static void what_is_not_whole_is_refused(void **state)
{
    static const wire_recipient to = { ACCOUNT, "a@b", 0, WIRE_INBOX };
    scene *s = scene_new(0, 1);
    deliver(s, &to, 1, "text", 5, -1);                     /* shorter than it says */
    assert_int_equal(s->status[0], WIRE_REFUSED);
    int fd = memfd_create("text", MFD_CLOEXEC);
    assert_int_equal(write(fd, "text", 4), 4);
    deliver(s, &to, 1, NULL, 50000, fd);
    assert_int_equal(s->status[0], WIRE_REFUSED);
    close(fd);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    deliver(s, &to, 1, NULL, 4, pipes[0]);
    assert_int_equal(s->status[0], WIRE_REFUSED);
    close(pipes[0]);
    close(pipes[1]);
    scene_free(s);
}

/* More than the log has room for at a time: all wait their turn, none is refused. */
static void a_burst_waits_for_room(void **state)
{
    enum { N = 300 };
    static const wire_recipient to = { ACCOUNT, "a@b", 0, WIRE_INBOX };
    g_autofree char *text = g_strnfill(30000, 'x');
    scene *s = scene_new(0, 1);
    s->waiting = N;
    for (int i = 0; i < N; i++)
        ask(s, &to, 1, text, 30000, -1);
    while (s->waiting > 0) {
        assert_true(sd_event_run(s->f->event, UINT64_MAX) >= 0);
        assert_int_equal(s->status[0], WIRE_OK);
    }
    assert_int_equal(s->answers, N);
    mailbox *m = open_mailbox(s->f, ACCOUNT);
    folder_view *v = view_of_folder(s->f, m, FOLDER_ID_INBOX);
    assert_int_equal(v->n, N);
    folder_view_unref(v);
    mailbox_unref(m);
    scene_free(s);
}

int main(void)
{
    journal_open("test-delivery", "error");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts), cmocka_unit_test(inbox_and_junk), cmocka_unit_test(several_recipients_share_a_file),
        cmocka_unit_test(each_recipient_has_his_result), cmocka_unit_test(foreign_accounts_are_put_off),
        cmocka_unit_test(what_is_not_whole_is_refused), cmocka_unit_test(a_burst_waits_for_room),
    };
    return cmocka_run_group_tests_name("store-delivery", tests, NULL, NULL);
}
