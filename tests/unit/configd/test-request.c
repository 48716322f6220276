/* Control requests: every line is a request or a constant refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "configd/request.h"

static void parses(void **state)
{
    static const struct { const char *line; int verb; const char *args; } cases[] = {
        { "STATUS", REQUEST_STATUS, "" },
        { "STATUS\r", REQUEST_STATUS, "" },
        { "REWRITE mta  proxy", REQUEST_REWRITE, "mta|proxy" },
        { "HISTORY", REQUEST_HISTORY, "" },
        { "HISTORY 5", REQUEST_HISTORY, "5" },
        { "DIFF 3 14", REQUEST_DIFF, "3|14" },
        { "RENDER mta zimbraX=a%20b%25", REQUEST_RENDER, "mta|zimbraX=a b%" },
        { "ROLLBACK 7", REQUEST_ROLLBACK, "7" },
        { "RESUME", REQUEST_RESUME, "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        request r;
        const char *reply;
        assert_true(request_parse(cases[i].line, strlen(cases[i].line), &r, &reply));
        assert_int_equal(r.verb, cases[i].verb);
        g_autofree char *args = g_strjoinv("|", r.args);
        assert_string_equal(args, cases[i].args);
        request_clear(&r);
    }
}

static void refuses(void **state)
{
    static const struct { const char *line; const char *reply; } cases[] = {
        { "", "ERROR UNKNOWN COMMAND" },
        { "status", "ERROR UNKNOWN COMMAND" },
        { "STATUSX", "ERROR UNKNOWN COMMAND" },
        { "REWRITE", "ERROR NO SERVICES LISTED" },
        { "STATUS now", "ERROR STATUS TAKES NO ARGUMENT" },
        { "DIFF 3", "ERROR EXPECTED DIFF A B" },
        { "DIFF 3 x", "ERROR EXPECTED DIFF A B" },
        { "DIFF 0 1", "ERROR EXPECTED DIFF A B" },
        { "ROLLBACK -1", "ERROR EXPECTED ROLLBACK GENERATION" },
        { "ROLLBACK 99999999999", "ERROR EXPECTED ROLLBACK GENERATION" },
        { "REWRITE %0", "ERROR MALFORMED ARGUMENT" },
        { "REWRITE %00", "ERROR MALFORMED ARGUMENT" },
        { "REWRITE %FF", "ERROR MALFORMED ARGUMENT" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        request r;
        const char *reply;
        assert_false(request_parse(cases[i].line, strlen(cases[i].line), &r, &reply));
        assert_string_equal(reply, cases[i].reply);
    }
    const char *reply;
    request r;
    assert_false(request_parse("STATUS\0x", 8, &r, &reply));
    g_autofree char *many = g_strnfill(REQUEST_MAX_BYTES, ' ');
    memcpy(many, "RESUME", 6);
    for (int i = 7; i < 7 + 2 * 70; i += 2)
        many[i] = 'a';
    assert_false(request_parse(many, strlen(many), &r, &reply));
}

static void escapes(void **state)
{
    g_autofree char *text = request_escape("a b%\n\xc3\xa4"), *line = g_strconcat("REWRITE ", text, NULL);
    request r;
    const char *reply;
    assert_true(request_parse(line, strlen(line), &r, &reply));
    assert_string_equal(r.args[0], "a b%\n\xc3\xa4");
    request_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parses), cmocka_unit_test(refuses), cmocka_unit_test(escapes) };
    return cmocka_run_group_tests_name("configd-request", tests, NULL, NULL);
}
