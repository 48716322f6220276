#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/store/shard/session/stream.h"
#include "agents/store/shard/session/work.h"

typedef struct {
    sd_event *event;
    stream *s;
    int peer;
    unsigned inputs, drains, lost;
    bool takes;               /* all input at once */
    size_t to_make, most;     /* output to produce in drain; the most that was buffered */
} peer;

static void on_input(void *data)
{
    peer *p = data;
    p->inputs++;
    if (p->takes)
        stream_consume(p->s, stream_input(p->s)->len);
}

static void on_drain(void *data)
{
    peer *p = data;
    p->drains++;
    while (p->to_make > 0 && !stream_full(p->s)) {
        size_t n = MIN(p->to_make, 1000);
        g_autofree char *text = g_strnfill(n, 'x');
        g_string_append_len(stream_output(p->s), text, (gssize) n);
        p->to_make -= n;
        p->most = MAX(p->most, stream_output(p->s)->len);
    }
}

static void on_lost(void *data)
{
    ((peer *) data)->lost++;
}

static const stream_ops ops = { .input = on_input, .drain = on_drain, .lost = on_lost, .idle = on_lost };

static void open_peer(peer *p)
{
    int fds[2];
    assert_int_equal(sd_event_new(&p->event), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    p->peer = fds[1];
    p->s = stream_new(p->event, fds[0], &ops, p);
}

static void close_peer(peer *p)
{
    stream_free(p->s);
    if (p->peer >= 0)
        close(p->peer);
    sd_event_unref(p->event);
}

static void run(peer *p)
{
    while (sd_event_run(p->event, 0) > 0)
        ;
}

static void offers_input_until_it_is_taken(void **state)
{
    peer p = { .takes = false };
    open_peer(&p);
    assert_int_equal(write(p.peer, "abc", 3), 3);
    run(&p);
    assert_int_equal(p.inputs, 1);
    assert_int_equal(stream_input(p.s)->len, 3);
    stream_want_input(p.s, false);
    assert_int_equal(write(p.peer, "def", 3), 3);
    run(&p);
    assert_int_equal(stream_input(p.s)->len, 3);   /* not read while unwanted */
    p.takes = true;
    stream_want_input(p.s, true);
    run(&p);
    assert_int_equal(stream_input(p.s)->len, 0);
    assert_int_equal(p.lost, 0);
    close_peer(&p);
}

/* What came before the end is worked on; then the stream is lost, once. */
static void ends_after_the_last_input(void **state)
{
    peer p = { .takes = true };
    open_peer(&p);
    assert_int_equal(write(p.peer, "abc", 3), 3);
    shutdown(p.peer, SHUT_WR);
    run(&p);
    assert_int_equal(p.inputs, 1);
    assert_int_equal(p.lost, 1);
    close_peer(&p);

    peer q = { .takes = false };   /* half a line that nobody will complete */
    open_peer(&q);
    assert_int_equal(write(q.peer, "abc", 3), 3);
    close(q.peer);
    q.peer = -1;
    run(&q);
    assert_int_equal(q.lost, 1);
    close_peer(&q);
}

static void never_buffers_more_than_it_should(void **state)
{
    peer p = { .to_make = 3 * 1000 * 1000 };
    open_peer(&p);
    stream_want_input(p.s, false);
    stream_flush(p.s);
    (void) stream_output(p.s);
    run(&p);
    assert_true(p.to_make > 2 * 1000 * 1000);   /* the socket is full, so production stopped */
    size_t got = 0;
    while (got < 3 * 1000 * 1000) {
        char bytes[65536];
        ssize_t n = recv(p.peer, bytes, sizeof bytes, MSG_DONTWAIT);
        assert_true(n > 0);
        got += (size_t) n;
        run(&p);
    }
    assert_int_equal(p.to_make, 0);
    assert_true(p.most < STREAM_HIGH + 2000 + 128 * 1024);
    close_peer(&p);
}

/* ---- reading blobs ---- */

static void on_bytes(ssize_t r, const void *bytes, void *data)
{
    GString *got = data;
    if (r > 0)
        g_string_append_len(got, bytes, r);
    else
        g_string_append_printf(got, "<%d>", (int) r);
}

static void reads_blobs(void **state)
{
    sd_event *event;
    assert_int_equal(sd_event_new(&event), 0);
    work_pool *w = work_pool_new(event, 2);
    int fd = memfd_create("blob", MFD_CLOEXEC);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    g_autoptr(GString) got = g_string_new(NULL);
    static const struct { uint64_t offset; size_t n; } reads[] = { { 0, 4 }, { 4, 6 }, { 8, 100 }, { 10, 5 } };
    for (size_t i = 0; i < G_N_ELEMENTS(reads); i++) {
        size_t before = got->len;
        blob_read(w, fd, reads[i].offset, reads[i].n, on_bytes, got);
        while (got->len == before)
            assert_true(sd_event_run(event, G_USEC_PER_SEC) > 0);
    }
    blob_read(w, -1, 0, 5, on_bytes, got);
    work_pool_free(w);   /* what runs is finished and told */
    g_autofree char *expected = g_strdup_printf("012345678989<0><%d>", -EBADF);
    assert_string_equal(got->str, expected);
    close(fd);
    sd_event_unref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_input_until_it_is_taken), cmocka_unit_test(ends_after_the_last_input),
        cmocka_unit_test(never_buffers_more_than_it_should), cmocka_unit_test(reads_blobs),
    };
    return cmocka_run_group_tests_name("store-session", tests, NULL, NULL);
}
