#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/journal/journal.h"

static void escapes_bytes(void **state)
{
    static const struct { const char *in; size_t len, max; const char *out; } cases[] = {
        { "plain", 5, 100, "plain" },
        { "a\r\nb", 4, 100, "a\\x0d\\x0ab" },
        { "back\\slash", 10, 100, "back\\x5cslash" },
        { "\0\xff", 2, 100, "\\x00\\xff" },
        { "0123456789", 10, 8, "01234..." },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *s = journal_escape(cases[i].in, cases[i].len, cases[i].max);
        assert_string_equal(s, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(escapes_bytes) };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
