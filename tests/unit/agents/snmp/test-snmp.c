/* The tree, alerts of the feed, the outbox, showq's answer and the collectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include "agents/snmp/facts.h"
#include "agents/snmp/outbox.h"
#include "agents/snmp/packet.h"
#include "agents/snmp/showq.h"

/* ---- tree and instances ---- */

static void tree_is_walked_in_order(void **state)
{
    g_autoptr(tree) t = tree_new();
    static const guint32 ids[][3] = { { 1, 3, 9 }, { 1, 3, 0 }, { 1, 2, 4 }, { 1, 3, 9 }, { 1, 3, 4294967295u } };
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        oid_path at = { .n = 0 };
        assert_true(oid_append(&at, ids[i], 3));
        tree_add_number(t, &at, VALUE_GAUGE, (gint64) i);
    }
    tree_sort(t);
    assert_int_equal(tree_size(t), 4);                          /* one of two at one place */
    guint32 at[3] = { 1, 2, 4 };
    assert_int_equal(tree_get(t, at, 3)->number, 2);
    assert_int_equal(tree_next(t, at, 3, true)->number, 2);
    assert_int_equal(tree_next(t, at, 3, false)->number, 1);
    assert_int_equal(tree_next(t, at, 1, false)->number, 2);
    assert_null(tree_get(t, at, 2));
    assert_null(tree_next(t, ids[4], 3, false));
    assert_null(tree_next(t, (const guint32[]) { 2 }, 1, true));
}

static const instance *one(tree *t, group_id id, const record *r)
{
    mib_add(t, id, r);
    tree_sort(t);
    return tree_next(t, (const guint32[]) { 0 }, 1, true);
}

static void values_take_their_form(void **state)
{
    g_autoptr(record) r = record_new();
    g_autofree char *wide = g_strnfill(254, 'x'), *long_text = g_strconcat(wide, "ä", NULL);
    record_set(r, "NAME", long_text);
    g_autoptr(tree) t = tree_new();
    assert_int_equal(g_bytes_get_size(one(t, GROUP_HOST, r)->bytes), 254);     /* never half a letter */

    g_autoptr(record) q = record_new();
    record_set(q, "NAME", "hold");
    record_set(q, "MESSAGES", "99999999999");
    g_autoptr(tree) u = tree_new();
    const instance *i = one(u, GROUP_QUEUE, q);
    assert_int_equal(i->number, G_MAXUINT32);
    assert_int_equal(i->id[i->n - 1], 'd');
    assert_int_equal(i->id[i->n - 4], 'h');
    assert_int_equal(tree_size(u), 1);                          /* what has no value has no instance */

    g_autoptr(record) s = record_new();
    record_set(s, "mta:bytes", "12.6");
    record_set(s, "mta:spam", "nan");
    g_autoptr(tree) v = tree_new();
    assert_int_equal(one(v, GROUP_TRAFFIC, s)->number, 13);
    assert_int_equal(tree_size(v), 1);
    guint8 date[DATE_LEN];
    assert_true(mib_date(86399, date));
    assert_memory_equal(date, "\x07\xb2\x01\x01\x17\x3b\x3b\x00+\x00\x00", DATE_LEN);
    assert_false(mib_date(G_MAXINT64, date));
}

/* ---- the feed ---- */

#define DISK "5\ndisk-warning\nwarning\nDisk / at 90% on h\nline\\none\nTIME=100\nTRAP=zmDiskTrap\nCONDITION=disk /\nLEVEL=1\n" \
             "HOST=h\nVOLUME=/\nDEVICE=a\\\\b\nPERCENT=90\nSTRANGE=1\n"

static void alert_becomes_a_row(void **state)
{
    g_autoptr(record) r = packet_parse(DISK, strlen(DISK));
    assert_non_null(r);
    assert_string_equal(record_get(r, "BODY"), "line\none");
    assert_string_equal(record_get(r, "DEVICE"), "a\\b");
    assert_string_equal(record_get(r, "SEVERITY"), "5");
    assert_string_equal(packet_notification(r)->name, "zmDiskTrap");
    g_autoptr(tree) t = tree_new();
    mib_add(t, GROUP_ALERT, r);
    assert_int_equal(tree_size(t), 11);                         /* eight for every alert, three of the disk's */
}

static void missing_fields_are_filled(void **state)
{
    const char text[] = "6\nservice-stopped\nerr\ns\nb\nTIME=1\nSERVICE=mta\nNAME=no field of this one\nPERCENT=3";
    g_autoptr(record) r = packet_parse(text, strlen(text));
    assert_string_equal(record_get(r, "SERVICE_STATE"), "3");
    assert_string_equal(record_get(r, "HOST"), "");
    assert_string_equal(record_get(r, "LEVEL"), "0");
    assert_null(record_get(r, "PERCENT"));
    const char other[] = "7\nof-a-script\nbogus\ns\nb\nTIME=1";
    g_autoptr(record) q = packet_parse(other, strlen(other));
    assert_string_equal(packet_notification(q)->name, "zmAlertTrap");
    assert_string_equal(record_get(q, "MESSAGE"), "");
}

static void what_is_no_alert_is_refused(void **state)
{
    static const char *const bad[] = { "", "1", "1\nx\nerr\ns", "0\nx\nerr\ns\nb", "x\nx\nerr\ns\nb", "1\n\nerr\ns\nb",
                                       "1\nx\nerr\ns\nb\nno field", "1\nx\nerr\ns\nb\nlow=1", "4294967296\nx\nerr\ns\nb", "1\nx\nerr\n\xff\nb" };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(packet_parse(bad[i], strlen(bad[i])));
    g_autoptr(GString) many = g_string_new("1\nx\nerr\ns\nb");
    for (int i = 0; i <= PACKET_FIELDS_MAX; i++)
        g_string_append_printf(many, "\nF%d=", i);
    assert_null(packet_parse(many->str, many->len));
}

/* ---- the outbox ---- */

typedef struct { sd_event *event; char *path; GString *sent; bool up; outbox *o; } post;

static bool send_one(const record *row, void *data)
{
    post *p = data;
    if (!p->up)
        return false;
    g_string_append_printf(p->sent, "%s ", record_get(row, "NUMBER"));
    return true;
}

static void add(post *p, int number, gint64 time, bool notify)
{
    g_autoptr(record) r = record_new();
    record_set_number(r, "NUMBER", number);
    record_set_number(r, "TIME", time);
    outbox_add(p->o, r, notify);
}

static void run(post *p, bool taken)
{
    while (sd_event_run(p->event, 20000) > 0)
        outbox_taken(p->o, taken);
}

static void reopen(post *p)
{
    outbox_free(p->o);
    p->o = outbox_new(p->event, p->path, send_one, p);
    g_string_truncate(p->sent, 0);
}

static void alerts_wait_and_go_once(void **state)
{
    post *p = *state;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    add(p, 1, now - 2 * OUTBOX_FIRST_AGE_S, true);              /* long past at the first start */
    add(p, 2, now, true);
    add(p, 3, now, true);
    run(p, true);
    assert_string_equal(p->sent->str, "");
    assert_int_equal(outbox_waiting(p->o), 2);
    p->up = true;
    outbox_kick(p->o);
    run(p, true);
    assert_string_equal(p->sent->str, "2 3 ");
    assert_int_equal(outbox_sent(p->o), 2);
    add(p, 2, now, true);                                       /* the feed gives all again */
    add(p, 4, now, false);                                      /* notifications are off */
    run(p, true);
    reopen(p);
    for (int n = 1; n <= 5; n++)
        add(p, n, now, true);
    run(p, true);
    assert_string_equal(p->sent->str, "5 ");
}

static void not_taken_is_sent_again(void **state)
{
    post *p = *state;
    p->up = true;
    add(p, 1, g_get_real_time() / G_USEC_PER_SEC, true);
    assert_true(sd_event_run(p->event, 1000000) > 0);
    outbox_taken(p->o, false);
    assert_true(sd_event_run(p->event, 3000000) > 0);
    outbox_taken(p->o, true);
    assert_string_equal(p->sent->str, "1 1 ");
    assert_int_equal(outbox_waiting(p->o), 0);
}

static void counting_from_one_again_is_noticed(void **state)
{
    post *p = *state;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    p->up = true;
    add(p, 70, now, true);
    run(p, true);
    reopen(p);
    add(p, 1, now + 1, true);
    add(p, 2, now + 1, true);
    run(p, true);
    assert_string_equal(p->sent->str, "1 2 ");
}

static int post_new(void **state)
{
    post *p = g_new0(post, 1);
    g_autofree char *folder = g_dir_make_tmp("snmp-XXXXXX", NULL);
    p->path = g_build_filename(folder, "sent", NULL);
    p->sent = g_string_new(NULL);
    assert_true(sd_event_new(&p->event) >= 0);
    p->o = outbox_new(p->event, p->path, send_one, p);
    *state = p;
    return 0;
}

static int post_free(void **state)
{
    post *p = *state;
    outbox_free(p->o);
    sd_event_unref(p->event);
    (void) g_unlink(p->path);
    g_autofree char *folder = g_path_get_dirname(p->path);
    (void) g_rmdir(folder);
    g_string_free(p->sent, TRUE);
    g_free(p->path);
    g_free(p);
    return 0;
}

/* ---- showq and files ---- */

#define MESSAGE(queue, size, time) "queue_name\0" queue "\0queue_id\0A1\0time\0" time "\0size\0" size "\0sender\0a@b\0recipient\0size\0reason\0time\0\0"
static const char listing[] = "protocol\0postqueue\0\0" MESSAGE("deferred", "1000", "500") MESSAGE("deferred", "25", "400")
                              MESSAGE("active", "7", "600") MESSAGE("elsewhere", "9", "1") "\0";

static void showq_is_counted_byte_by_byte(void **state)
{
    for (size_t portion = 1; portion < sizeof listing; portion += 13) {
        showq s;
        showq_begin(&s);
        for (size_t at = 0; at < sizeof listing - 1; at += portion)
            showq_take(&s, listing + at, MIN(portion, sizeof listing - 1 - at));
        assert_int_equal(s.queues[4].messages, 2);
        assert_int_equal(s.queues[4].bytes, 1025);
        assert_int_equal(s.queues[4].oldest, 400);
        assert_int_equal(s.queues[3].messages, 1);
        assert_int_equal(s.queues[0].messages + s.queues[1].messages + s.queues[2].messages, 0);
    }
}

static void volumes_of_the_host_only(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("snmp-XXXXXX", NULL), *path = g_build_filename(folder, "mountinfo", NULL);
    static const char text[] = "20 1 8:1 / / ro - ext4 /dev/sda1 rw\n21 20 8:1 /opt/zimbra/data /opt/zimbra/data rw - ext4 /dev/sda1 rw\n"
                               "22 20 0:9 / /run rw - tmpfs tmpfs rw\n23 20 0:9 /x /opt/zimbra/conf/localconfig.xml ro - tmpfs tmpfs rw\n"
                               "24 20 7:1 / /opt/zimbra ro - erofs /dev/x ro\n25 20 0:7 / /proc rw - proc proc rw\nbroken\n";
    g_autoptr(facts) f = facts_new();
    snmpagent_config c = { .disk_warn = 100, .disk_critical = 100, .disk_excludes = (char *[]) { NULL } };
    assert_true(g_file_set_contents(path, text, -1, NULL));
    disks_collect(f, path, &c);
    assert_int_equal(f->rows[GROUP_DISK]->len, 1);
    assert_string_equal(record_get(f->rows[GROUP_DISK]->pdata[0], "PATH"), "/");
    (void) g_unlink(path);
    (void) g_rmdir(folder);
}

static void samples_and_queues_make_the_standard_rows(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("snmp-XXXXXX", NULL), *path = g_build_filename(folder, "sample", NULL);
    g_autoptr(facts) f = facts_new();
    samples_collect(f, folder);
    assert_int_equal(f->rows[GROUP_TRAFFIC]->len, 0);
    assert_true(g_file_set_contents(path, "timestamp 77\nmta:received 5\nmta:bytes 4096\nnonsense\n", -1, NULL));
    samples_collect(f, folder);
    record *q = record_new();
    record_set(q, "NAME", "deferred");
    record_set(q, "MESSAGES", "3");
    record_set(q, "VOLUME", "12");
    record_set(q, "OLDEST_AGE", "60");
    facts_add(f, GROUP_QUEUE, q);
    standard_collect(f);
    const record *mta = f->rows[GROUP_MTA]->pdata[0];
    assert_string_equal(record_get(mta, "RECEIVED"), "5");
    assert_string_equal(record_get(mta, "RECEIVED_VOLUME"), "4");
    assert_string_equal(record_get(mta, "MESSAGES"), "3");
    assert_string_equal(record_get(f->rows[GROUP_MTA_GROUP]->pdata[0], "OLDEST_TICKS"), "6000");
    assert_string_equal(record_get(f->rows[GROUP_STORE]->pdata[0], "SAMPLE_TIME"), "77");
    (void) g_unlink(path);
    (void) g_rmdir(folder);
}

static void settings_have_defaults(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("snmp-XXXXXX", NULL), *path = g_build_filename(folder, "conf", NULL);
    char *problem = NULL;
    snmpagent_config *c = snmpagent_config_load(path, &problem);
    assert_non_null(problem);
    assert_true(c->notify);
    assert_int_equal(c->disk_warn, 85);
    snmpagent_config_free(c);
    g_free(problem);
    assert_true(g_file_set_contents(path, "[snmpagent]\nhost=h\nnotify=no\ndisk_warn=101\ndisk_critical=90\ndisk_excludes=/a:/b\n", -1, NULL));
    c = snmpagent_config_load(path, &problem);
    assert_non_null(strstr(problem, "disk_warn=101"));
    assert_false(c->notify);
    assert_int_equal(c->disk_critical, 90);
    assert_string_equal(c->disk_excludes[1], "/b");
    snmpagent_config_free(c);
    g_free(problem);
    (void) g_unlink(path);
    (void) g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_is_walked_in_order),
        cmocka_unit_test(values_take_their_form),
        cmocka_unit_test(alert_becomes_a_row),
        cmocka_unit_test(missing_fields_are_filled),
        cmocka_unit_test(what_is_no_alert_is_refused),
        cmocka_unit_test_setup_teardown(alerts_wait_and_go_once, post_new, post_free),
        cmocka_unit_test_setup_teardown(not_taken_is_sent_again, post_new, post_free),
        cmocka_unit_test_setup_teardown(counting_from_one_again_is_noticed, post_new, post_free),
        cmocka_unit_test(showq_is_counted_byte_by_byte),
        cmocka_unit_test(volumes_of_the_host_only),
        cmocka_unit_test(samples_and_queues_make_the_standard_rows),
        cmocka_unit_test(settings_have_defaults),
    };
    return cmocka_run_group_tests_name("snmp", tests, NULL, NULL);
}
