/* Collectors on recorded files of proc and sys, two samples ten seconds apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "agents/stats/collect/all.h"
#include "agents/stats/collect/import.h"
#include "agents/stats/queue/queue.h"
#include "lib/statpage/statpage.h"

static char *top;
static world w;

static void put_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(top, name, NULL), *folder = g_path_get_dirname(path);
    assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static int set_up(void **state)
{
    top = g_dir_make_tmp("stats-XXXXXX", NULL);
    w = (world) { .proc = g_build_filename(top, "proc", NULL), .sys = g_build_filename(top, "sys", NULL),
                  .import_folder = g_build_filename(top, "import", NULL), .queue_socket = g_build_filename(top, "no-socket", NULL) };
    g_autofree char *folder = g_build_filename(top, "pages", NULL);
    assert_int_equal(g_mkdir(folder, 0755), 0);
    w.pages = pages_new(folder);
    return 0;
}

static int tear_down(void **state)
{
    const char *argv[] = { "rm", "-rf", top, NULL };
    pages_free(w.pages);
    assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    const char *const names[] = { w.proc, w.sys, w.import_folder, w.queue_socket, top };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_free((void *) (uintptr_t) names[i]);
    return 0;
}

/* The table of the second sample; BETWEEN changes the files. */
static sample_table *sample_twice(const collector *c, void (*between)(void))
{
    g_autofree void *state = g_malloc0(c->state_size);
    growth *g = growth_new();
    w.now = 100;
    sample_table *t = sample_table_new(c->group);
    assert_int_equal(c->sample(state, &w, t), 0);
    growth_take(g, t);
    sample_table_free(t);
    if (between)
        between();
    w.now = 110;
    t = sample_table_new(c->group);
    assert_int_equal(c->sample(state, &w, t), 0);
    growth_take(g, t);
    if (c->clear)
        c->clear(state);
    growth_free(g);
    return t;
}

static double value(const sample_table *t, const char *label, const char *field)
{
    for (guint n = 0; n < t->rows->len; n++)
        for (size_t i = 0; i < t->group->n_fields; i++) {
            const sample_row *r = t->rows->pdata[n];
            if (g_str_equal(r->label, label) && g_str_equal(t->group->fields[i].name, field))
                return r->value[i];
        }
    fail_msg("no %s of \"%s\"", field, label);
    return NAN;
}

#define assert_value(t, label, field, wanted) assert_float_equal(value(t, label, field), wanted, 0.0011)

#define STAT_1 "cpu  200 0 100 1700 0 0 0 0 0 0\ncpu0 100 0 50 850 0 0 0 0 0 0\ncpu1 100 0 50 850 0 0 0 0 0 0\n" \
    "intr 1000 1 2 3\nctxt 5000\nprocs_running 3\nprocs_blocked 1\n"
#define STAT_2 "cpu  700 0 300 2700 100 0 0 200 0 0\ncpu0 600 0 50 1350 0 0 0 0 0 0\ncpu1 100 0 250 1350 100 0 0 200 0 0\n" \
    "intr 2000 1 2 3\nctxt 25000\nprocs_running 2\nprocs_blocked 0\n"

static void later_stat(void)
{
    put_file("proc/stat", STAT_2);
}

static void cpu_is_shares_of_time(void **state)
{
    put_file("proc/stat", STAT_1);
    g_autoptr(sample_table) t = sample_twice(&collect_cpu, later_stat);
    assert_int_equal(t->rows->len, 2);
    assert_value(t, "cpu0", "user", 50);
    assert_value(t, "cpu0", "idle", 50);
    assert_value(t, "cpu1", "sys", 20);      /* 200 of 1000 */
    assert_value(t, "cpu1", "steal", 20);
}

static void later_vm(void)
{
    later_stat();
    put_file("proc/vmstat", "pgpgin 2000\npgpgout 5000\npswpin 10\npswpout 0\n");
}

static void vm_is_that_of_vmstat(void **state)
{
    put_file("proc/stat", STAT_1);
    put_file("proc/vmstat", "pgpgin 1000\npgpgout 1000\npswpin 0\npswpout 0\n");
    put_file("proc/meminfo", "MemTotal:        4000000 kB\nMemFree:          500000 kB\nBuffers:  100 kB\nCached:           800000 kB\n"
                             "SwapTotal:       1000 kB\nSwapFree:        400 kB\nActive(anon):     77 kB\nSReclaimable:     20000 kB\n");
    put_file("proc/loadavg", "1.25 0.50 0.10 2/300 4242\n");
    g_autoptr(sample_table) t = sample_twice(&collect_vm, later_vm);
    assert_value(t, "", "r", 2);
    assert_value(t, "", "swpd", 600);
    assert_value(t, "", "cache", 820000);
    assert_value(t, "", "bi", 100);
    assert_value(t, "", "bo", 400);
    assert_value(t, "", "si", 10.0 * (double) sysconf(_SC_PAGESIZE) / 1024 / 10);
    assert_value(t, "", "in", 100);
    assert_value(t, "", "cs", 2000);
    assert_value(t, "", "us", 25);           /* 500 of 2000 */
    assert_value(t, "", "Active(anon)", 77);
    assert_value(t, "", "loadavg", 1.25);
    assert_true(isnan(value(t, "", "DirectMap1G")));
}

static void later_disks(void)
{
    put_file("proc/diskstats", " 8 0 sda 1100 10 203000 500 300 20 16000 1000 0 5000 1500\n 8 1 sda1 5 0 8 1 0 0 0 0 0 0 0\n"
                               " 7 0 loop0 9 0 9 9 9 9 9 9 0 9 9\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void io_is_that_of_iostat(void **state)
{
    put_file("proc/diskstats", " 8 0 sda 1000 0 200000 400 200 0 10000 500 0 4000 900\n 8 1 sda1 4 0 8 1 0 0 0 0 0 0 0\n"
                               " 7 0 loop0 8 0 9 9 9 9 9 9 0 9 9\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n");
    put_file("sys/class/block/sda1/partition", "1\n");
    g_autoptr(sample_table) t = sample_twice(&collect_io, later_disks);
    assert_int_equal(t->rows->len, 1);
    assert_value(t, "sda", "tps", 20);
    assert_value(t, "sda", "kB_read/s", 150);
    assert_value(t, "sda", "kB_wrtn", 3000);
    put_file("proc/diskstats", " 8 0 sda 1000 0 200000 400 200 0 10000 500 0 4000 900\n");
    g_autoptr(sample_table) x = sample_twice(&collect_io_x, later_disks);
    assert_value(x, "sda", "r/s", 10);
    assert_value(x, "sda", "wrqm/s", 2);
    assert_value(x, "sda", "await", 3);          /* 600 ms, 200 requests */
    assert_value(x, "sda", "r_await", 1);
    assert_value(x, "sda", "avgrq-sz", 45);
    assert_value(x, "sda", "%util", 10);
}

static void df_shows_each_file_system_once(void **state)
{
    char *excludes[] = { (char *) "/opt/zimbra/secret", NULL };
    put_file("proc/self/mountinfo",
             "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
             "2 1 8:1 /zmstat /opt/zimbra/zmstat rw - ext4 /dev/sda1 rw\n"
             "3 1 0:5 / /proc rw - proc proc rw\n"
             "4 1 8:9 / /opt/zimbra/secret rw - ext4 /dev/sdb rw\n"
             "5 1 0:7 / /opt/zimbra/ssl rw - tmpfs tmpfs rw\n"
             "6 1 8:7 / /usr rw - ext4 /dev/sdc ro\n"
             "7 1 8:8 / /tmp/a\\054b rw - ext4 /dev/sdd rw\n"
             "broken line\n");
    w.disk_excludes = excludes;
    g_autoptr(sample_table) t = sample_twice(&collect_df, NULL);
    w.disk_excludes = NULL;
    assert_int_equal(t->rows->len, 1);
    assert_string_equal(((sample_row *) t->rows->pdata[0])->note, "/dev/sda1");
    assert_true(value(t, "/", "disk_pct_used") > 0 && value(t, "/", "disk_pct_used") <= 100);
}

static void later_process(void)
{
    put_file("proc/10/stat", "10 (a) b (c) S 1 1 1 0 -1 0 0 0 0 0 500 200 0 0 20 0 1 0 77 1 1\n");
    put_file("proc/11/stat", "11 (new) S 1 1 1 0 -1 0 0 0 0 0 100 0 0 0 20 0 1 0 99 1 1\n");
    put_file("proc/11/statm", "100 10 5 0 0 0 0\n");
    put_file("proc/11/cgroup", "0::/system.slice/system-x.slice/zimbra-mailbox-login@1.service\n");
}

static void proc_adds_a_service_up(void **state)
{
    put_file("proc/10/stat", "10 (a) b (c) S 1 1 1 0 -1 0 0 0 0 0 400 100 0 0 20 0 1 0 77 1 1\n");
    put_file("proc/10/statm", "1000 512 100 0 0 0 0\n");
    put_file("proc/10/cgroup", "1:name=systemd:/x\n0::/system.slice/zimbra-mailbox-shard@0.service\n");
    put_file("proc/12/cgroup", "0::/user.slice/zimbra-else.service\n");
    put_file("proc/12/stat", "garbage");
    g_autoptr(sample_table) t = sample_twice(&collect_proc, later_process);
    double tick = (double) sysconf(_SC_CLK_TCK), page = (double) sysconf(_SC_PAGESIZE) / 1048576;
    assert_value(t, "mailbox", "utime", 200 / tick * 10);       /* 100 + 100 ticks in ten seconds */
    assert_value(t, "mailbox", "stime", 100 / tick * 10);
    assert_value(t, "mailbox", "process-count", 2);
    assert_value(t, "mailbox", "rssMB", 522 * page);
    assert_value(t, "ldap", "process-count", 0);
    assert_string_equal(((sample_row *) t->rows->pdata[0])->label, "mailbox");
}

static statpage *shard;
static const statpage_def shard_defs[] = {
    { "imap_commands", STATPAGE_COUNTER }, { "imap_timed", STATPAGE_COUNTER }, { "imap_us", STATPAGE_COUNTER },
    { "imap_sessions", STATPAGE_GAUGE }, { "imap.fetch.count", STATPAGE_COUNTER }, { "imap.fetch.us", STATPAGE_COUNTER },
};

static void later_pages(void)
{
    statpage_add(shard, 0, 10);
    statpage_add(shard, 1, 4);
    statpage_add(shard, 2, 6000);
    statpage_set(shard, 3, 2);
    statpage_add(shard, 4, 4);
    statpage_add(shard, 5, 2000);
    pages_refresh(w.pages);
}

static void mailboxd_adds_pages_up(void **state)
{
    g_autofree char *folder = g_build_filename(top, "pages", NULL);
    shard = statpage_new(folder, "zmmailboxd-shard-0", shard_defs, G_N_ELEMENTS(shard_defs), NULL);
    statpage *other = statpage_new(folder, "zmmailboxd-shard-12", shard_defs, G_N_ELEMENTS(shard_defs), NULL);
    statpage_set(other, 3, 5);
    statpage_add(other, 0, 100);
    put_file("pages/zmmailboxd-shard-13", "MSTDSTAT, or so it says");
    pages_refresh(w.pages);
    g_autoptr(sample_table) t = sample_twice(&collect_mailboxd, later_pages);
    assert_value(t, "", "imap_count", 10);
    assert_value(t, "", "imap_ms_avg", 1.5);
    assert_value(t, "", "imap_conn", 7);
    assert_true(isnan(value(t, "", "lmtp_rcvd_msgs")));
    g_autoptr(sample_table) commands = sample_twice(&collect_imap, later_pages);
    assert_value(commands, "FETCH", "exec_count", 4);
    assert_value(commands, "FETCH", "exec_ms_avg", 0.5);
    statpage_free(other);
    statpage_free(shard);
}

/* A daemon that is restarted begins at 0; the host's total does not. */
static void totals_outlive_a_restart(void **state)
{
    g_autofree char *folder = g_build_filename(top, "pages", NULL);
    double v = 0;
    for (int i = 0; i < 3; i++) {
        statpage *p = statpage_new(folder, "zmtestd-0", shard_defs, G_N_ELEMENTS(shard_defs), NULL);
        statpage_add(p, 0, 7);
        pages_refresh(w.pages);
        pages_refresh(w.pages);
        statpage_free(p);
        g_usleep(1000);
    }
    assert_true(pages_counter(w.pages, "zmtestd", "imap_commands", &v));
    assert_float_equal(v, 21, 0);
    pages_refresh(w.pages);
    assert_false(pages_gauge(w.pages, "zmtestd", "imap_sessions", &v));
}

static void queues_are_counted(void **state)
{
    put_file("spool/deferred/A/one", "12345");
    put_file("spool/deferred/two", "123");
    put_file("spool/deferred/.hidden", "1");
    g_autofree char *spool = g_build_filename(top, "spool", NULL);
    queue_count c;
    assert_int_equal(queue_walk(spool, "deferred", g_get_real_time() / G_USEC_PER_SEC + 60, &c), 0);
    assert_int_equal(c.messages, 2);
    assert_int_equal(c.bytes, 8);
    assert_in_range(c.oldest_s, 59, 120);
    assert_int_equal(queue_walk(spool, "active", 0, &c), -ENOENT);
    queue_count all[QUEUE_KINDS] = { [2] = c }, back[QUEUE_KINDS];
    g_autofree char *text = queue_format(all);
    assert_true(queue_parse(text, back));
    assert_memory_equal(all, back, sizeof all);
    static const char *const bad[] = { "", "incoming 1 2 3\n", "incoming 1 2\nactive 0 0 0\ndeferred 0 0 0\nhold 0 0 0\ncorrupt 0 0 0\nmaildrop 0 0 0\n" };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(queue_parse(bad[i], back));
}

static void imports_are_adopted_or_left_out(void **state)
{
    g_autoptr(sample_table) t = import_parse("mta", "timestamp 1\nmta:messages 12\nmta:bytes 4096\n\nmta:rate 1.5 gauge\n");
    assert_non_null(t);
    assert_string_equal(t->group->name, "mta");
    assert_int_equal(t->group->n_fields, 3);
    assert_int_equal(t->group->fields[0].kind, FIELD_COUNTER);
    assert_float_equal(((sample_row *) t->rows->pdata[0])->value[2], 1.5, 0);
    static const struct { const char *name, *text; } bad[] = {
        { "mta", "" }, { "mta", "other:messages 1\n" }, { "mta", "mta:messages one\n" }, { "mta", "mta:a,b 1\n" },
        { "mta", "mta:messages -1\n" }, { "mta", "mta:messages nan gauge\n" }, { "mta", "mta:messages 1\nmta:Messages 2\n" },
        { "mta", "mta:messages 1 2\n" }, { "cpu", "cpu:user 1\n" }, { "../x", "../x:a 1\n" }, { "mta", "mta:messages\t1\n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(import_parse(bad[i].name, bad[i].text));
    put_file("import/good", "good:n 1\n");
    put_file("import/bad", "bad:n");
    put_file("import/.tmp", ".tmp:n 1\n");
    g_autofree char *link = g_build_filename(top, "import", "link", NULL);
    assert_int_equal(symlink("good", link), 0);
    g_autoptr(GPtrArray) all = import_read(w.import_folder);
    assert_int_equal(all->len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_is_shares_of_time), cmocka_unit_test(vm_is_that_of_vmstat), cmocka_unit_test(io_is_that_of_iostat),
        cmocka_unit_test(df_shows_each_file_system_once), cmocka_unit_test(proc_adds_a_service_up),
        cmocka_unit_test(mailboxd_adds_pages_up), cmocka_unit_test(totals_outlive_a_restart), cmocka_unit_test(queues_are_counted),
        cmocka_unit_test(imports_are_adopted_or_left_out),
    };
    return cmocka_run_group_tests_name("stats", tests, set_up, tear_down);
}
