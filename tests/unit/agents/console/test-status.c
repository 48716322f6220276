/* The words of the status line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/console/status.h"

static char *none[] = { NULL };
static char *two_addresses[] = { (char *) "192.0.2.10", (char *) "2001:db8::10", NULL };

static void assert_text(const console_status *s, const char *wanted)
{
    g_autofree char *text = status_text(s);
    assert_string_equal(text, wanted);
}

static void test_all_run(void **state)
{
    assert_text(&(console_status) { .host = (char *) "mail.example.com", .addresses = two_addresses, .services = 12,
                                    .down = none, .failed = none },
                "Mailstead  mail.example.com  192.0.2.10, 2001:db8::10\nAll 12 services run.\n\n");
}

static void test_failed_come_before_stopped(void **state)
{
    char *failed[] = { (char *) "antivirus", NULL }, *down[] = { (char *) "mta", (char *) "snmp", NULL };
    assert_text(&(console_status) { .host = (char *) "m", .addresses = none, .services = 12, .down = down, .failed = failed },
                "Mailstead  m  no address yet\n"
                "9 of 12 services run; failed: antivirus; not running: mta, snmp. See: zmcontrol status\n\n");
}

static void test_unknown_says_why(void **state)
{
    assert_text(&(console_status) { .host = (char *) "m", .addresses = none, .down = none, .failed = none,
                                    .unknown = (char *) "no bus" },
                "Mailstead  m  no address yet\nServices: unknown, no bus\n\n");
}

/* agetty would take \ and @ for escapes; control characters move the cursor. */
static void test_names_cannot_draw(void **state)
{
    assert_text(&(console_status) { .host = (char *) "a\\nb@c\x1b[2Jd\xc3\xa9", .addresses = none, .services = 1,
                                    .down = none, .failed = none },
                "Mailstead  a?nb?c?[2Jd??  no address yet\nAll 1 services run.\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_run),
        cmocka_unit_test(test_failed_come_before_stopped),
        cmocka_unit_test(test_unknown_says_why),
        cmocka_unit_test(test_names_cannot_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
