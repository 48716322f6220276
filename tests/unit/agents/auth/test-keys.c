#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "agents/auth/keys.h"

#define NOW 1700000000

static int redeem(keys *k, const char *ticket, gint64 now)
{
    g_autofree char *id = NULL;
    return keys_redeem(k, ticket, "imap", now, &id);
}

static void a_ticket_passes_once_at_its_host(void **state)
{
    static const char *const secrets[] = { "1:1:aa", NULL };
    keys *k = keys_new("a.test"), *other = keys_new("b.test");
    keys_set(k, secrets, 1);
    keys_set(other, secrets, 1);
    g_autofree char *t = keys_issue(other, "A.TEST", "id", "imap", NOW);
    assert_int_equal(redeem(other, t, NOW), -EBADMSG);
    assert_int_equal(redeem(k, t, NOW), 0);
    assert_int_equal(redeem(k, t, NOW), -EALREADY);
    g_autofree char *late = keys_issue(k, "a.test", "id", "imap", NOW);
    assert_int_equal(redeem(k, late, NOW + KEYS_TICKET_LIFE_SEC + 1), -ETIME);
    assert_int_equal(redeem(k, "secret", NOW), -EBADMSG);
    keys_free(k);
    keys_free(other);
}

static void new_secret_issues_old_ones_verify(void **state)
{
    static const char *const old[] = { "9:1:aa", NULL }, *const both[] = { "9:1:aa", "10:1:bb", NULL }, *const new[] = { "10:1:bb", NULL };
    keys *k = keys_new("a.test");
    keys_set(k, old, 1);
    g_autofree char *by_old = keys_issue(k, "a.test", "id", "imap", NOW);
    g_autofree char *route_old = keys_route_key(k);
    keys_set(k, both, 1);
    g_autofree char *by_new = keys_issue(k, "a.test", "id", "imap", NOW);
    g_autofree char *route_new = keys_route_key(k);
    assert_string_not_equal(route_old, route_new);
    assert_int_equal(redeem(k, by_old, NOW), 0);
    keys_set(k, new, 1);
    assert_int_equal(redeem(k, by_new, NOW), 0);
    keys_free(k);
}

static void without_a_secret_nothing_passes(void **state)
{
    static const char *const empty[] = { "", NULL };
    keys *k = keys_new("a.test");
    assert_true(keys_are_stale(k, 0));
    keys_set(k, empty, 100);
    assert_true(keys_are_stale(k, 0));
    assert_null(keys_issue(k, "a.test", "id", "imap", NOW));
    assert_null(keys_route_key(k));
    assert_int_equal(redeem(k, "zt1.AAAA", NOW), -ENOKEY);
    keys_free(k);
}

static void secrets_age(void **state)
{
    static const char *const secrets[] = { "s", NULL };
    keys *k = keys_new("a.test");
    keys_set(k, secrets, 100);
    assert_false(keys_are_stale(k, 100));
    assert_true(keys_are_stale(k, 101));
    keys_set(k, secrets, 200);
    keys_invalidate(k);
    assert_true(keys_are_stale(k, 101));
    keys_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_passes_once_at_its_host), cmocka_unit_test(new_secret_issues_old_ones_verify),
        cmocka_unit_test(without_a_secret_nothing_passes), cmocka_unit_test(secrets_age),
    };
    return cmocka_run_group_tests_name("zmauthd-keys", tests, NULL, NULL);
}
