#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/auth/cache.h"

static answer *account(const char *name)
{
    answer *a = answer_new(AUTH_OK, NULL);
    a->name = g_strdup(name);
    a->account_dn = g_strdup_printf("uid=%s,ou=people,dc=example,dc=test", name);
    a->domain_dn = g_strdup("dc=example,dc=test");
    return a;
}

static void put(cache *c, const char *name, const uint8_t *proof)
{
    g_autoptr(answer) a = account(name);
    g_autofree char *address = g_strdup_printf("%s@example.test", name);
    cache_put(c, name, proof, address, a, 100);
}

static void answers_until_they_are_old(void **state)
{
    cache *c = cache_new(10, true);
    put(c, "anna", NULL);
    assert_string_equal(cache_get(c, "anna", NULL, 99)->name, "anna");
    assert_null(cache_get(c, "anna", NULL, 100));
    assert_non_null(cache_get_stale(c, "anna"));
    assert_null(cache_get(c, "bert", NULL, 0));
    cache_free(c);
}

static void proof_must_be_shown(void **state)
{
    uint8_t right[CACHE_PROOF_LEN] = { 1 }, wrong[CACHE_PROOF_LEN] = { 2 };
    cache *c = cache_new(10, false);
    put(c, "anna", right);
    assert_non_null(cache_get(c, "anna", right, 0));
    assert_null(cache_get(c, "anna", wrong, 0));
    assert_null(cache_get(c, "anna", NULL, 0));
    assert_null(cache_get_stale(c, "anna"));
    cache_free(c);
}

static void least_used_goes_first(void **state)
{
    cache *c = cache_new(3, false);
    put(c, "a", NULL);
    put(c, "b", NULL);
    put(c, "c", NULL);
    assert_non_null(cache_get(c, "a", NULL, 0));
    put(c, "d", NULL);
    assert_null(cache_get(c, "b", NULL, 0));
    assert_non_null(cache_get(c, "a", NULL, 0));
    put(c, "a", NULL);   /* again: no second one */
    assert_int_equal(cache_size(c), 3);
    cache_free(c);
}

static void changes_drop_what_depends_on_them(void **state)
{
    static const struct { const char *dn; bool anna, bert; } cases[] = {
        { "uid=anna,ou=people,dc=example,dc=test", false, true },
        { "UID=Anna,ou=people,dc=EXAMPLE,dc=test", false, true },
        { "uid=other,ou=people,dc=example,dc=test", true, true },
        { "dc=example,dc=test", false, false },
        { "cn=default,cn=cos,cn=zimbra", false, false },
        { "cn=zimbra", false, false },
        { "*", false, false },
        { "", true, true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        cache *c = cache_new(10, true);
        put(c, "anna", NULL);
        put(c, "bert", NULL);
        cache_drop_dn(c, cases[i].dn);
        assert_int_equal(cache_get(c, "anna", NULL, 0) != NULL, cases[i].anna);
        assert_int_equal(cache_get(c, "bert", NULL, 0) != NULL, cases[i].bert);
        assert_non_null(cache_get_stale(c, "anna"));
        cache_free(c);
    }
}

static void alias_entry_counts_too(void **state)
{
    cache *c = cache_new(10, false);
    g_autoptr(answer) a = account("anna");
    cache_put(c, "ann@example.test", NULL, "ann@example.test", a, 100);
    cache_drop_dn(c, "uid=ann,ou=people,dc=example,dc=test");
    assert_null(cache_get(c, "ann@example.test", NULL, 0));
    assert_int_equal(cache_size(c), 0);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_until_they_are_old), cmocka_unit_test(proof_must_be_shown),
        cmocka_unit_test(least_used_goes_first), cmocka_unit_test(changes_drop_what_depends_on_them),
        cmocka_unit_test(alias_entry_counts_too),
    };
    return cmocka_run_group_tests_name("zmauthd-cache", tests, NULL, NULL);
}
