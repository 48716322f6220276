#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "agents/milter/config.h"

static void sockets(void **state)
{
    static const struct { const char *text, *socket, *problem; } cases[] = {
        { "[milter]\n", "inet:7026@127.0.0.1", NULL },
        { "[milter]\nlisten=\nport=\n", "inet:7026@127.0.0.1", NULL },
        { "[milter]\nlisten=10.0.0.1\nport=7000\n", "inet:7000@10.0.0.1", NULL },
        { "[milter]\nlisten=::1\n", "inet6:7026@::1", NULL },
        { "[milter]\nport=0\n", NULL, "port=0: must be a port number" },
        { "[milter]\nport=65536\n", NULL, "port=65536" },
        { "[milter]\nlisten=mail.test\n", NULL, "listen=mail.test: must be one IPv4 or IPv6 address" },
        { "[milter]\nlisten=10.0.0.1 10.0.0.2\n", NULL, "listen=10.0.0.1 10.0.0.2" },
        { "oops", NULL, "milter.conf" },
    };
    g_autofree char *dir = g_dir_make_tmp("milter-XXXXXX", NULL), *path = g_build_filename(dir, "milter.conf", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_true(g_file_set_contents(path, cases[i].text, -1, NULL));
        g_autofree char *socket = config_socket(path, &error);
        assert_int_equal(g_strcmp0(socket, cases[i].socket), 0);
        if (cases[i].problem)
            assert_non_null(strstr(error->message, cases[i].problem));
    }
    g_unlink(path);
    g_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sockets) };
    return cmocka_run_group_tests_name("zmmilter-config", tests, NULL, NULL);
}
