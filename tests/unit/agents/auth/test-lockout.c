#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/auth/lockout.h"
#include "tests/unit/agents/auth/fake-directory.h"

#define NOW 1700000000123

static int reset(void **state)
{
    fake_reset();
    return 0;
}

static void times(void **state)
{
    static const struct { const char *text; gint64 ms; } cases[] = {
        { "20231114221320Z", 1700000000000 }, { "20231114221320.123Z", 1700000000123 },
        { "20231114221320.5Z", 1700000000500 }, { "20231114221320.123456Z", 1700000000123 },
        { "20231114221320", -1 }, { "20231314221320Z", -1 }, { "2023111422132Z", -1 }, { "", -1 }, { NULL, -1 },
        { "20231114221320.123Zx", -1 }, { "20231114221320.", -1 }, { "2023111422132000Z", -1 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_true(lockout_parse_time(cases[i].text) == cases[i].ms);
    g_autofree char *text = lockout_format_time(NOW);
    assert_string_equal(text, "20231114221320.123Z");
}

static entry *policy(const char *enabled, const char *max)
{
    return fake_add(ENTRY_ACCOUNT, "anna@example.test", "1", "zimbraPasswordLockoutEnabled", enabled,
                    "zimbraPasswordLockoutMaxFailures", max, "zimbraPasswordLockoutFailureLifetime", "60s",
                    "zimbraPasswordLockoutDuration", "10m", NULL);
}

/* A failure at AT_MS; true when it locks. */
static bool fail_at(entry *e, gint64 at_ms)
{
    bool locks = false;
    GArray *changes = lockout_failure(e, at_ms, &locks);
    if (changes)
        assert_true(directory_modify_system(NULL, e, (attr_change *) (void *) changes->data, changes->len, NULL));
    lockout_changes_free(changes);
    return locks;
}

static void counts_within_the_lifetime(void **state)
{
    entry *e = policy("TRUE", "3");
    assert_false(fail_at(e, NOW));
    assert_false(fail_at(e, NOW + 1000));
    assert_false(fail_at(e, NOW + 61500));   /* the first two are too old */
    assert_int_equal(g_strv_length((char **) (uintptr_t) entry_get_all_own(e, "zimbraPasswordLockoutFailureTime")), 1);
    assert_false(fail_at(e, NOW + 62000));
    assert_true(fail_at(e, NOW + 63000));
    assert_string_equal(entry_get(e, "zimbraAccountStatus"), "lockout");
    assert_true(lockout_is_locked(e, NOW + 64000));
    assert_true(lockout_is_locked(e, NOW + 63000 + 599000));
    assert_false(lockout_is_locked(e, NOW + 63000 + 601000));
    GArray *changes = lockout_success(e);
    assert_int_equal(changes->len, 3);
    lockout_changes_free(changes);
}

static void policy_may_be_off(void **state)
{
    entry *e = policy("FALSE", "1"), *none = policy("TRUE", "0");
    for (int i = 0; i < 3; i++) {
        assert_false(fail_at(e, NOW));
        assert_false(fail_at(none, NOW));
    }
    assert_null(lockout_success(e));
}

static void zero_duration_waits_for_the_administrator(void **state)
{
    entry *e = policy("TRUE", "1");
    fake_set(e, "zimbraPasswordLockoutDuration", "0");
    assert_true(fail_at(e, NOW));
    assert_true(lockout_is_locked(e, NOW + 1000ll * 86400 * 3650));
    fake_set(e, "zimbraAccountStatus", "active");
    assert_false(lockout_is_locked(e, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(times, reset), cmocka_unit_test_setup(counts_within_the_lifetime, reset),
        cmocka_unit_test_setup(policy_may_be_off, reset), cmocka_unit_test_setup(zero_duration_waits_for_the_administrator, reset),
    };
    return cmocka_run_group_tests_name("zmauthd-lockout", tests, NULL, NULL);
}
