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

#include "agents/auth/changes.h"

static void parses_notices(void **state)
{
    static const struct { const char *bytes; size_t len; const char *dn; } cases[] = {
#define CASE(s, dn) { s, sizeof(s) - 1, dn }
        CASE("20240101000000.000000Z#000000#000#000000 uid=anna,dc=test", "uid=anna,dc=test"),
        CASE("- cn=a b,dc=test", "cn=a b,dc=test"),
        CASE("*", "*"), CASE("csn *", "*"), CASE("", "*"), CASE("csn ", "*"), CASE("csn uid=a\0b", "*"),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(changes_parse(cases[i].bytes, cases[i].len), cases[i].dn);
}

static void note(const char *dn, void *data)
{
    g_string_append_printf(data, "%s|", dn);
}

static int listener(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    g_strlcpy(a.sun_path, path, sizeof a.sun_path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void run(sd_event *event)
{
    for (int i = 0; i < 3; i++)
        assert_true(sd_event_run(event, 150 * 1000) >= 0);
}

static void gap_after_connecting_and_losing(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("changes-XXXXXX", NULL), *path = g_build_filename(dir, "sock", NULL);
    g_autoptr(GString) seen = g_string_new(NULL);
    sd_event *event = NULL;
    assert_true(sd_event_new(&event) >= 0);
    int fd = listener(path);
    changes *c = changes_new(event, path, note, seen);
    assert_false(changes_connected(c));
    run(event);
    assert_true(changes_connected(c));
    assert_string_equal(seen->str, "*|");
    int peer = accept(fd, NULL, NULL);
    assert_int_equal(send(peer, "1 dc=test", 9, 0), 9);
    run(event);
    assert_string_equal(seen->str, "*|dc=test|");
    close(peer);
    run(event);
    assert_false(changes_connected(c));
    assert_string_equal(seen->str, "*|dc=test|*|");
    changes_free(c);
    close(fd);
    sd_event_unref(event);
    g_unlink(path);
    g_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parses_notices), cmocka_unit_test(gap_after_connecting_and_losing) };
    return cmocka_run_group_tests_name("zmauthd-changes", tests, NULL, NULL);
}
