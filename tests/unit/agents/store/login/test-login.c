#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "agents/store/login/config.h"
#include "agents/store/login/proxy.h"

static void reads_proxy_headers(void **state)
{
    static const struct { const char *in; size_t len; int r; const char *address; } cases[] = {
        { "PROXY TCP4 192.0.2.1 192.0.2.2 1234 143\r\n", 41, 1, "192.0.2.1" },
        { "PROXY TCP6 2001:db8::1 2001:db8::2 1234 143\r\n", 45, 1, "2001:db8::1" },
        { "PROXY UNKNOWN\r\n", 15, 1, "" },
        { "PROXY TCP4 192.0.2.1 x 1234 143\r\n", 33, -EBADMSG, NULL },
        { "PROXY TCP4 2001:db8::1 192.0.2.2 1234 143\r\n", 43, -EBADMSG, NULL },
        { "PROXY TCP4\r\n", 12, -EBADMSG, NULL },
        { "a LOGIN x y\r\n", 13, -ENOMSG, NULL },
        { "PROXX ", 6, -ENOMSG, NULL },
        { "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x04\xd2\0\x8f", 28, 1, "192.0.2.1" },
        { "\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0", 16, 1, "" },
        { "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04\xc0\0\2\1", 20, -EBADMSG, NULL },
        { "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", 16, -EBADMSG, NULL },
        { "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", 16, -EBADMSG, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char address[PROXY_ADDRESS_MAX];
        size_t used = 0;
        assert_int_equal(proxy_header(cases[i].in, cases[i].len, address, &used), cases[i].r);
        if (cases[i].r != 1)
            continue;
        assert_string_equal(address, cases[i].address);
        assert_int_equal(used, cases[i].len);
        for (size_t n = 0; n < cases[i].len; n++)   /* byte by byte: never a verdict too early */
            assert_int_equal(proxy_header(cases[i].in, n, address, &used), 0);
    }
    g_autofree char *endless = g_strdup_printf("PROXY TCP4 %0200d", 0);
    char address[PROXY_ADDRESS_MAX];
    size_t used;
    assert_int_equal(proxy_header(endless, strlen(endless), address, &used), -EBADMSG);
}

static login_config *load(const char *text, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/login-test-%d", g_get_tmp_dir(), (int) getpid());
    assert_true(g_file_set_contents(path, text, -1, NULL));
    login_config *c = login_config_load(path, error);
    unlink(path);
    return c;
}

static void reads_configuration(void **state)
{
    g_autoptr(login_config) c = load("[mailboxd]\nhostname=mail.example.test\nshards=3\n[login]\nimap_port=0\n"
                                     "cleartext_login=true\ntrusted_proxies=10.0.0.0/8 [::1]/128, 192.0.2.7\n", NULL);
    assert_non_null(c);
    assert_int_equal(c->shards, 3);
    assert_int_equal(c->imap_port, 0);
    assert_int_equal(c->imaps_port, 7993);
    assert_true(c->cleartext_login);
    assert_true(login_network_matches(c->trusted_proxies, "10.3.2.1"));
    assert_true(login_network_matches(c->trusted_proxies, "::1"));
    assert_true(login_network_matches(c->trusted_proxies, "192.0.2.7"));
    assert_false(login_network_matches(c->trusted_proxies, "192.0.2.8"));
    assert_false(login_network_matches(c->trusted_proxies, "not an address"));
    assert_true(login_network_matches(c->lmtp_networks, "127.0.0.1"));
}

static void refuses_bad_configuration(void **state)
{
    static const char *const bad[] = {
        "[login]\nimap_port=70000\n", "[login]\nimap_port=x\n", "[mailboxd]\nshards=0\n",
        "[login]\ncleartext_login=maybe\n", "[login]\ntrusted_proxies=example.test\n", "no key file",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(load(bad[i], &error));
        assert_non_null(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_proxy_headers), cmocka_unit_test(reads_configuration), cmocka_unit_test(refuses_bad_configuration),
    };
    return cmocka_run_group_tests_name("store-login", tests, NULL, NULL);
}
