/* One sample, four sinks, the same numbers; and the way of the CSV files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <math.h>
#include <rrd.h>
#include <string.h>
#include <utime.h>

#include "agents/stats/collector.h"
#include "agents/stats/csv.h"
#include "agents/stats/metrics.h"
#include "agents/stats/rrdsink.h"
#include "lib/series/series.h"

static const stat_field fields[] = {
    { "free", FIELD_GAUGE, "bytes", "Free, in \"bytes\"\nand lines", NULL },
    { "msgs/s", FIELD_COUNTER, NULL, "Messages", "messages" },
    { "avg", FIELD_GAUGE, "milliseconds", "Average", NULL },
};
static const stat_group wide = { .name = "io-x", .help = "h", .layout = CSV_WIDE, .label = "device", .separator = ":", .fields = fields, .n_fields = 3 };
static const stat_group lines = { .name = "df", .help = "h", .layout = CSV_LONG, .label = "path", .note = "disk", .fields = fields, .n_fields = 3 };
static const stat_group named = { .name = "proc", .help = "h", .layout = CSV_WIDE, .label = "service", .separator = "-", .names_row = true,
                                  .fields = fields, .n_fields = 1 };

enum { T = 1795540800 };     /* a multiple of 30 */

static sample_table *table(const stat_group *g, growth *past, gint64 time, double unused, double total)
{
    static const char *const labels[] = { "sda", "q\"\\" };
    sample_table *t = sample_table_new(g);
    t->time = time;
    t->fresh = true;
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        sample_row *r = sample_add(t, labels[i], g->note ? "/dev/x" : NULL);
        sample_put(t, r, 0, unused + (double) i);
        if (g->n_fields > 1)
            sample_put(t, r, 1, total * (double) (i + 1));
    }
    growth_take(past, t);
    return t;
}

static void numbers_have_one_text(void **state)
{
    static const struct { double v; const char *text; } cases[] = {
        { 0, "0" }, { -0.0, "0" }, { 1.5, "1.5" }, { 12.125, "12.125" }, { 123456789012.0, "123456789012" }, { 100, "100" }, { 0.001, "0.001" },
        { NAN, "" }, { INFINITY, "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *s = sample_text(cases[i].v);
        assert_string_equal(s, cases[i].text);
        assert_true(!*s || g_ascii_strtod(s, NULL) == cases[i].v);
    }
}

static void totals_become_growth(void **state)
{
    static const double totals[] = { 10, 15, 15, 3, 4 }, grown[] = { NAN, 5, 0, 3, 1 }, kept[] = { 10, 15, 15, 18, 19 };
    growth *g = growth_new();
    for (size_t i = 0; i < G_N_ELEMENTS(totals); i++) {
        g_autoptr(sample_table) t = table(&wide, g, T, 0, totals[i]);
        const sample_row *r = t->rows->pdata[0];
        assert_true(isnan(grown[i]) ? isnan(r->value[1]) : r->value[1] == grown[i]);
        assert_float_equal(r->total[1], kept[i], 0);
    }
    growth_free(g);
}

static void csv_has_the_guides_form(void **state)
{
    growth *g = growth_new();
    g_autoptr(sample_table) a = table(&wide, g, T, 1, 2), b = table(&lines, g, T, 1, 2), c = table(&named, g, T, 1, 2);
    const struct { const sample_table *t; const char *header, *lines; } cases[] = {
        { a, "timestamp,sda:free,sda:msgs/s,sda:avg,q\"\\:free,q\"\\:msgs/s,q\"\\:avg\n", "*,1,,,2,,\n" },
        { b, "timestamp,path,disk,free,msgs/s,avg\n", "*,sda,/dev/x,1,,\n*,q\"\\,/dev/x,2,,\n" },
        { c, "timestamp,sda,sda-free,q\"\\,q\"\\-free\n", "*,sda,1,q\"\\,2\n" },
    };
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(T);
    g_autofree char *stamp = g_date_time_format(when, "%m/%d/%Y %H:%M:%S");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *header = csv_header(cases[i].t), *text = csv_lines(cases[i].t);
        g_auto(GStrv) parts = g_strsplit(cases[i].lines, "*", -1);
        g_autofree char *wanted = g_strjoinv(stamp, parts);
        assert_string_equal(header, cases[i].header);
        assert_string_equal(text, wanted);
    }
    growth_free(g);
}

/* Every collector's families have names of their own, valid, with their unit. */
static void metric_names_are_unique(void **state)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; collectors[i]; i++) {
        g_autoptr(sample_table) t = sample_table_new(collectors[i]->group);
        sample_row *r = sample_add(t, "x", "y");
        for (size_t f = 0; f < t->group->n_fields; f++)
            sample_put(t, r, f, 1);
        g_autoptr(GPtrArray) one = g_ptr_array_new();
        g_ptr_array_add(one, t);
        g_autofree char *text = metrics_text(one);
        g_auto(GStrv) all = g_strsplit(text, "\n", -1);
        size_t families = 0;
        for (size_t n = 0; all[n]; n++)
            if (g_str_has_prefix(all[n], "# TYPE ")) {
                g_auto(GStrv) words = g_strsplit(all[n], " ", -1);
                assert_true(g_hash_table_add(seen, g_strdup(words[2])));
                assert_int_equal(strspn(words[2], "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(words[2]));
                families++;
            }
        assert_int_equal(families, t->group->n_fields);
    }
}

static void metrics_are_openmetrics(void **state)
{
    growth *g = growth_new();
    g_autoptr(sample_table) t = table(&wide, g, T, 1.5, 20);
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, t);
    g_autofree char *text = metrics_text(one);
    assert_string_equal(text,
        "# TYPE mailstead_io_x_free_bytes gauge\n# UNIT mailstead_io_x_free_bytes bytes\n"
        "# HELP mailstead_io_x_free_bytes Free, in \\\"bytes\\\"\\nand lines\n"
        "mailstead_io_x_free_bytes{device=\"sda\"} 1.5\nmailstead_io_x_free_bytes{device=\"q\\\"\\\\\"} 2.5\n"
        "# TYPE mailstead_io_x_messages counter\n# HELP mailstead_io_x_messages Messages\n"
        "mailstead_io_x_messages_total{device=\"sda\"} 20\nmailstead_io_x_messages_total{device=\"q\\\"\\\\\"} 40\n# EOF\n");
    growth_free(g);
}

static void remove_folder(const char *folder)
{
    const char *argv[] = { "rm", "-rf", folder, NULL };
    assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

static double last_in_rrd(const char *folder, const char *label, const char *field, gint64 time)
{
    g_autofree char *file = series_file("io-x", label), *path = g_build_filename(folder, file, NULL), *source = series_source(field);
    time_t start = (time_t) time - 30, end = (time_t) time;
    unsigned long step = 30, n;
    char **names;
    rrd_value_t *values;
    double found = NAN;
    assert_int_equal(rrd_fetch_r(path, "AVERAGE", &start, &end, &step, &n, &names, &values), 0);
    for (unsigned long i = 0; i < n; i++) {
        if (g_str_equal(names[i], source))
            found = values[i];
        free(names[i]);
    }
    free(names);
    free(values);
    return found;
}

static void every_sink_has_the_same_numbers(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("sinks-XXXXXX", NULL), *csv_path = g_build_filename(folder, "io-x.csv", NULL);
    growth *g = growth_new();
    csv *c = csv_new(folder, 0);
    rrdsink *r = rrdsink_new(folder, 30, 30);
    g_autoptr(GError) error = NULL;
    double totals[] = { 100, 130, 190 };
    for (size_t i = 0; i < G_N_ELEMENTS(totals); i++) {
        gint64 time = T + 30 * (gint64) i;
        g_autoptr(sample_table) t = table(&wide, g, time, 0.125 + (double) i, totals[i]);
        assert_true(csv_write(c, t, &error));
        assert_true(rrdsink_write(r, t, &error));
        if (i == 0)
            continue;
        g_autoptr(GPtrArray) one = g_ptr_array_new();
        g_ptr_array_add(one, t);
        g_autofree char *text = metrics_text(one), *sample = sample_file_text(one, time), *rows = NULL;
        g_autofree char *gauge = sample_text(0.125 + (double) i), *total = sample_text(totals[i]), *growth_text = sample_text(totals[i] - totals[i - 1]);
        g_autofree char *metric = g_strdup_printf("free_bytes{device=\"sda\"} %s\n", gauge), *metric_total = g_strdup_printf("messages_total{device=\"sda\"} %s\n", total);
        g_autofree char *line = g_strdup_printf("io-x:sda:free %s\nio-x:sda:msgs/s %s\n", gauge, total), *row = g_strdup_printf(",%s,%s,,", gauge, growth_text);
        assert_non_null(strstr(text, metric));
        assert_non_null(strstr(text, metric_total));
        assert_non_null(strstr(sample, line));
        assert_true(g_file_get_contents(csv_path, &rows, NULL, NULL));
        assert_non_null(strstr(rows, row));
        assert_float_equal(last_in_rrd(folder, "sda", "free", time), 0.125 + (double) i, 0);
        assert_float_equal(last_in_rrd(folder, "sda", "msgs/s", time) * 30, totals[i] - totals[i - 1], 1e-9);
    }
    csv_free(c);
    rrdsink_free(r);
    growth_free(g);
    remove_folder(folder);
}

static void files_move_to_their_day(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("csv-XXXXXX", NULL), *path = g_build_filename(folder, "io-x.csv", NULL);
    growth *g = growth_new();
    csv *c = csv_new(folder, 2);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC, before = now - 3 * 86400;
    g_autoptr(GDateTime) day = g_date_time_new_from_unix_local(before);
    g_autofree char *name = g_date_time_format(day, "%Y-%m-%d"), *day_folder = g_build_filename(folder, name, NULL);
    g_autofree char *zipped = g_build_filename(day_folder, "io-x.csv.gz", NULL);
    for (int i = 0; i < 2; i++) {        /* the second finds an archive of that day */
        g_autoptr(sample_table) t = table(&wide, g, now, 1, 2);
        assert_true(csv_write(c, t, NULL));
        assert_int_equal(utime(path, &(struct utimbuf) { before, before }), 0);
        assert_true(csv_rotate(c, NULL));
        assert_true(g_file_test(zipped, G_FILE_TEST_EXISTS));
        assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    }
    g_autofree char *out = NULL;
    const char *argv[] = { "zcat", zipped, NULL };
    assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
    g_auto(GStrv) all = g_strsplit(out, "\n", -1);
    assert_int_equal(g_strv_length(all), 5);     /* header, line, header, line, "" */
    csv_expire(c, now);
    assert_false(g_file_test(day_folder, G_FILE_TEST_EXISTS));
    csv_free(c);
    growth_free(g);
    remove_folder(folder);
}

static void a_midnight_moves_by_itself(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("csv-XXXXXX", NULL), *path = g_build_filename(folder, "df.csv", NULL), *text = NULL;
    growth *g = growth_new();
    csv *c = csv_new(folder, 0);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(sample_table) a = table(&lines, g, now, 1, 2), b = table(&lines, g, now, 7, 2);
    assert_true(csv_write(c, a, NULL));
    assert_int_equal(utime(path, &(struct utimbuf) { now - 86400, now - 86400 }), 0);
    assert_true(csv_write(c, b, NULL));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_true(g_str_has_prefix(text, "timestamp,path,disk"));
    assert_null(strstr(text, ",/dev/x,1,"));
    assert_non_null(strstr(text, ",/dev/x,7,"));
    csv_free(c);
    growth_free(g);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_one_text), cmocka_unit_test(totals_become_growth), cmocka_unit_test(csv_has_the_guides_form),
        cmocka_unit_test(metric_names_are_unique), cmocka_unit_test(metrics_are_openmetrics),
        cmocka_unit_test(every_sink_has_the_same_numbers), cmocka_unit_test(files_move_to_their_day),
        cmocka_unit_test(a_midnight_moves_by_itself),
    };
    return cmocka_run_group_tests_name("stats-sinks", tests, NULL, NULL);
}
