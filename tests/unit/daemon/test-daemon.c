#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/daemon/daemon.h"

static char *path;
static int notices;

/* A NOTIFY_SOCKET of the test's own, as systemd would give. */
static int open_notices(void **state)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    path = g_strdup_printf("%s/test-daemon-%d", g_get_tmp_dir(), (int) getpid());
    (void) g_strlcpy(where.sun_path, path, sizeof where.sun_path);
    notices = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(notices, (struct sockaddr *) &where, sizeof where), 0);
    g_setenv("NOTIFY_SOCKET", path, true);
    return 0;
}

static int close_notices(void **state)
{
    (void) close(notices);
    (void) unlink(path);
    g_free(path);
    return 0;
}

static void expect_notice(const char *text)
{
    char got[256] = "";
    ssize_t n = recv(notices, got, sizeof got - 1, 0);
    if (!text) {
        assert_int_equal(n, -1);
        return;
    }
    assert_true(n > 0);
    assert_string_equal(got, text);
}

static bool parse(const GOptionEntry *options, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    int count = (int) g_strv_length(words);
    g_autofree char **argv = g_new0(char *, (size_t) count + 1);
    for (int i = 0; i < count; i++)
        argv[i] = words[i];
    return daemon_arguments("d", "- test", options, count, argv);
}

static void takes_its_arguments_only(void **state)
{
    char *config = NULL, **rest = NULL;
    const GOptionEntry plain[] = { { "config", 0, 0, G_OPTION_ARG_STRING, &config, "", "PATH" }, { NULL } };
    const GOptionEntry taking[] = { { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, "", "N" }, { NULL } };
    assert_true(parse(plain, "d --config=x"));
    assert_string_equal(config, "x");
    g_free(config);
    assert_false(parse(plain, "d --config=y more"));
    g_free(config);
    assert_false(parse(plain, "d --no-such"));
    assert_true(parse(taking, "d 3"));
    assert_string_equal(rest[0], "3");
    g_strfreev(rest);
}

static void a_signal_ends_it(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT };
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        sd_event *event = daemon_event();
        assert_non_null(event);
        assert_int_equal(raise(signals[i]), 0);       /* before the loop: waits for it */
        assert_int_equal(raise(SIGHUP), 0);           /* nobody's: ignored */
        assert_int_equal(daemon_serve(event, NULL, NULL), EX_OK);
        expect_notice("READY=1");
        expect_notice("STOPPING=1");
        expect_notice(NULL);
        sd_event_unref(event);
    }
}

static int finish(sd_event_source *source, uint64_t usec, void *data)
{
    return sd_event_exit(sd_event_source_get_event(source), 7);
}

static int drain(sd_event *event, void *data)
{
    ++*(unsigned *) data;
    assert_int_equal(raise(SIGTERM), 0);              /* the impatient administrator */
    return sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 20000, 0, finish, NULL);
}

static void what_is_under_way_is_finished_once(void **state)
{
    unsigned calls = 0;
    sd_event *event = daemon_event();
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(daemon_loop(event, drain, &calls), 7);
    assert_int_equal(calls, 1);
    expect_notice("STOPPING=1");
    expect_notice(NULL);
    sd_event_unref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_its_arguments_only),
        cmocka_unit_test(a_signal_ends_it),
        cmocka_unit_test(what_is_under_way_is_finished_once),
    };
    return cmocka_run_group_tests_name("daemon", tests, open_notices, close_notices);
}
