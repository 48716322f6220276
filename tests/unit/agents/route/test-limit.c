#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/route/limit.h"

static void counts_each_key_for_its_span(void **state)
{
    limit *l = limit_new(2, 10);
    gint64 s = G_USEC_PER_SEC;
    assert_true(limit_take(l, "a", 0));
    assert_true(limit_take(l, "a", 9 * s));
    assert_false(limit_take(l, "a", 9 * s));
    assert_true(limit_take(l, "b", 9 * s));
    assert_true(limit_take(l, "a", 10 * s));
    limit_free(l);
}

static void none_by_default(void **state)
{
    limit *l = limit_new(0, 10);
    for (int i = 0; i < 1000; i++)
        assert_true(limit_take(l, "a", 0));
    limit_free(l);
}

static void keys_are_bounded(void **state)
{
    limit *l = limit_new(1, 10);
    for (int i = 0; i < 100100; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        assert_true(limit_take(l, key, 0));
    }
    assert_true(limit_take(l, "100050", 0));           /* came when it was full: not counted */
    assert_true(limit_take(l, "x", 11 * G_USEC_PER_SEC));
    assert_false(limit_take(l, "x", 11 * G_USEC_PER_SEC));
    limit_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_each_key_for_its_span), cmocka_unit_test(none_by_default), cmocka_unit_test(keys_are_bounded),
    };
    return cmocka_run_group_tests_name("zmrouted-limit", tests, NULL, NULL);
}
