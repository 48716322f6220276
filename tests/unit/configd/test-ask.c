/* Programs and services that are asked: what they say, and what happens to those
 * that say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "configd/command.h"
#include "configd/confirm.h"

static bool sh(const char *script, const char *input, unsigned timeout_s, command_result *r)
{
    char *argv[] = { (char *) "/bin/sh", (char *) "-c", (char *) script, NULL };
    char *envp[] = { (char *) "PATH=/usr/bin:/bin", (char *) "X=y", NULL };
    command c = { .argv = argv, .envp = envp, .input = input, .timeout_s = timeout_s };
    return command_run(&c, r, NULL);
}

static void runs_programs(void **state)
{
    static const struct { const char *script, *input; int status; const char *out, *err; } cases[] = {
        { "echo a; echo b >&2; exit 3", NULL, 3, "a\n", "b\n" },
        { "cat", "fed", 0, "fed", "" },
        { "cat", NULL, 0, "", "" },
        { "echo $X$HOME", NULL, 0, "y\n", "" },
        { "kill -TERM $$", NULL, 128 + 15, "", "" },
        { "printf '\\377'", NULL, 0, "\xef\xbf\xbd", "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(command_result) r = { 0 };
        assert_true(sh(cases[i].script, cases[i].input, 10, &r));
        assert_false(r.timed_out);
        assert_int_equal(r.status, cases[i].status);
        assert_string_equal(r.out, cases[i].out);
        assert_string_equal(r.err, cases[i].err);
    }
    g_auto(command_result) r = { 0 };
    assert_true(sh("yes | head -c 100000", NULL, 10, &r));
    assert_int_equal(strlen(r.out), 16 * 1024);
}

static void ends_what_hangs(void **state)
{
    static const char *const scripts[] = { "sleep 60", "sleep 60 & wait", "exec >&- 2>&-; sleep 60" };
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_auto(command_result) r = { 0 };
        gint64 start = g_get_monotonic_time();
        assert_true(sh(scripts[i], NULL, 1, &r));
        assert_true(r.timed_out);
        assert_true(g_get_monotonic_time() - start < 10 * G_USEC_PER_SEC);
    }
}

static void says_what_cannot_run(void **state)
{
    char *argv[] = { (char *) "/nonexistent/program", NULL }, *envp[] = { NULL };
    command c = { .argv = argv, .envp = envp, .timeout_s = 1 };
    command_result r = { 0 };
    g_autoptr(GError) error = NULL;
    assert_false(command_run(&c, &r, &error));
    assert_non_null(strstr(error->message, "/nonexistent/program cannot be run"));
    argv[0] = (char *) "/bin/true";
    c.user = "no-such-user";
    g_clear_error(&error);
    assert_false(command_run(&c, &r, &error));
    assert_non_null(strstr(error->message, "no-such-user"));
}

/* A server for one client: after each line it gets, the next of REPLIES. */
static pid_t serve(const char *const *replies, int *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &a, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    pid_t pid = fork();
    if (pid != 0) {
        close(fd);
        return pid;
    }
    int peer = accept(fd, NULL, NULL);
    char buffer[512];
    for (; *replies; replies++)
        if (write(peer, *replies, strlen(*replies)) < 0 || read(peer, buffer, sizeof buffer) <= 0)
            break;
    _exit(0);
}

static void asks_smtp(void **state)
{
    static const struct { const char *replies[6]; bool ok; const char *message; } cases[] = {
        { { "220 hi\r\n", "250 ok\r\n", "250 ok\r\n", "550 5.1.1 unknown\r\n", "221 bye\r\n" }, true, NULL },
        { { "220-hi\r\n220 ho\r\n", "250 ok\r\n", "250 ok\r\n", "250 ok\r\n", "221 bye\r\n" }, true, NULL },
        { { "220 hi\r\n", "250 ok\r\n", "250 ok\r\n", "451 4.3.5 Server configuration error\r\n", "221 bye\r\n" }, false, "4.3.5" },
        { { "554 no\r\n" }, false, "554 no" },
        { { "220 hi\r\n" }, false, "connection closed" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int port;
        pid_t pid = serve(cases[i].replies, &port);
        g_autofree char *question = g_strdup_printf("smtp 127.0.0.1 %d", port);
        g_autoptr(GError) error = NULL;
        assert_int_equal(confirm_ask(question, g_get_monotonic_time() + 5 * G_USEC_PER_SEC, &error), cases[i].ok);
        if (cases[i].message && !strstr(error->message, cases[i].message))
            fail_msg("%s", error->message);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
}

static void asks_until_the_deadline(void **state)
{
    static const char *const questions[] = { "tcp 127.0.0.1 1", "unix /nonexistent/socket" };
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(confirm_ask(questions[i], g_get_monotonic_time() + 300 * 1000, &error));
        assert_int_equal(error->code, CONFIRM_ERROR_NO_ANSWER);
    }
    static const char *const wrong[] = { "", "smtp", "tcp 127.0.0.1 0", "http 127.0.0.1 80", "unix" };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(confirm_ask(wrong[i], g_get_monotonic_time(), &error));
        assert_int_equal(error->code, CONFIRM_ERROR_TABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_programs), cmocka_unit_test(ends_what_hangs), cmocka_unit_test(says_what_cannot_run),
        cmocka_unit_test(asks_smtp), cmocka_unit_test(asks_until_the_deadline),
    };
    return cmocka_run_group_tests_name("configd-ask", tests, NULL, NULL);
}
