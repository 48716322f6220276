#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <time.h>
#include "lib/cron/cron.h"

static void gives_calendars(void **state)
{
    static const struct { const char *cron, *first, *second; } cases[] = {
        { "* * * * *", "*-*-* *:*:00", NULL },
        { "*/2 * * * *", "*-*-* *:00..58/2:00", NULL },
        { "30 2 * * *", "*-*-* 02:30:00", NULL },
        { "00,10,20,30,40,50 * * * *", "*-*-* *:00..50/10:00", NULL },
        { "15 5,20 * * *", "*-*-* 05,20:15:00", NULL },
        { "0 1 * * 0-5", "Sun,Mon,Tue,Wed,Thu,Fri *-*-* 01:00:00", NULL },
        { "0 23 * * 7", "Sun *-*-* 23:00:00", NULL },
        { "0 23 * * sun", "Sun *-*-* 23:00:00", NULL },
        { "0 0 * * SAT-SUN", "Sun,Sat *-*-* 00:00:00", NULL },
        { "0 0 * * 5-7", "Sun,Fri,Sat *-*-* 00:00:00", NULL },
        { "0 0 1 JAN,jul *", "*-01,07-01 00:00:00", NULL },
        { "0 0 1 jan-mar *", "*-01..03-01 00:00:00", NULL },
        /* either day */
        { "0 0 13 * 5", "Fri *-*-* 00:00:00", "*-*-13 00:00:00" },
        { "5 4 1,15 2 mon-wed", "Mon,Tue,Wed *-02-* 04:05:00", "*-02-01,15 04:05:00" },
        /* a day field that begins with a star: both */
        { "0 0 */2 * 1", "Mon *-*-01..31/2 00:00:00", NULL },
        { "0 0 13 * */2", "Sun,Tue,Thu,Sat *-*-13 00:00:00", NULL },
        { "5-59/10 8-18/5 * * *", "*-*-* 08,13,18:05..55/10:00", NULL },
        { "0-20/10 * * * *", "*-*-* *:00,10,20:00", NULL },
        { "1-5,7,10-11 * * * *", "*-*-* *:01..05,07,10,11:00", NULL },
        { "0-59/1 0-23 1-31 1-12 *", "*-*-* *:*:00", NULL },
        { "*/40 * * * *", "*-*-* *:00,40:00", NULL },
        { "@hourly", "*-*-* *:00:00", NULL },
        { "@daily", "*-*-* 00:00:00", NULL },
        { "@midnight", "*-*-* 00:00:00", NULL },
        { "@Weekly", "Sun *-*-* 00:00:00", NULL },
        { "@monthly", "*-*-01 00:00:00", NULL },
        { "@yearly", "*-01-01 00:00:00", NULL },
        { "@annually", "*-01-01 00:00:00", NULL },
        { "@reboot", NULL, NULL },
        { "@never", NULL, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = g_strconcat("\t", cases[i].cron, " \t command with * words", NULL);
        g_autoptr(GError) error = NULL;
        const char *rest;
        cron_time t;
        if (!cron_time_parse(line, &rest, &t, &error))
            fail_msg("%s: %s", cases[i].cron, error->message);
        assert_string_equal(rest, "command with * words");
        g_auto(GStrv) list = cron_time_calendars(&t, NULL);
        assert_int_equal(g_strv_length(list), !!cases[i].first + !!cases[i].second);
        if (cases[i].first)
            assert_string_equal(list[0], cases[i].first);
        if (cases[i].second)
            assert_string_equal(list[1], cases[i].second);
    }
}

static void names_what_is_wrong(void **state)
{
    static const struct { const char *line, *field, *why; } cases[] = {
        { "60 * * * * c", "minute: \"60\"", "0-59" },
        { "* 24 * * * c", "hour: \"24\"", "0-23" },
        { "* * 0 * * c", "day of month: \"0\"", "1-31" },
        { "* * 32 * * c", "day of month: \"32\"", "out of range" },
        { "* * * 13 * c", "month: \"13\"", "jan-dec" },
        { "* * * janu * c", "month: \"janu\"", "not understood" },
        { "* * * * 8 c", "day of week: \"8\"", "0 and 7 are Sunday" },
        { "* * * * mon,xyz c", "day of week: \"xyz\"", "not understood" },
        { "5/10 * * * * c", "minute: \"5/10\"", "step without a range" },
        { "*/0 * * * * c", "minute: \"*/0\"", "no good step" },
        { "*/x * * * * c", "minute: \"*/x\"", "no good step" },
        { "*/ * * * * c", "minute: \"*/\"", "no good step" },
        { "10-5 * * * * c", "minute: \"10-5\"", "backwards" },
        { "* 22-2 * * * c", "hour: \"22-2\"", "backwards" },
        { "1- * * * * c", "minute: \"1-\"", "not understood" },
        { ",1 * * * * c", "minute: \"\"", "not understood" },
        { "1,,2 * * * * c", "minute: \"\"", "not understood" },
        { "-1 * * * * c", "minute: \"-1\"", "not understood" },
        { "** * * * * c", "minute: \"**\"", "not understood" },
        { "99999999999999999999 * * * * c", "minute:", "out of range" },
        { "* * * *", "day of week: is missing", "minute, hour" },
        { "@often c", "\"@often\" is no time", "@hourly" },
        { "@dailyx c", "\"@dailyx\" is no time", "@daily" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const char *rest = NULL;
        cron_time t;
        if (cron_time_parse(cases[i].line, &rest, &t, &error))
            fail_msg("%s: was taken", cases[i].line);
        assert_null(rest);
        if (!strstr(error->message, cases[i].field) || !strstr(error->message, cases[i].why))
            fail_msg("%s: %s", cases[i].line, error->message);
    }
}

typedef struct { GPtrArray *entries, *problems; } parsed;

static parsed parse(const char *text, size_t len)
{
    parsed p = { g_ptr_array_new_with_free_func((GDestroyNotify) cron_entry_free), g_ptr_array_new_with_free_func(g_free) };
    cron_parse("tab", text, len, p.entries, p.problems);
    return p;
}

static void parsed_free(parsed *p)
{
    g_ptr_array_unref(p->entries);
    g_ptr_array_unref(p->problems);
}

static void reads_a_file(void **state)
{
    static const char text[] =
        "#\n# Log pruning\n#\n30 2 * * * find /a > /dev/null 2>&1\n  \n35 2 * * * find /b\n# BACKUP BEGIN\n"
        "FOO = bar baz \n\"BAR\"='  quoted '\nCRON_TZ=Europe/Berlin\n@daily run me\n"
        "FOO=\nCRON_TZ=\n* * * * * A=b last";
    parsed p = parse(text, strlen(text));
    assert_int_equal(p.problems->len, 0);
    assert_int_equal(p.entries->len, 4);
    cron_entry *e = p.entries->pdata[0];
    assert_int_equal(e->line, 4);
    assert_string_equal(e->title, "Log pruning");
    assert_string_equal(e->schedule, "30 2 * * *");
    assert_string_equal(e->command, "find /a > /dev/null 2>&1");
    assert_null(e->zone);
    assert_null(e->environment[0]);
    e = p.entries->pdata[2];
    assert_string_equal(e->title, "Log pruning");
    assert_string_equal(e->schedule, "@daily");
    assert_string_equal(e->zone, "Europe/Berlin");
    assert_string_equal(e->environment[0], "FOO=bar baz");
    assert_string_equal(e->environment[1], "BAR=  quoted ");
    e = p.entries->pdata[3];
    assert_string_equal(e->command, "A=b last");
    assert_null(e->zone);
    assert_int_equal(g_strv_length(e->environment), 2);
    assert_string_equal(e->environment[1], "FOO=");
    parsed_free(&p);
}

static void bad_lines_leave_the_others(void **state)
{
    static const char text[] = "* * * * * one\n61 * * * * two\n* * * * *\n9X=1\nSHELL=sh\nCRON_TZ=Nowhere/Land\nCRON_TZ=../../x\n"
                               "* * * * * cr\r\n* * * * * \xff\n* * * * * nul\0\n* * * * * %x\n* * * * * last\n";
    static const char *const problems[] = { "tab:2: minute", "tab:3: command: is missing", "tab:4: is no entry", "tab:5: SHELL",
        "tab:6: CRON_TZ", "tab:7: CRON_TZ", "tab:8: ends in a carriage return", "tab:9: is not UTF-8", "tab:10: is not UTF-8",
        "tab:11: command: is missing" };
    parsed p = parse(text, sizeof text - 1);
    assert_int_equal(p.entries->len, 2);
    assert_string_equal(((cron_entry *) p.entries->pdata[1])->command, "last");
    assert_int_equal(p.problems->len, G_N_ELEMENTS(problems));
    for (size_t i = 0; i < G_N_ELEMENTS(problems); i++)
        if (!g_str_has_prefix(p.problems->pdata[i], problems[i]))
            fail_msg("%s: %s", problems[i], (char *) p.problems->pdata[i]);
    parsed_free(&p);
}

static void keeps_to_the_limits(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < CRON_MAX_ENTRIES + 3; i++)
        g_string_append(text, "* * * * * c\n");
    parsed p = parse(text->str, text->len);
    assert_int_equal(p.entries->len, CRON_MAX_ENTRIES);
    assert_int_equal(p.problems->len, 3);
    parsed_free(&p);
    g_string_set_size(text, CRON_MAX_BYTES + 1);
    p = parse(text->str, text->len);
    assert_int_equal(p.entries->len, 0);
    assert_int_equal(p.problems->len, 1);
    parsed_free(&p);
}

static void percent_begins_the_input(void **state)
{
    static const struct { const char *command, *shell, *input; } cases[] = {
        { "date +\\%F", "date +%F", NULL },
        { "mail a%Hello%World", "mail a", "Hello\nWorld\n" },
        { "cat%10 \\% off", "cat", "10 % off\n" },
        { "echo a\\b", "echo a\\b", NULL },
        { "cat%", "cat", "\n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shell = cron_command_shell(cases[i].command), *input = cron_command_input(cases[i].command);
        assert_string_equal(shell, cases[i].shell);
        if (cases[i].input)
            assert_string_equal(input, cases[i].input);
        else
            assert_null(input);
    }
}

static void finds_what_a_command_names(void **state)
{
    g_auto(GStrv) paths = cron_command_paths(PREFIX "/libexec/x -p " PREFIX "/conf/a --d " PREFIX "/data/b/ '" PREFIX "/q' >> " PREFIX
                                             "/log/out 2>&1");
    assert_int_equal(g_strv_length(paths), 2);
    assert_string_equal(paths[0], PREFIX "/conf/a");
    assert_string_equal(paths[1], PREFIX "/data/b/");
    g_autofree char *program = cron_command_program("/bin/x>/tmp/out 2>&1");
    assert_string_equal(program, "/bin/x");
}

/* ---- schedules ---- */
static void put(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static const cron_job *find(const cron_schedule *s, const char *unit)
{
    for (guint i = 0; i < s->jobs->len; i++) {
        const cron_job *job = s->jobs->pdata[i];
        if (g_str_equal(job->unit, unit))
            return job;
    }
    fail_msg("no job %s", unit);
    return NULL;
}

static void remove_folder(const char *dir)
{
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    for (const char *name; d && (name = g_dir_read_name(d)) != NULL; ) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        (void) g_unlink(path);
    }
    (void) g_rmdir(dir);
}

static void the_site_adds_and_moves(void **state)
{
    static const char *const enabled[] = { "mta", NULL };
    g_autofree char *system = g_dir_make_tmp("cron-XXXXXX", NULL), *site = g_dir_make_tmp("cron-XXXXXX", NULL);
    put(system, "crontab", "# Log pruning\n30 2 * * * find /a\n35 2 * * * find /b\n0 1 * * * " PREFIX "/bin/no-such-program x\n");
    put(system, "crontab.mta", "# Queue logging\n*/10 * * * * /bin/sh\n# Other\n0 0 * * * true\n");
    put(system, "crontab.logger", "0 0 * * * /bin/ls\n");
    put(site, "site", "# Ours\n5 5 * * * echo hi\n0 3 * * * find /a\n@never find /b\n0 0 * * * /bin/ls\n@reboot true\nbad\n");
    put(site, "odd~name", "* * * * * not read\n");
    put(site, ".hidden", "* * * * * not read\n");
    g_autoptr(cron_schedule) s = cron_schedule_load(system, site, enabled);
    assert_int_equal(s->jobs->len, 7);
    assert_int_equal(s->problems->len, 2);
    assert_non_null(strstr(s->problems->pdata[0], "/site:7: minute"));
    assert_non_null(strstr(s->problems->pdata[1], "/site:6: @reboot"));
    const cron_job *job = find(s, "zimbra-job-log-pruning");
    assert_true(cron_job_runs(job));
    assert_string_equal(cron_job_timing(job)->schedule, "0 3 * * *");
    assert_false(cron_job_runs(find(s, "zimbra-job-log-pruning-2")));      /* @never */
    assert_false(cron_job_runs(find(s, "zimbra-job-no-such-program")));    /* not installed */
    job = find(s, "zimbra-job-sh");
    assert_true(cron_job_runs(job));
    assert_string_equal(job->file->user, "zimbra");
    assert_true(cron_job_runs(find(s, "zimbra-job-mta-other")));
    assert_false(cron_job_runs(find(s, "zimbra-job-ls")));                 /* its service is off, moved or not */
    job = s->jobs->pdata[6];
    assert_true(g_str_has_prefix(job->unit, "zimbra-job-site-ours-"));
    assert_null(job->file);
    remove_folder(system);
    remove_folder(site);
}

/* The crontabs of this release have no mistakes, and the guide's times. */
static void own_crontabs_are_sound(void **state)
{
    static const struct { const char *unit, *schedule; } times[] = {
        { "zimbra-job-log-pruning", "30 2 * * *" }, { "zimbra-job-log-pruning-2", "35 2 * * *" },
        { "zimbra-job-zmstatuslog", "*/2 * * * *" }, { "zimbra-job-zmdailyreport", "30 23 * * *" },
        { "zimbra-job-zmqueuelog", "0,10,20,30,40,50 * * * *" }, { "zimbra-job-sa-learn", "20 23 * * *" },
        { "zimbra-job-amavis-clean-up-amavisd-tmp", "15 5,20 * * *" }, { "zimbra-job-amavis-clean-up-the-quarantine-dir", "0 1 * * *" },
        { "zimbra-job-zmbackup", "0 1 * * 6" }, { "zimbra-job-zmdbintegrityreport", "0 23 * * 7" },
    };
    static const char *const none[] = { NULL };
    g_autoptr(cron_schedule) s = cron_schedule_load("crontabs", "/nonexistent", none);
    assert_int_equal(s->problems->len, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        assert_string_equal(find(s, times[i].unit)->entry->schedule, times[i].schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_calendars),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(bad_lines_leave_the_others),
        cmocka_unit_test(keeps_to_the_limits),
        cmocka_unit_test(percent_begins_the_input),
        cmocka_unit_test(finds_what_a_command_names),
        cmocka_unit_test(the_site_adds_and_moves),
        cmocka_unit_test(own_crontabs_are_sound),
    };
    return cmocka_run_group_tests_name("cron", tests, NULL, NULL);
}
