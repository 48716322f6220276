#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/store/shard/pop3/dots.h"

static void stuffs(void **state)
{
    static const struct { const char *in; uint32_t lines; const char *out; } cases[] = {
        { "a: b\r\n\r\nx\r\n", UINT32_MAX, "a: b\r\n\r\nx\r\n.\r\n" },
        { "a: b\r\n\r\n.\r\n..x\r\ny.\r\n", UINT32_MAX, "a: b\r\n\r\n..\r\n...x\r\ny.\r\n.\r\n" },
        { "a: b\r\n\r\nno end", UINT32_MAX, "a: b\r\n\r\nno end\r\n.\r\n" },
        { "a: b\r\n\r\nhalf end\r", UINT32_MAX, "a: b\r\n\r\nhalf end\r\n.\r\n" },
        { "\n.\n", UINT32_MAX, "\n..\n.\r\n" },
        { "a: b\r\n\r\n1\r\n2\r\n3\r\n", 2, "a: b\r\n\r\n1\r\n2\r\n.\r\n" },
        { "a: b\r\n\r\n1\r\n", 0, "a: b\r\n\r\n.\r\n" },
        { "a: b\r\n", 0, "a: b\r\n.\r\n" },
        { "a: b\r\n c\r\n\r\n\r\n\r\n1\r\n", 2, "a: b\r\n c\r\n\r\n\r\n\r\n.\r\n" },
        { "a\rb\r\n\r\nx\r\n", 0, "a\rb\r\n\r\n.\r\n" },
        { "\r\r\nx\r\n\r\ny\r\n", 0, "\r\r\nx\r\n\r\n.\r\n" },
        { "", UINT32_MAX, ".\r\n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t chunk = 1; chunk < 30; chunk++) {
            dot_stuffer d;
            g_autoptr(GString) out = g_string_new(NULL);
            dots_begin(&d, cases[i].lines);
            size_t len = strlen(cases[i].in);
            for (size_t at = 0; at < len; at += chunk)
                if (!dots_put(&d, out, cases[i].in + at, MIN(chunk, len - at)))
                    break;
            dots_end(&d, out);
            assert_string_equal(out->str, cases[i].out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(stuffs) };
    return cmocka_run_group_tests_name("store-pop3-dots", tests, NULL, NULL);
}
