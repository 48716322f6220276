#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/series/series.h"

static void files_have_names_and_back(void **state)
{
    static const struct { const char *group, *label, *file; } cases[] = {
        { "cpu", "cpu0", "cpu-cpu0.rrd" },
        { "vm", "", "vm.rrd" },
        { "df", "/opt/zimbra/store", "df-%2Fopt%2Fzimbra%2Fstore.rrd" },
        { "io", "dm-0", "io-dm%2D0.rrd" },
        { "io-x", "sda", "io-x-sda.rrd" },
        { "df", "/mnt/100% ..", "df-%2Fmnt%2F100%25%20...rrd" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *file = series_file(cases[i].group, cases[i].label), *label = NULL;
        assert_string_equal(file, cases[i].file);
        assert_true(series_parse_file(file, cases[i].group, &label));
        assert_string_equal(label, cases[i].label);
    }
    char *label = NULL;
    assert_false(series_parse_file("io-x-sda.rrd", "io", &label));
    assert_false(series_parse_file("vm.rrd.old", "vm", &label));
    assert_false(series_parse_file("vmx.rrd", "vm", &label));
}

static void sources_fit_rrd(void **state)
{
    static const char *const fields[] = { "user", "Active(anon)", "Active(file)", "Inactive(anon)", "rkB/s", "wkB/s", "%util",
        "deferred_oldest_seconds", "deferred_oldest_second_", "redo_unapplied_bytes", "kB_read", "kB_read/s" };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        char *s = series_source(fields[i]);
        assert_in_range(strlen(s), 1, 19);
        assert_int_equal(strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(s));
        assert_true(g_hash_table_add(seen, s));
    }
    g_autofree char *same = series_source("kB_read");
    assert_string_equal(same, "kB_read");
}

static void archives_span_their_time(void **state)
{
    g_auto(GStrv) a = series_archives(30);
    assert_int_equal(g_strv_length(a), 5);
    assert_string_equal(a[0], "RRA:AVERAGE:0.5:1:5761");
    assert_string_equal(a[1], "RRA:AVERAGE:0.5:30:2977");
    assert_string_equal(a[3], "RRA:MAX:0.5:30:2977");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_names_and_back),
        cmocka_unit_test(sources_fit_rrd),
        cmocka_unit_test(archives_span_their_time),
    };
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
