#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include "lib/alert/alert.h"

static alert *make(const char *id, const char *const *fields)
{
    alert *a = alert_new(id);
    assert_int_equal(alert_set(a, "HOST", "mail.example.test"), 0);
    for (size_t i = 0; fields[i]; i += 2)
        assert_int_equal(alert_set(a, fields[i], fields[i + 1]), 0);
    return a;
}

#define FIELDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* Guide ch. 12, "Types of Notifications and Alerts". */
static void texts_are_the_guides(void **state)
{
    const struct { const char *id; const char *const *fields; const char *subject, *body, *condition; int level; } cases[] = {
        { "service-started", FIELDS("SERVICE", "mta"), "Service mta started on mail.example.test",
          "Service status change: mail.example.test mta changed from stopped to running", "service mta", 0 },
        { "service-stopped", FIELDS("SERVICE", "mta"), "Service mta stopped on mail.example.test",
          "Service status change: mail.example.test mta changed from running to stopped", "service mta", 1 },
        { "disk-critical", FIELDS("VOLUME", "/opt/zimbra", "DEVICE", "/dev/sda1", "PERCENT", "96"),
          "Disk /opt/zimbra at 96% on mail.example.test",
          "Disk warning: mail.example.test /opt/zimbra on device /dev/sda1 at 96%", "disk /opt/zimbra", 2 },
        { "certificate-expiring", FIELDS("FILE", "/f", "STAGE", "3", "NAME", "n", "EXPIRES", "e", "DAYS", "5"),
          "ZCS: SSL Certificates approaching expiration!", NULL, "certificate /f", 3 },
        { "store-duplicate", FIELDS("SHARD", "0"), "ZCS: Duplicate mysqld processes detected!", NULL, "store-duplicate 0", 1 },
        { "database-integrity", FIELDS("COMMAND", "c", "OUTPUT", "o"),
          "Database Integrity check report for mail.example.test", "Database errors found.\nc\n\no", "database-integrity", 1 },
        { "config-rolled-back", FIELDS("MESSAGE", "m"), "Configuration rolled back on mail.example.test", "m", NULL, 1 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(alert) a = make(cases[i].id, cases[i].fields);
        g_autofree char *subject = alert_subject(a), *body = alert_body(a), *condition = alert_condition(a);
        assert_string_equal(subject, cases[i].subject);
        if (cases[i].body)
            assert_string_equal(body, cases[i].body);
        assert_true(g_strcmp0(condition, cases[i].condition) == 0);
        assert_int_equal(alert_level(a), cases[i].level);
    }
}

static void catalogue_is_sound(void **state)
{
    size_t n;
    const alert_def *t = alert_table(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(alert_find(t[i].id), &t[i]);
        assert_int_equal(strlen(t[i].message_id), 32);
        assert_int_equal(strspn(t[i].message_id, "0123456789abcdef"), 32);
        assert_true(!t[i].condition == !t[i].level);
        assert_true(t[i].severity > 4 || t[i].remedy);      /* what is wrong has a remedy */
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(t[i].message_id, t[j].message_id);
    }
    assert_null(alert_find("nothing"));
}

static void abuse_subjects_begin_as_the_guide_says(void **state)
{
    static const char *const ids[] = { "abuse-ip-account", "abuse-account", "abuse-ip", "abuse-total" };
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(alert) a = make(ids[i], FIELDS("CLIENT_IP", "192.0.2.1", "ACCOUNT", "anna@example.test"));
        g_autofree char *subject = alert_subject(a);
        assert_true(g_str_has_prefix(subject, "ABUSE:"));
    }
}

static void wire_reads_back(void **state)
{
    g_autoptr(alert) a = make("job-failed", FIELDS("UNIT", "x.service", "OUTPUT", "line\nback\\slash\tend", "BAD", "a\001\xff"));
    g_autofree char *text = alert_format(a);
    g_autoptr(alert) b = NULL;
    assert_int_equal(alert_parse(text, strlen(text), &b), 0);
    g_autofree char *again = alert_format(b);
    assert_string_equal(text, again);
    assert_string_equal(alert_get(b, "OUTPUT"), "line\nback\\slash\tend");
    assert_string_equal(alert_get(b, "BAD"), "a?\xef\xbf\xbd");
    assert_string_equal(alert_uuid(a), alert_uuid(b));
}

#define HEAD "ID=alert-test\nUUID=0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f\nTIME=1\n"

static void wire_refuses(void **state)
{
    static const char *const bad[] = {
        "", "ID=alert-test\n", "ID=../x\nUUID=0a1b2c3d-0a1b-0a1b\nTIME=1\n", HEAD "NOEQUALS\n", HEAD "lower=x\n",
        HEAD "A=1\nA=2\n", HEAD "A=\\x\n", HEAD "A=\\\n", HEAD "A=no end of line", HEAD "A=\xff\n", HEAD "\n",
        "ID=alert-test\nTIME=1\nUUID=0a1b2c3d-0a1b-0a1b\n", "ID=alert-test\nUUID=0a1b2c3d-0a1b-0a1b\nTIME=-1\n",
    };
    alert *a = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(alert_parse(bad[i], strlen(bad[i]), &a), -EBADMSG);
    assert_int_equal(alert_parse(HEAD "A=\0b\n", sizeof HEAD + 4, &a), -EBADMSG);
    g_autofree char *many = g_strnfill(ALERT_MAX_BYTES + 1, 'x');
    assert_int_equal(alert_parse(many, ALERT_MAX_BYTES + 1, &a), -E2BIG);
    GString *fields = g_string_new(HEAD);
    for (int i = 0; i < ALERT_MAX_FIELDS + 1; i++)
        g_string_append_printf(fields, "F%d=x\n", i);
    assert_true(alert_parse(fields->str, fields->len, &a) < 0);
    g_string_free(fields, TRUE);
    assert_null(a);
}

static void long_values_are_cut(void **state)
{
    g_autofree char *many = g_strnfill(20000, '\n');
    g_autoptr(alert) a = make("job-failed", FIELDS("OUTPUT", many));
    g_autofree char *text = alert_format(a);
    assert_in_range(strlen(text), ALERT_MAX_BYTES - 400, ALERT_MAX_BYTES);
    g_autoptr(alert) b = NULL;
    assert_int_equal(alert_parse(text, strlen(text), &b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_the_guides), cmocka_unit_test(catalogue_is_sound),
        cmocka_unit_test(abuse_subjects_begin_as_the_guide_says), cmocka_unit_test(wire_reads_back),
        cmocka_unit_test(wire_refuses), cmocka_unit_test(long_values_are_cut),
    };
    return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
