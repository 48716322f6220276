#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

#include "agents/route/header.h"

static void unescapes_as_nginx_escapes(void **state)
{
    static const struct { const char *in; size_t max; const char *out; } cases[] = {
        { "anna", 10, "anna" }, { "al%20ice%25", 10, "al ice%" }, { "%C3%A4\xc3\xa4", 10, "\xc3\xa4\xc3\xa4" },
        { "", 0, "" }, { "a+b", 10, "a+b" }, { "%7f", 10, "\x7f" },
        { "%", 10, NULL }, { "%2", 10, NULL }, { "%zz", 10, NULL }, { "a%00b", 10, NULL },
        { "12345", 5, "12345" }, { "123456", 5, NULL }, { "%31%32%33%34%35%36", 5, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = header_unescape(cases[i].in, cases[i].max);
        assert_int_equal(g_strcmp0(out, cases[i].out), 0);
    }
}

static void words_of_each_protocol(void **state)
{
    assert_null(header_words_of("smtp"));
    assert_null(header_words_of(""));
    assert_true(g_str_has_prefix(header_denied(header_words_of("imap")), "[AUTHENTICATIONFAILED] "));
    assert_true(g_str_has_prefix(header_denied(header_words_of("pop3")), "[AUTH] "));
    assert_true(g_str_has_prefix(header_unavailable(header_words_of("imap")), "[UNAVAILABLE] "));
    assert_true(g_str_has_prefix(header_unavailable(header_words_of("pop3")), "[SYS/TEMP] "));
    assert_true(g_str_has_prefix(header_limited(header_words_of("pop3")), "[LOGIN-DELAY] "));
}

static void plain_text(void **state)
{
    assert_true(header_is_plain("anna@example.test ~"));
    assert_false(header_is_plain("a\r\nX: y"));
    assert_false(header_is_plain("\xc3\xa4"));
    assert_false(header_is_plain("\x7f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unescapes_as_nginx_escapes), cmocka_unit_test(words_of_each_protocol), cmocka_unit_test(plain_text),
    };
    return cmocka_run_group_tests_name("zmrouted-header", tests, NULL, NULL);
}
