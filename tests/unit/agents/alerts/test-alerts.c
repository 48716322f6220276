#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include "agents/alerts/certificates.h"
#include "agents/alerts/conditions.h"
#include "agents/alerts/debounce.h"
#include "agents/alerts/disks.h"
#include "agents/alerts/feed.h"
#include "agents/alerts/keep.h"
#include "agents/alerts/message.h"
#include "agents/alerts/windows.h"

#define S(n) ((gint64) (n) * G_USEC_PER_SEC)

/* ---- windows ---- */

static void windows_slide(void **state)
{
    windows *w = windows_new(S(60));
    for (int i = 0; i < 9; i++)
        windows_add(w, "192.0.2.1", "anna", S(i));
    windows_add(w, "192.0.2.2", "anna", S(9));
    windows_add(w, "192.0.2.1", "bert", S(9));
    assert_int_equal(windows_count(w, WINDOW_IP_ACCOUNT, "192.0.2.1 anna"), 9);
    assert_int_equal(windows_count(w, WINDOW_ACCOUNT, "anna"), 10);
    assert_int_equal(windows_count(w, WINDOW_IP, "192.0.2.1"), 10);
    assert_int_equal(windows_count(w, WINDOW_TOTAL, ""), 11);
    windows_advance(w, S(60));          /* the one of second 0 is a minute old */
    assert_int_equal(windows_count(w, WINDOW_IP_ACCOUNT, "192.0.2.1 anna"), 8);
    windows_advance(w, S(30));          /* time does not go back */
    assert_int_equal(windows_count(w, WINDOW_TOTAL, ""), 10);
    windows_advance(w, S(69));
    assert_int_equal(windows_count(w, WINDOW_TOTAL, ""), 0);
    assert_int_equal(windows_count(w, WINDOW_IP, "192.0.2.1"), 0);
    windows_free(w);
}

static void windows_are_bounded(void **state)
{
    windows *w = windows_new(S(60));
    for (int i = 0; i < WINDOWS_MAX_EVENTS + 100; i++) {
        g_autofree char *ip = g_strdup_printf("ip%d", i);
        windows_add(w, ip, "anna", S(1));
    }
    assert_int_equal(windows_count(w, WINDOW_TOTAL, ""), WINDOWS_MAX_EVENTS);
    assert_int_equal(windows_count(w, WINDOW_IP, "ip0"), 0);
    windows_free(w);
}

/* ---- conditions ---- */

static void conditions_are_told_once(void **state)
{
    conditions *c = conditions_new();
    assert_false(conditions_take(c, "disk /", 0, 0, 1));    /* the end of nothing */
    assert_true(conditions_take(c, "disk /", 1, 0, 1));
    assert_false(conditions_take(c, "disk /", 1, 0, 2));
    assert_true(conditions_take(c, "disk /", 2, 0, 3));
    assert_true(conditions_take(c, "disk /a b", 1, 0, 3));
    g_autoptr(GKeyFile) file = g_key_file_new();
    conditions_save(c, file);
    conditions_free(c);
    c = conditions_new();
    conditions_load(c, file);
    assert_int_equal(conditions_level(c, "disk /"), 2);
    assert_int_equal(conditions_level(c, "disk /a b"), 1);
    assert_int_equal(conditions_count(c, "disk "), 2);
    assert_true(conditions_take(c, "disk /", 0, 0, 4));
    assert_false(conditions_take(c, "disk /", 0, 0, 5));
    conditions_free(c);
}

static void conditions_end_by_themselves(void **state)
{
    conditions *c = conditions_new();
    assert_true(conditions_take(c, "store-dead", 1, 600, 1000));
    assert_false(conditions_take(c, "store-dead", 1, 600, 1500));
    assert_false(conditions_expire(c, 2099));
    assert_true(conditions_expire(c, 2100));
    assert_true(conditions_take(c, "store-dead", 1, 600, 2101));
    conditions_free(c);
}

/* ---- watchers ---- */

static void disk_levels_have_hysteresis(void **state)
{
    static const struct { guint percent; int level, expected; } cases[] = {
        { 84, 0, 0 }, { 85, 0, 1 }, { 95, 0, 2 }, { 84, 1, 1 }, { 83, 1, 1 }, { 82, 1, 0 }, { 94, 2, 2 }, { 93, 2, 2 },
        { 92, 2, 1 }, { 82, 2, 0 }, { 84, 2, 1 }, { 100, 1, 2 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(disks_level(cases[i].percent, cases[i].level, 85, 95), cases[i].expected);
}

static void mounts_are_the_hosts(void **state)
{
    static const char text[] =
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 8:2 / /opt/zimbra ro shared:1 - ext4 /dev/sda2 rw\n"             /* read-only in the sandbox only */
        "3 2 8:2 /data/alerts /opt/zimbra/data/alerts rw - ext4 /dev/sda2 rw\n"
        "4 2 0:40 / /opt/zimbra/store\\040two rw - tmpfs tmpfs rw\n"
        "5 2 0:41 / /opt/zimbra/not rw - tmpfs tmpfs rw\n"
        "6 2 7:0 / /opt/zimbra/image rw - squashfs /dev/loop0 ro\n"
        "7 1 0:5 / /proc rw - proc proc rw\nrubbish\n";
    char *excludes[] = { (char *) "/opt/zimbra/not", NULL };
    g_autoptr(GPtrArray) list = disks_mounts(text, excludes);
    assert_int_equal(list->len, 3);
    unsigned seen = 0;
    for (guint i = 0; i < list->len; i++) {
        const disks_mount *m = list->pdata[i];
        seen |= g_str_equal(m->volume, "/") ? 1 : g_str_equal(m->volume, "/opt/zimbra") ? 2 :
            g_str_equal(m->volume, "/opt/zimbra/store two") ? 4 : 8;
    }
    assert_int_equal(seen, 7);
}

static void certificate_stages(void **state)
{
    static const struct { double days; int stage; } cases[] = {
        { 31, 0 }, { 30, 1 }, { 14.5, 1 }, { 14, 2 }, { 7, 3 }, { 2, 3 }, { 1, 4 }, { 0.1, 4 }, { 0, 9 }, { -3, 9 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(certificates_stage(1000000 + (gint64) (cases[i].days * 86400), 1000000), cases[i].stage);
}

static void services_are_debounced(void **state)
{
    debounce d = { 0 };
    gint64 born = S(1000);
    assert_int_equal(debounce_see(&d, SEEN_STOPPED, born, born), SAID_NOTHING);         /* boot */
    assert_int_equal(debounce_see(&d, SEEN_STOPPED, born + S(60), born), SAID_NOTHING);
    assert_int_equal(debounce_see(&d, SEEN_RUNNING, born + S(61), born), SAID_NOTHING);
    assert_int_equal(debounce_see(&d, SEEN_RUNNING, born + S(66), born), SAID_RUNNING);
    assert_int_equal(debounce_see(&d, SEEN_STOPPED, born + S(70), born), SAID_NOTHING); /* a restart */
    assert_int_equal(debounce_see(&d, SEEN_ON_ITS_WAY, born + S(71), born), SAID_NOTHING);
    assert_int_equal(debounce_see(&d, SEEN_ON_ITS_WAY, born + S(160), born), SAID_NOTHING);
    assert_int_equal(debounce_see(&d, SEEN_ON_ITS_WAY, born + S(161), born), SAID_STOPPED);
    assert_int_equal(debounce_see(&d, SEEN_STOPPED, born + S(200), born), SAID_NOTHING);
    assert_int_equal(debounce_see(&d, SEEN_STOPPED, born + S(205), born), SAID_STOPPED);
    debounce never = { 0 };
    assert_int_equal(debounce_see(&never, SEEN_STOPPED, born, born), SAID_NOTHING);
    assert_int_equal(debounce_see(&never, SEEN_STOPPED, born + S(90), born), SAID_STOPPED);
}

/* ---- what is kept, mailed and fed ---- */

static alert *test_alert(const char *message)
{
    alert *a = alert_new("alert-test");
    assert_int_equal(alert_set(a, "HOST", "mail.example.test"), 0);
    assert_int_equal(alert_set(a, "MESSAGE", message), 0);
    return a;
}

static void keeps_the_newest(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("alerts-XXXXXX", NULL);
    keep *k = keep_open(dir, NULL);
    assert_non_null(k);
    g_autofree char *uuid = NULL;
    for (int i = 1; i <= KEEP_MAX + 5; i++) {
        g_autoptr(alert) a = test_alert("m");
        assert_int_equal(keep_add(k, a), i);
        g_free(uuid);
        uuid = g_strdup(alert_uuid(a));
    }
    assert_true(keep_save_state(k, NULL));
    keep_close(k);
    k = keep_open(dir, NULL);
    assert_int_equal(keep_first(k), 6);
    assert_int_equal(keep_next(k), KEEP_MAX + 6);
    assert_true(keep_knows(k, uuid));
    assert_null(keep_get(k, 5));
    assert_non_null(keep_get(k, 6));
    keep_close(k);
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d)); ) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        assert_int_equal(g_unlink(path), 0);
    }
    assert_int_equal(g_rmdir(dir), 0);
}

static void mails_are_plain(void **state)
{
    g_autoptr(alert) a = test_alert("line one\n.dot");
    g_autofree char *text = message_of_alert(a, "from@example.test", "to@example.test");
    assert_non_null(strstr(text, "\r\nSubject: Test alert on mail.example.test\r\n"));
    assert_non_null(strstr(text, "\r\nAuto-Submitted: auto-generated\r\n"));
    assert_non_null(strstr(text, "\r\n.dot\r\n"));
    g_autoptr(alert) b = test_alert("gr\xc3\xbc\xc3\x9f" "e");
    g_autofree char *base64 = message_of_alert(b, "from@example.test", "to@example.test");
    assert_non_null(strstr(base64, "Content-Transfer-Encoding: base64"));
    assert_true(g_str_is_ascii(base64));
    for (const char *p = base64; (p = strchr(p, '\n')); p++)
        assert_true(p[-1] == '\r');
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    g_ptr_array_add(list, a);
    g_autofree char *many = message_of_many(list, 7, "mail.example.test", "f@x.test", "t@x.test");
    assert_non_null(strstr(many, "Subject: 8 alerts on mail.example.test"));
}

static void feed_packets_have_lines(void **state)
{
    g_autoptr(alert) a = test_alert("one\ntwo");
    g_autofree char *packet = feed_packet(42, a);
    g_auto(GStrv) lines = g_strsplit(packet, "\n", -1);
    assert_string_equal(lines[0], "42");
    assert_string_equal(lines[1], "alert-test");
    assert_string_equal(lines[2], "notice");
    assert_string_equal(lines[3], "Test alert on mail.example.test");
    assert_non_null(strstr(lines[4], "one\\ntwo"));
    assert_true(g_strv_contains((const char *const *) lines, "HOST=mail.example.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_slide), cmocka_unit_test(windows_are_bounded),
        cmocka_unit_test(conditions_are_told_once), cmocka_unit_test(conditions_end_by_themselves),
        cmocka_unit_test(disk_levels_have_hysteresis), cmocka_unit_test(mounts_are_the_hosts),
        cmocka_unit_test(certificate_stages), cmocka_unit_test(services_are_debounced),
        cmocka_unit_test(keeps_the_newest), cmocka_unit_test(mails_are_plain), cmocka_unit_test(feed_packets_have_lines),
    };
    return cmocka_run_group_tests_name("alerts", tests, NULL, NULL);
}
