#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/milter/session.h"

static void addresses(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "<anna@example.test>", "anna@example.test" }, { "<>", "" }, { "anna@example.test", "anna@example.test" },
        { "<", "<" }, { "", "" }, { "<anna@example.test", "<anna@example.test" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = session_address(cases[i].in);
        assert_string_equal(out, cases[i].out);
    }
}

static void refusals_are_one_printable_line(void **state)
{
    g_autofree char *text = session_refusal("a%s\r\n250 ok@x.test", "list@example.test");
    assert_string_equal(text, "Sender <a?s\\x0d\\x0a250 ok@x.test> is not allowed to send to the distribution list <list@example.test>");
    g_autofree char *null = session_refusal("", "list@example.test");
    assert_string_equal(null, "Sender <> is not allowed to send to the distribution list <list@example.test>");
}

static void without_zmauthd_the_answer_is_temporary(void **state)
{
    g_autofree char *list = NULL;
    asker *a = asker_new("/nonexistent/auth.sock", NULL);
    assert_int_equal(asker_may_send(a, "list@example.test", "x@y.test", false, &list), AUTH_TEMPFAIL);
    assert_null(list);
    asker_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(refusals_are_one_printable_line),
        cmocka_unit_test(without_zmauthd_the_answer_is_temporary),
    };
    return cmocka_run_group_tests_name("zmmilter-session", tests, NULL, NULL);
}
