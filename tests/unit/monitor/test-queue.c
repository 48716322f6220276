#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/monitor/queue.h"

static void reads_the_last_line(void **state)
{
    guint64 kbytes = 7, messages = 7;
    assert_true(queue_parse("Mail queue is empty", &kbytes, &messages));
    assert_int_equal(kbytes, 0);
    assert_int_equal(messages, 0);
    assert_true(queue_parse("-- 1 Kbytes in 1 Request.", &kbytes, &messages));
    assert_true(queue_parse("-- 1234 Kbytes in 56 Requests.", &kbytes, &messages));
    assert_int_equal(kbytes, 1234);
    assert_int_equal(messages, 56);
}

static void refuses_others(void **state)
{
    static const char *const lines[] = { "", "--", "-- x Kbytes in 1 Request.", "-- 1 Kbytes in -1 Request.",
                                         "postqueue: fatal: mail system is down", "-- 1 Kbytes in 1 Request. more" };
    guint64 kbytes = 7, messages = 8;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_false(queue_parse(lines[i], &kbytes, &messages));
    assert_int_equal(kbytes, 7);
    assert_int_equal(messages, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reads_the_last_line), cmocka_unit_test(refuses_others) };
    return cmocka_run_group_tests_name("monitor-queue", tests, NULL, NULL);
}
