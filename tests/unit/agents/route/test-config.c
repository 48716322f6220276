#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>

#include "agents/route/config.h"

static config *load(const char *text, GError **error)
{
    g_autofree char *dir = g_dir_make_tmp("route-XXXXXX", NULL), *path = g_build_filename(dir, "route.conf", NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    config *c = config_load(path, error);
    g_unlink(path);
    g_rmdir(dir);
    return c;
}

static void defaults(void **state)
{
    g_autoptr(config) c = load("[route]\nmemcached=\nauth_wait=\n", NULL);
    const struct sockaddr_in *in = (const struct sockaddr_in *) &c->listen;
    assert_int_equal(in->sin_family, AF_INET);
    assert_int_equal(ntohl(in->sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(ntohs(in->sin_port), 7072);
    assert_null(c->memcached[0]);
    assert_int_equal(c->cache_ttl_sec, 3600);
    assert_int_equal(c->cache_timeout_ms, 3000);
    assert_int_equal(c->auth_wait_sec, 10);
    assert_int_equal(c->login_limit_ip, 0);
    assert_int_equal(c->login_limit_user_sec, 3600);
}

static void everything_given(void **state)
{
    g_autoptr(config) c = load("[route]\nlisten=::1\nport=7073\nmemcached=127.0.0.1:11211, cache.test:11212\n"
                               "cache_ttl=30m\ncache_timeout=500ms\nauth_wait=2s\nlogin_limit_ip=5\nlogin_limit_ip_seconds=60\n", NULL);
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) &c->listen;
    assert_int_equal(in->sin6_family, AF_INET6);
    assert_int_equal(ntohs(in->sin6_port), 7073);
    assert_string_equal(c->memcached[1], "cache.test:11212");
    assert_null(c->memcached[2]);
    assert_int_equal(c->cache_ttl_sec, 1800);
    assert_int_equal(c->cache_timeout_ms, 500);
    assert_int_equal(c->auth_wait_sec, 2);
    assert_int_equal(c->login_limit_ip, 5);
    assert_int_equal(c->login_limit_ip_sec, 60);
}

static void errors_name_the_key(void **state)
{
    static const struct { const char *text, *word; } cases[] = {
        { "[route]\nlisten=0.0.0.0\n", "listen=0.0.0.0: must be a loopback address" },
        { "[route]\nlisten=mail.test\n", "listen=mail.test" }, { "[route]\nlisten=128.0.0.1\n", "listen=128.0.0.1" },
        { "[route]\nport=0\n", "port=0" }, { "[route]\nport=70000\n", "port=70000" },
        { "[route]\nmemcached=localhost\n", "memcached=localhost" }, { "[route]\nmemcached=:11211\n", "memcached=:11211" },
        { "[route]\ncache_ttl=soon\n", "cache_ttl=soon" }, { "[route]\nlogin_limit_ip=-1\n", "login_limit_ip=-1" },
        { "nonsense", "route.conf" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(load(cases[i].text, &error));
        assert_non_null(strstr(error->message, cases[i].word));
        assert_non_null(strstr(error->message, "route.conf"));
    }
    g_autoptr(GError) error = NULL;
    assert_null(config_load("/nonexistent/route.conf", &error));
    assert_non_null(strstr(error->message, "/nonexistent/route.conf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(everything_given), cmocka_unit_test(errors_name_the_key),
    };
    return cmocka_run_group_tests_name("zmrouted-config", tests, NULL, NULL);
}
