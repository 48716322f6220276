#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "units/generator/jobs.h"

static cron_job *make_job(const char *text, const cron_file *file)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new(), problems = g_ptr_array_new_with_free_func(g_free);
    cron_parse("tab", text, strlen(text), entries, problems);
    assert_int_equal(entries->len, 1);
    cron_job *job = g_new0(cron_job, 1);
    job->unit = g_strdup("zimbra-job-x");
    job->path = g_strdup("/tab");
    job->file = file;
    job->entry = entries->pdata[0];
    return job;
}

static void job_done(cron_job *job)
{
    cron_entry_free(job->entry);
    g_free(job->unit);
    g_free(job->path);
    g_free(job);
}

static bool has_line(const char *text, const char *line)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_contains((const char *const *) lines, line);
}

static void quotes_what_the_site_says(void **state)
{
    cron_job *job = make_job("A=1 % \"q\" $x\nSHELL=/bin/bash\n# 100 % sure \\\n"
                             "0 0 13 * 5 echo \"a\" '\\b' $HOME \\%F\t|cat%in put%$y", NULL);
    g_autofree char *service = job_service(job), *timer = job_timer(job);
    assert_true(has_line(service, "Description=Job: 100 %% sure /"));
    assert_true(has_line(service, "Environment=\"A=1 %% \\\"q\\\" $x\""));
    assert_true(has_line(service, "ExecStart=\"/bin/bash\" -c \"echo \\\"a\\\" '\\\\b' $$HOME %%F\\t|cat\""));
    assert_true(has_line(service, "StandardInputData=aW4gcHV0CiR5Cg=="));
    assert_true(has_line(service, "User=zimbra"));
    assert_true(has_line(timer, "OnCalendar=Fri *-*-* 00:00:00"));
    assert_true(has_line(timer, "OnCalendar=*-*-13 00:00:00"));
    assert_true(has_line(timer, "Persistent=yes"));
    job_done(job);
}

static void keeps_the_output_of_system_jobs(void **state)
{
    static const char text[] = "0 1 * * * find " PREFIX "/data/q -exec rm {} \\; > /dev/null 2>&1";
    size_t n;
    const cron_file *amavis = &cron_files(&n)[5];
    cron_job *own = make_job(text, amavis), *site = make_job(text, NULL);
    g_autofree char *a = job_service(own), *b = job_service(site);
    assert_true(has_line(a, "User=amavis"));
    assert_true(has_line(a, "ConditionPathExists=" PREFIX "/data/q"));
    assert_true(has_line(a, "NoNewPrivileges=yes"));
    assert_true(has_line(a, "ExecStart=\"/bin/sh\" -c \"find " PREFIX "/data/q -exec rm {} \\\\;\""));
    assert_true(has_line(b, "ExecStart=\"/bin/sh\" -c \"find " PREFIX "/data/q -exec rm {} \\\\; > /dev/null 2>&1\""));
    assert_null(strstr(b, "ConditionPathExists"));
    job_done(own);
    job_done(site);
}

static void a_boot_needs_no_timer(void **state)
{
    cron_job *job = make_job("@reboot true", NULL);
    assert_null(job_timer(job));
    job_done(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_what_the_site_says),
        cmocka_unit_test(keeps_the_output_of_system_jobs),
        cmocka_unit_test(a_boot_needs_no_timer),
    };
    return cmocka_run_group_tests_name("generator-jobs", tests, NULL, NULL);
}
