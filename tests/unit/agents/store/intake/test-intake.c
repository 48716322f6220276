/* Whole LMTP sessions against a scripted zmauthd and a scripted shard in one loop:
 * replies, what reaches the shard, and what happens when either is away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agents/store/intake/intake.h"
#include "lib/auth/wire.h"
#include "lib/journal/journal.h"
#include "lib/mime/mime.h"

typedef struct {
    sd_event *event;
    char *dir;
    intake *in;
    int auth_listener;
    sd_event_source *auth_accept, *auth_io;
    wire_listener *shard;
    wire_conn *shard_conn;         /* where the shard answers, borrowed */
    int client;
    GString *seen;                 /* what the client got */
    /* what the shard saw and does */
    GString *body;
    GPtrArray *delivered;          /* account ids */
    int folder;
    unsigned deliveries, spools;
    bool mute, refuse_spool;       /* mute: no answer to DELIVER */
    wire_status result;
    bool summary_good;
} fixture;

/* ---- scripted zmauthd: the local part says what comes back ---- */

static const struct { const char *local; auth_status status; const char *account, *state, *host; } people[] = {
    { "ann",     AUTH_OK, "id-ann",  "active", "here.example" },
    { "annie",   AUTH_OK, "id-ann",  "active", "here.example" },      /* alias */
    { "bob",     AUTH_OK, "id-bob",  "locked", "HERE.example" },
    { "full",    AUTH_OK, "id-full", "active", "here.example" },
    { "maint",   AUTH_OK, "id-m",    "maintenance", "here.example" },
    { "susp",    AUTH_OK, "id-s",    "suspended", "here.example" },
    { "closed",  AUTH_OK, "id-c",    "closed", "here.example" },
    { "pending", AUTH_OK, "id-p",    "pending", "here.example" },
    { "odd",     AUTH_OK, "id-o",    "whatever", "here.example" },
    { "away",    AUTH_OK, "id-a",    "active", "other.example" },
    { "dirdown", AUTH_TEMPFAIL, NULL, NULL, NULL },
};

static int on_auth(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    uint8_t bytes[AUTH_WIRE_MAX];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    auth_message m;
    if (n <= 0 || auth_wire_decode(bytes, (size_t) n, &m) < 0) {
        sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
    }
    auth_message reply = { .op = m.op, .id = m.id, .status = AUTH_NO_SUCH };
    g_autofree char *local = g_strndup(m.field[AUTH_F_ADDRESS], strcspn(m.field[AUTH_F_ADDRESS], "@"));
    for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
        if (!g_str_equal(people[i].local, local))
            continue;
        reply.status = (uint8_t) people[i].status;
        reply.field[AUTH_F_ACCOUNT_ID] = people[i].account;
        reply.field[AUTH_F_NAME] = people[i].account ? m.field[AUTH_F_ADDRESS] : NULL;
        reply.field[AUTH_F_ACCOUNT_STATUS] = people[i].state;
        reply.field[AUTH_F_MAIL_HOST] = people[i].host;
        reply.field[AUTH_F_QUOTA] = "1000";
    }
    GByteArray *out = auth_wire_encode(&reply);
    assert_int_equal(send(fd, out->data, out->len, 0), out->len);
    auth_wire_free(out);
    return 0;
}

static int on_auth_accept(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    fixture *f = data;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    f->auth_io = sd_event_source_disable_unref(f->auth_io);
    assert_true(sd_event_add_io(f->event, &f->auth_io, peer, EPOLLIN, on_auth, f) >= 0);
    sd_event_source_set_io_fd_own(f->auth_io, true);
    return 0;
}

/* ---- scripted shard ---- */

static void take_delivery(fixture *f, wire_conn *c, wire_message *m)
{
    const wire_deliver *d = &m->deliver;
    f->deliveries++;
    g_string_truncate(f->body, 0);
    if (m->n_fds) {
        g_string_set_size(f->body, d->size);
        assert_int_equal(pread(m->fds[0], f->body->str, d->size, 0), d->size);
    } else {
        g_string_append_len(f->body, d->body.data, (gssize) d->body.len);
    }
    assert_int_equal(f->body->len, d->size);
    mime_summary *s = NULL;
    f->summary_good = mime_summary_decode(d->summary.data, d->summary.len, &s) == 0 && s->size == d->size;
    mime_summary_free(s);
    wire_result results[8];
    for (size_t i = 0; i < d->n_recipients; i++) {
        g_ptr_array_add(f->delivered, g_strdup(d->recipients[i].account_id));
        assert_int_equal(d->recipients[i].quota_bytes, 1000);
        results[i] = (wire_result) { i == 0 ? f->result : WIRE_OK, 1, "because" };
        f->folder = (int) d->recipients[i].folder;
    }
    wire_message answer = { .type = WIRE_DELIVERED, .id = m->id,
                            .delivered = { .incoming = "", .results = results, .n_results = d->n_recipients } };
    if (!f->mute)
        assert_int_equal(wire_send(c, &answer), 0);
}

static void on_shard(wire_conn *c, wire_message *m, void *data)
{
    fixture *f = data;
    f->shard_conn = m ? c : NULL;
    if (!m)
        return;
    if (m->type == WIRE_DELIVER) {
        take_delivery(f, c, m);
        return;
    }
    assert_int_equal(m->type, WIRE_RCPT_CHECK);
    wire_message answer = { .type = WIRE_RCPT_VERDICT, .id = m->id, .rcpt_verdict = { WIRE_OK, "" } };
    if (g_str_equal(m->rcpt_check.account_id, "id-full"))
        answer.rcpt_verdict.status = WIRE_OVER_QUOTA;
    if (m->rcpt_check.want_spool) {
        f->spools++;
        if (f->refuse_spool) {
            answer.rcpt_verdict.status = WIRE_TEMPFAIL;
        } else {
            answer.fds[0] = memfd_create("spool", MFD_CLOEXEC);
            answer.n_fds = 1;
        }
    }
    assert_int_equal(wire_send(c, &answer), 0);
    if (answer.n_fds)
        close(answer.fds[0]);
}

static void start_shard(fixture *f)
{
    g_autofree char *path = g_strdup_printf("%s/shard-0", f->dir);
    assert_int_equal(wire_listen(f->event, path, NULL, on_shard, f, &f->shard), 0);
}

/* ---- fixture ---- */

static void start_auth(fixture *f, const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    g_strlcpy(a.sun_path, path, sizeof a.sun_path);
    f->auth_listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->auth_listener, (struct sockaddr *) &a, sizeof a), 0);
    assert_int_equal(listen(f->auth_listener, 5), 0);
    assert_true(sd_event_add_io(f->event, &f->auth_accept, f->auth_listener, EPOLLIN, on_auth_accept, f) >= 0);
}

static void connect_client(fixture *f)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    f->client = pair[0];
    session_start(f->in, pair[1], "192.0.2.1");
}

static int setup(void **state)
{
    fixture *f = g_new0(fixture, 1);
    assert_true(sd_event_new(&f->event) >= 0);
    f->dir = g_dir_make_tmp("intake-XXXXXX", NULL);
    g_autofree char *auth = g_build_filename(f->dir, "auth", NULL);
    start_auth(f, auth);
    start_shard(f);
    f->seen = g_string_new(NULL);
    f->body = g_string_new(NULL);
    f->delivered = g_ptr_array_new_with_free_func(g_free);
    intake_config config = { .hostname = g_strdup("here.example"), .advertised_name = g_strdup("here.example"),
                             .socket_dir = g_strdup(f->dir), .auth_socket = g_strdup(auth), .shards = 1,
                             .max_message_size = 200000, .max_recipients = 5, .max_line = 1000, .max_sessions = 2, .idle_timeout = 60 };
    assert_int_equal(intake_new(f->event, &config, &f->in), 0);
    connect_client(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    close(f->client);
    intake_free(f->in);
    wire_listener_free(f->shard);
    sd_event_source_disable_unref(f->auth_io);
    sd_event_source_disable_unref(f->auth_accept);
    close(f->auth_listener);
    g_autofree char *auth = g_build_filename(f->dir, "auth", NULL);
    g_unlink(auth);
    g_rmdir(f->dir);
    sd_event_unref(f->event);
    g_string_free(f->seen, TRUE);
    g_string_free(f->body, TRUE);
    g_ptr_array_unref(f->delivered);
    g_free(f->dir);
    g_free(f);
    return 0;
}

static void receive(fixture *f)
{
    char bytes[4096];
    for (ssize_t n; (n = recv(f->client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0; )
        g_string_append_len(f->seen, bytes, n);
}

/* Turns the loop until nothing happens for 20 ms. */
static void settle(fixture *f)
{
    while (sd_event_run(f->event, 20000) > 0)
        receive(f);
    receive(f);
}

static void say(fixture *f, const char *text)
{
    for (size_t at = 0, len = strlen(text); at < len; ) {
        ssize_t n = send(f->client, text + at, len - at, MSG_NOSIGNAL);
        if (n > 0)
            at += (size_t) n;
        else if (errno != EAGAIN)
            break;
        settle(f);
    }
    settle(f);
}

/* Codes of the replies seen since the last call, joined by blanks. */
static char *codes(fixture *f)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(f->seen->str, "\r\n", -1);
    for (char **l = lines; *l && **l; l++)
        if ((*l)[3] == ' ')
            g_string_append_printf(out, "%s%.*s", out->len ? " " : "", g_ascii_isdigit((*l)[4]) && (*l)[5] == '.' ? 9 : 3, *l);
    g_string_truncate(f->seen, 0);
    return g_string_free(out, FALSE);
}

#define EXPECT(f, text) do { g_autofree char *got = codes(f); assert_string_equal(got, text); } while (0)
#define HELLO "LHLO mta\r\nMAIL FROM:<s@t>\r\n"

static void delivers(void **state)
{
    fixture *f = *state;
    say(f, HELLO "RCPT TO:<ann@x>\r\nRCPT TO:<bob@x>\r\nDATA\r\n");
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 250 2.1.5 354");
    say(f, "Subject: a\r\n\r\n..dot\r\nbare\nlf\r\n.\r\nNOOP\r\n");
    EXPECT(f, "250 2.0.0 250 2.0.0 250 2.0.0");
    assert_string_equal(f->body->str, "Return-Path: <s@t>\r\nSubject: a\r\n\r\n.dot\r\nbare\nlf\r\n");
    assert_int_equal(f->delivered->len, 2);
    assert_int_equal(f->deliveries, 1);
    assert_int_equal(f->folder, WIRE_INBOX);
    assert_true(f->summary_good);
    say(f, "MAIL FROM:<>\r\nRCPT TO:<ann@x>\r\nDATA\r\n.\r\nQUIT\r\n");
    EXPECT(f, "250 2.1.0 250 2.1.5 354 250 2.0.0 221 2.0.0");
    assert_string_equal(f->body->str, "Return-Path: <>\r\n");
}

static void byte_by_byte(void **state)
{
    fixture *f = *state;
    static const char text[] = HELLO "RCPT TO:<ann@x>\r\nDATA\r\nSubject: a\r\nX-Spam-Flag: YES\r\n\r\n..\r\n.\r\nQUIT\r\n";
    for (const char *p = text; *p; p++)
        say(f, (char[]) { *p, 0 });
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 354 250 2.0.0 221 2.0.0");
    assert_string_equal(f->body->str, "Return-Path: <s@t>\r\nSubject: a\r\nX-Spam-Flag: YES\r\n\r\n.\r\n");
    assert_int_equal(f->folder, WIRE_JUNK);
}

static void recipients_by_status(void **state)
{
    fixture *f = *state;
    static const struct { const char *rcpt, *code; } cases[] = {
        { "bob", "250 2.1.5" }, { "maint", "450 4.2.1" }, { "susp", "450 4.2.1" }, { "closed", "550 5.2.1" },
        { "pending", "550 5.2.1" }, { "odd", "450 4.2.1" }, { "away", "450 4.3.5" }, { "dirdown", "451 4.3.0" },
        { "nobody", "550 5.1.1" }, { "full", "452 4.2.2" },
    };
    say(f, HELLO);
    EXPECT(f, "220 250 250 2.1.0");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = g_strdup_printf("RCPT TO:<%s@x>\r\n", cases[i].rcpt);
        say(f, line);
        EXPECT(f, cases[i].code);
    }
    say(f, "DATA\r\nx\r\n.\r\n");
    EXPECT(f, "354 250 2.0.0");          /* one reply: only bob was accepted */
}

static void same_account_twice(void **state)
{
    fixture *f = *state;
    say(f, HELLO "RCPT TO:<ann@x>\r\nRCPT TO:<annie@x>\r\nDATA\r\nx\r\n.\r\n");
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 250 2.1.5 354 250 2.0.0 250 2.0.0");
    assert_int_equal(f->delivered->len, 1);
}

static void results_per_recipient(void **state)
{
    fixture *f = *state;
    f->result = WIRE_OVER_QUOTA;
    f->in->config.over_quota_permanent = true;
    say(f, HELLO "RCPT TO:<ann@x>\r\nRCPT TO:<bob@x>\r\nDATA\r\nx\r\n.\r\n");
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 250 2.1.5 354 552 5.2.2 250 2.0.0");
}

static void order_of_commands(void **state)
{
    fixture *f = *state;
    say(f, "MAIL FROM:<a@b>\r\nEHLO x\r\nFOO\r\nLHLO x\r\nRCPT TO:<ann@x>\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\n");
    EXPECT(f, "220 503 5.5.1 500 5.5.1 500 5.5.2 250 503 5.5.1 250 2.1.0 503 5.5.1 503 5.5.1");
    say(f, "RCPT TO:<ann@x>\r\nRSET\r\nDATA\r\nVRFY ann\r\nQUIT\r\n");
    EXPECT(f, "250 2.1.5 250 2.0.0 503 5.5.1 252 2.5.0 221 2.0.0");
}

static void too_many_errors(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 25; i++)
        say(f, "FOO\r\n");
    g_autofree char *got = codes(f);
    assert_true(g_str_has_suffix(got, "500 5.5.2 421 4.7.0"));
}

static void limits(void **state)
{
    fixture *f = *state;
    g_autofree char *name = g_strnfill(2000, 'x');
    g_autofree char *line = g_strdup_printf("LHLO %s\r\nLHLO x\r\nMAIL FROM:<a@b> SIZE=300000\r\nMAIL FROM:<a@b>\r\n", name);
    say(f, line);
    EXPECT(f, "220 500 5.5.2 250 552 5.3.4 250 2.1.0");
    for (int i = 0; i < 6; i++)
        say(f, "RCPT TO:<ann@x>\r\n");
    EXPECT(f, "250 2.1.5 250 2.1.5 250 2.1.5 250 2.1.5 250 2.1.5 452 4.5.3");
    g_autofree char *big = g_strnfill(210000, 'x');
    g_autofree char *data = g_strdup_printf("DATA\r\n%s\r\n.\r\nNOOP\r\n", big);
    say(f, data);
    EXPECT(f, "354 552 5.3.4 552 5.3.4 552 5.3.4 552 5.3.4 552 5.3.4 250 2.0.0");
    assert_int_equal(f->deliveries, 0);
}

static void spools_large_messages(void **state)
{
    fixture *f = *state;
    g_autofree char *big = g_strnfill(150000, 'x');
    g_autofree char *data = g_strdup_printf(HELLO "RCPT TO:<ann@x>\r\nDATA\r\nA: b\r\n\r\n%s\r\n.\r\n", big);
    say(f, data);
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 354 250 2.0.0");
    assert_int_equal(f->spools, 1);
    assert_int_equal(f->body->len, strlen("Return-Path: <s@t>\r\nA: b\r\n\r\n\r\n") + 150000);
    assert_true(f->summary_good);
    /* just at and just above what fits in memory */
    for (unsigned over = 0; over < 2; over++) {
        g_autofree char *edge = g_strnfill(32 * 1024 - strlen("Return-Path: <s@t>\r\n\r\n") + over, 'y');
        g_autofree char *text = g_strdup_printf("MAIL FROM:<s@t>\r\nRCPT TO:<ann@x>\r\nDATA\r\n%s\r\n.\r\n", edge);
        say(f, text);
        EXPECT(f, "250 2.1.0 250 2.1.5 354 250 2.0.0");
        assert_int_equal(f->spools, 1 + over);
        assert_int_equal(f->body->len, 32 * 1024 + over);
    }
}

static void no_spool(void **state)
{
    fixture *f = *state;
    f->refuse_spool = true;
    g_autofree char *big = g_strnfill(150000, 'x');
    g_autofree char *data = g_strdup_printf(HELLO "RCPT TO:<ann@x>\r\nDATA\r\n%s\r\n.\r\nNOOP\r\n", big);
    say(f, data);
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 354 451 4.3.0 250 2.0.0");
    assert_int_equal(f->deliveries, 0);
}

static void shard_away_and_back(void **state)
{
    fixture *f = *state;
    g_clear_pointer(&f->shard, wire_listener_free);
    say(f, HELLO "RCPT TO:<ann@x>\r\n");
    EXPECT(f, "220 250 250 2.1.0 451 4.3.0");
    start_shard(f);
    say(f, "RCPT TO:<ann@x>\r\n");
    EXPECT(f, "250 2.1.5");
    f->mute = true;
    say(f, "DATA\r\nx\r\n.\r\n");
    EXPECT(f, "354");
    g_clear_pointer(&f->shard, wire_listener_free);      /* dies before it answers */
    settle(f);
    EXPECT(f, "451 4.3.0");
    start_shard(f);
    f->mute = false;
    say(f, "MAIL FROM:<s@t>\r\nRCPT TO:<ann@x>\r\nDATA\r\nx\r\n.\r\n");
    EXPECT(f, "250 2.1.0 250 2.1.5 354 250 2.0.0");
}

static void client_goes_while_delivering(void **state)
{
    fixture *f = *state;
    f->mute = true;
    say(f, HELLO "RCPT TO:<ann@x>\r\nDATA\r\nx\r\n.\r\n");
    shutdown(f->client, SHUT_RDWR);
    settle(f);
    g_clear_pointer(&f->shard, wire_listener_free);      /* the late answer finds nobody */
    settle(f);
    assert_int_equal(g_hash_table_size(f->in->sessions), 0);
}

static void too_many_sessions(void **state)
{
    fixture *f = *state;
    int first = f->client;
    connect_client(f);
    int second = f->client;
    connect_client(f);
    settle(f);
    EXPECT(f, "421 4.3.2");
    close(first);
    close(second);
}

static void stops_between_transactions(void **state)
{
    fixture *f = *state;
    say(f, HELLO "RCPT TO:<ann@x>\r\nDATA\r\nx\r\n");
    intake_stop(f->in, 5);
    say(f, "y\r\n.\r\n");
    EXPECT(f, "220 250 250 2.1.0 250 2.1.5 354 250 2.0.0 421 4.3.2");
}

static void on_parsed(wire_conn *c, wire_message *m, void *data)
{
    fixture *f = data;
    assert_non_null(m);
    mime_summary *s = NULL;
    f->summary_good = m->parsed.status == WIRE_OK && mime_summary_decode(m->parsed.summary.data, m->parsed.summary.len, &s) == 0 &&
                      s->size == 300000 + 8;
    f->result = (wire_status) m->parsed.status;
    mime_summary_free(s);
}

static void parses_for_shards(void **state)
{
    fixture *f = *state;
    g_autofree char *path = g_strdup_printf("%s/intake", f->dir);
    wire_conn *c;
    assert_int_equal(wire_connect(f->event, path, NULL, NULL, &c), 0);
    g_autofree char *big = g_strnfill(300000, 'x');
    wire_message m = { .type = WIRE_PARSE, .n_fds = 1, .fds = { memfd_create("message", MFD_CLOEXEC) }, .parse = { .size = 300008 } };
    assert_int_equal(write(m.fds[0], "A: b\r\n\r\n", 8), 8);
    assert_int_equal(write(m.fds[0], big, 300000), 300000);
    assert_int_equal(wire_call(c, &m, on_parsed, f), 0);
    settle(f);
    assert_true(f->summary_good);
    m.parse.size = 400000;               /* shorter than said */
    assert_int_equal(wire_call(c, &m, on_parsed, f), 0);
    settle(f);
    assert_int_equal(f->result, WIRE_TEMPFAIL);
    close(m.fds[0]);
    wire_conn_unref(c);
}

static void config_file(void **state)
{
    g_autofree char *path = g_strdup_printf("%s/intake-test-%d.conf", g_get_tmp_dir(), (int) getpid());
    static const struct { const char *text, *error; } cases[] = {
        { "[mailboxd]\nhostname=h\nshards=4\n[intake]\nmax_message_size=1000\nover_quota_permanent=TRUE\n", NULL },
        { "", NULL },
        { "[mailboxd]\nshards=0\n", "[mailboxd] shards is \"0\"" },
        { "[intake]\nmax_line=x\n", "[intake] max_line is \"x\"" },
        { "[intake]\nover_quota_permanent=perhaps\n", "true or false" },
        { "nonsense", "Key file" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        intake_config c = { 0 };
        assert_true(g_file_set_contents(path, cases[i].text, -1, NULL));
        bool ok = intake_config_load(path, &c, &error);
        assert_int_equal(ok, cases[i].error == NULL);
        if (!ok)
            assert_non_null(strstr(error->message, cases[i].error));
        if (i == 0)
            assert_true(c.shards == 4 && c.max_message_size == 1000 && c.over_quota_permanent && g_str_equal(c.advertised_name, "h"));
        intake_config_clear(&c);
    }
    g_unlink(path);
}

int main(void)
{
    journal_open("test-intake", "error");
#define SESSION(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        SESSION(delivers), SESSION(byte_by_byte), SESSION(recipients_by_status), SESSION(same_account_twice),
        SESSION(results_per_recipient), SESSION(order_of_commands), SESSION(too_many_errors), SESSION(limits),
        SESSION(spools_large_messages), SESSION(no_spool), SESSION(shard_away_and_back), SESSION(client_goes_while_delivering),
        SESSION(too_many_sessions), SESSION(stops_between_transactions), SESSION(parses_for_shards), cmocka_unit_test(config_file),
    };
    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
