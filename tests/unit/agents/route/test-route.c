#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/route/route.h"

#define CACHE_KEY "route:proto=imap;user=anna@example.test"
#define KEY "0123456789abcdef"

static char *read_back(const char *value)
{
    return route_address(CACHE_KEY, value, 7143, "mail.test", KEY);
}

static void value_and_back(void **state)
{
    static const char *const addresses[] = { "192.0.2.1", "2001:db8::1" };
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *value = route_value(CACHE_KEY, addresses[i], 7143, "mail.test", KEY);
        g_autofree char *back = read_back(value);
        assert_string_equal(back, addresses[i]);
    }
    g_autofree char *v6 = route_value(CACHE_KEY, "::1", 7143, "mail.test", KEY);
    assert_true(g_str_has_prefix(v6, "[::1]:7143 mail.test "));
}

static void only_for_its_key_host_and_port(void **state)
{
    g_autofree char *value = route_value(CACHE_KEY, "192.0.2.1", 7143, "mail.test", KEY);
    assert_null(route_address(CACHE_KEY "x", value, 7143, "mail.test", KEY));
    assert_null(route_address(CACHE_KEY, value, 7143, "other.test", KEY));
    assert_null(route_address(CACHE_KEY, value, 143, "mail.test", KEY));
    assert_null(route_address(CACHE_KEY, value, 7143, "mail.test", KEY "0"));
    for (size_t i = 0; value[i]; i++) {
        g_autofree char *bad = g_strdup(value);
        bad[i] ^= 1;
        assert_null(read_back(bad));
    }
    static const char *const garbage[] = { "", " ", "a b", "192.0.2.1:7143", "192.0.2.1:7143 mail.test ", "  " };
    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++)
        assert_null(read_back(garbage[i]));
}

static void note(const char *address, const char *problem, void *data)
{
    char **result = data;
    *result = g_strdup(address ? address : problem);
}

static void finds_without_memcached(void **state)
{
    char *none[] = { NULL }, *dead[] = { (char[]) { "127.0.0.1:1" }, NULL }, *result = NULL;
    char **servers[] = { none, dead };
    sd_event *event = NULL;
    assert_true(sd_event_new(&event) >= 0);
    for (size_t i = 0; i < G_N_ELEMENTS(servers); i++) {
        finder *f = finder_new(event, servers[i], 60, 100, NULL);
        finder_find(f, "imap", "anna@example.test", "localhost", 7143, KEY, note, &result);
        for (int n = 0; n < 100 && !result; n++)
            assert_true(sd_event_run(event, 100 * 1000) >= 0);
        assert_string_equal(result, "127.0.0.1");
        g_clear_pointer(&result, g_free);
        finder_find(f, "imap", "anna@example.test", "no-such-host.invalid", 7143, KEY, note, &result);
        finder_free(f);                                /* waits and delivers */
        assert_true(g_str_has_prefix(result, "mail host no-such-host.invalid has no address: "));
        g_clear_pointer(&result, g_free);
    }
    sd_event_unref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_and_back), cmocka_unit_test(only_for_its_key_host_and_port), cmocka_unit_test(finds_without_memcached),
    };
    return cmocka_run_group_tests_name("zmrouted-route", tests, NULL, NULL);
}
