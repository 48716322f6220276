/* lib/auth against a scripted zmauthd in the same event loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/auth/auth.h"
#include "lib/auth/wire.h"

typedef struct {
    sd_event *event;
    char *dir, *path;
    int listener, peer;
    auth_client *client;
    unsigned calls;
    auth_status status;
    char *name, *ticket, *reason;
} fixture;

static void server_start(fixture *f)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    g_strlcpy(a.sun_path, f->path, sizeof a.sun_path);
    f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *) &a, sizeof a), 0);
    assert_int_equal(listen(f->listener, 5), 0);
}

static void server_stop(fixture *f)
{
    if (f->peer >= 0)
        close(f->peer);
    if (f->listener >= 0)
        close(f->listener);
    f->peer = f->listener = -1;
    g_unlink(f->path);
}

static int setup(void **state)
{
    fixture *f = g_new0(fixture, 1);
    assert_true(sd_event_new(&f->event) >= 0);
    f->dir = g_dir_make_tmp("auth-client-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "sock", NULL);
    f->listener = f->peer = -1;
    f->client = auth_client_new(f->event, f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    auth_client_free(f->client);
    server_stop(f);
    g_rmdir(f->dir);
    sd_event_unref(f->event);
    g_free(f->dir);
    g_free(f->path);
    g_free(f->name);
    g_free(f->ticket);
    g_free(f->reason);
    g_free(f);
    return 0;
}

static void note_ticket(const auth_result *r, const char *ticket, void *data)
{
    fixture *f = data;
    f->calls++;
    f->status = r->status;
    g_free(f->name);
    g_free(f->ticket);
    g_free(f->reason);
    f->name = g_strdup(r->name);
    f->ticket = g_strdup(ticket);
    f->reason = g_strdup(r->reason);
}

static void note(const auth_result *r, void *data)
{
    note_ticket(r, NULL, data);
}

static void run_until(fixture *f, unsigned calls)
{
    for (int i = 0; i < 100 && f->calls < calls; i++)
        assert_true(sd_event_run(f->event, 20 * 1000) >= 0);
    assert_int_equal(f->calls, calls);
}

/* The next request; its bytes stay in BUF. */
static auth_message server_read(fixture *f, uint8_t *buf)
{
    auth_message m;
    if (f->peer < 0)
        f->peer = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    ssize_t n = recv(f->peer, buf, AUTH_WIRE_MAX, 0);
    assert_true(n > 0);
    assert_int_equal(auth_wire_decode(buf, (size_t) n, &m), 0);
    return m;
}

static void server_answer(fixture *f, const auth_message *request, auth_status status)
{
    auth_message m = { .op = request->op, .id = request->id, .status = status };
    m.field[AUTH_F_NAME] = request->field[AUTH_F_USER];
    m.field[AUTH_F_TICKET] = request->op == AUTH_OP_TICKET ? "zt1.x" : NULL;
    GByteArray *b = auth_wire_encode(&m);
    assert_int_equal(send(f->peer, b->data, b->len, 0), b->len);
    auth_wire_free(b);
}

static void answers_in_any_order(void **state)
{
    fixture *f = *state;
    uint8_t a[AUTH_WIRE_MAX], b[AUTH_WIRE_MAX];
    server_start(f);
    auth_login(f->client, "imap", "alice", "secret", "192.0.2.1", note, f);
    auth_login_ticket(f->client, "pop3", "bob", "secret", "192.0.2.2", note_ticket, f);
    auth_message first = server_read(f, a), second = server_read(f, b);
    assert_string_equal(first.field[AUTH_F_PROTOCOL], "imap");
    assert_string_equal(first.field[AUTH_F_PASSWORD], "secret");
    assert_string_equal(second.field[AUTH_F_CLIENT_IP], "192.0.2.2");
    server_answer(f, &second, AUTH_OK);
    run_until(f, 1);
    assert_string_equal(f->name, "bob");
    assert_string_equal(f->ticket, "zt1.x");
    server_answer(f, &first, AUTH_DENIED);
    run_until(f, 2);
    assert_int_equal(f->status, AUTH_DENIED);
    assert_string_equal(f->name, "alice");
}

static void absent_server_is_a_temporary_failure(void **state)
{
    fixture *f = *state;
    auth_login(f->client, "imap", "alice", "secret", "", note, f);
    auth_resolve(f->client, "bob@example.com", note, f);
    assert_int_equal(f->calls, 0);   /* never from within the request */
    run_until(f, 2);
    assert_int_equal(f->status, AUTH_TEMPFAIL);
}

static void too_long_is_refused_here(void **state)
{
    fixture *f = *state;
    g_autofree char *huge = g_strnfill(100000, 'x');
    server_start(f);
    auth_login(f->client, "imap", "alice", huge, "", note, f);
    run_until(f, 1);
    assert_int_equal(f->status, AUTH_DENIED);
    auth_resolve(f->client, huge, note, f);
    run_until(f, 2);
    assert_int_equal(f->status, AUTH_NO_SUCH);
}

static void restart_of_the_server_is_bridged(void **state)
{
    fixture *f = *state;
    uint8_t buf[AUTH_WIRE_MAX];
    server_start(f);
    auth_login(f->client, "imap", "alice", "secret", "", note, f);
    auth_message m = server_read(f, buf);
    server_answer(f, &m, AUTH_OK);
    run_until(f, 1);
    auth_login(f->client, "imap", "bob", "secret", "", note, f);
    (void) server_read(f, buf);
    server_stop(f);
    server_start(f);
    for (int i = 0; i < 5; i++)
        assert_true(sd_event_run(f->event, 10 * 1000) >= 0);
    m = server_read(f, buf);
    assert_string_equal(m.field[AUTH_F_USER], "bob");
    server_answer(f, &m, AUTH_OK);
    run_until(f, 2);
    assert_int_equal(f->status, AUTH_OK);
    server_stop(f);
    auth_login(f->client, "imap", "carol", "secret", "", note, f);
    run_until(f, 3);
    assert_int_equal(f->status, AUTH_TEMPFAIL);
}

static void broken_answer_drops_the_connection(void **state)
{
    fixture *f = *state;
    uint8_t buf[AUTH_WIRE_MAX];
    server_start(f);
    auth_login(f->client, "imap", "alice", "secret", "", note, f);
    (void) server_read(f, buf);
    assert_int_equal(send(f->peer, "nonsense", 8, 0), 8);
    run_until(f, 1);
    assert_int_equal(f->status, AUTH_TEMPFAIL);
}

static void cancelled_requests_stay_silent(void **state)
{
    fixture *f = *state;
    uint8_t a[AUTH_WIRE_MAX], b[AUTH_WIRE_MAX];
    server_start(f);
    uint64_t id = auth_login(f->client, "imap", "alice", "secret", "", note, f);
    auth_login(f->client, "imap", "bob", "secret", "", note, f);
    auth_cancel(f->client, id);
    auth_cancel(f->client, 4711);
    auth_message first = server_read(f, a), second = server_read(f, b);
    server_answer(f, &first, AUTH_OK);
    server_answer(f, &second, AUTH_OK);
    run_until(f, 1);
    assert_string_equal(f->name, "bob");
}

static void free_answers_what_is_pending(void **state)
{
    fixture *f = *state;
    server_start(f);
    auth_login(f->client, "imap", "alice", "secret", "", note, f);
    auth_login(f->client, "imap", "bob", "secret", "", note, f);
    auth_client_free(f->client);
    f->client = NULL;
    assert_int_equal(f->calls, 2);
    assert_int_equal(f->status, AUTH_TEMPFAIL);
}

static void free_client(const auth_result *r, void *data)
{
    fixture *f = data;
    auth_client *c = f->client;
    f->client = NULL;
    f->calls++;
    auth_client_free(c);
}

static void callback_may_free_the_client(void **state)
{
    fixture *f = *state;
    uint8_t buf[AUTH_WIRE_MAX];
    server_start(f);
    auth_login(f->client, "imap", "alice", "secret", "", free_client, f);
    auth_message m = server_read(f, buf);
    server_answer(f, &m, AUTH_OK);
    run_until(f, 1);
    assert_true(sd_event_run(f->event, 1000) >= 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(answers_in_any_order), T(absent_server_is_a_temporary_failure), T(too_long_is_refused_here),
        T(restart_of_the_server_is_bridged), T(broken_answer_drops_the_connection),
        T(cancelled_requests_stay_silent), T(free_answers_what_is_pending), T(callback_may_free_the_client),
    };
    return cmocka_run_group_tests_name("auth-client", tests, NULL, NULL);
}
