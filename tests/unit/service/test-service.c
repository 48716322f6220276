#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/service/enabled.h"
#include "lib/service/service.h"

static void table_is_sound(void **state)
{
    size_t n;
    const service_def *table = service_table(&n);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(service_find(table[i].name), &table[i]);   /* names are unique */
        assert_true(g_str_has_prefix(table[i].unit, "zimbra-"));
        assert_non_null(table[i].parts[0]);
        if (i > 0)
            assert_true(table[i].order > table[i - 1].order);
    }
    assert_null(service_find("mailboxd"));
    assert_null(service_find(""));
}

/* The order that Guide ch. 5 and its administrators expect. */
static void starts_in_order(void **state)
{
    static const char *const order[] = { "ldap", "zmconfigd", "mailbox", "memcached", "proxy", "antispam",
                                         "antivirus", "opendkim", "mta" };
    for (size_t i = 1; i < G_N_ELEMENTS(order); i++)
        assert_true(service_find(order[i - 1])->order < service_find(order[i])->order);
}

/* What a target wants is what the table calls its parts. */
static void parts_match_targets(void **state)
{
    size_t n, compared = 0;
    const service_def *table = service_table(&n);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = g_strconcat("units/", table[i].unit, NULL);
        g_autofree char *text = NULL;
        if (!g_str_has_suffix(path, ".target") || !g_file_get_contents(path, &text, NULL, NULL))
            continue;
        for (size_t p = 0; table[i].parts[p]; p++)
            if (!strstr(text, table[i].parts[p]))
                fail_msg("%s does not want %s", path, table[i].parts[p]);
        compared++;
    }
    assert_true(compared >= 4);
}

typedef struct { char *dir, *path; } fixture;

static int setup(void **state)
{
    fixture *f = g_new0(fixture, 1);
    f->dir = g_dir_make_tmp("service-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "enabled-services", NULL);
    *state = f;
    return f->dir ? 0 : -1;
}

static int teardown(void **state)
{
    fixture *f = *state;
    (void) g_unlink(f->path);
    int r = g_rmdir(f->dir);    /* fails when a temporary file was left behind */
    g_free(f->dir);
    g_free(f->path);
    g_free(f);
    return r;
}

static void writes_and_reads_back(void **state)
{
    fixture *f = *state;
    static const char *const names[] = { "ldap", "mta", "antispam", NULL };
    assert_true(enabled_write(f->path, names, NULL));
    g_auto(GStrv) read = enabled_read(f->path, NULL);
    assert_non_null(read);
    assert_true(g_strv_equal((const char *const *) read, names));
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
}

static void refuses_unknown_and_keeps_old(void **state)
{
    fixture *f = *state;
    g_autoptr(GError) error = NULL;
    assert_true(enabled_write(f->path, (const char *const[]) { "ldap", NULL }, NULL));
    assert_false(enabled_write(f->path, (const char *const[]) { "ldap", "telnet", NULL }, &error));
    assert_true(g_error_matches(error, SERVICE_ERROR, SERVICE_ERROR_UNKNOWN));
    assert_non_null(strstr(error->message, "telnet"));
    g_auto(GStrv) read = enabled_read(f->path, NULL);
    assert_int_equal(g_strv_length(read), 1);
}

static void reads_foreign_text(void **state)
{
    fixture *f = *state;
    static const char text[] = "# comment\n\n  mta \r\nmta\nfromthefuture\nldap";
    assert_true(g_file_set_contents(f->path, text, -1, NULL));
    g_auto(GStrv) read = enabled_read(f->path, NULL);
    assert_true(g_strv_equal((const char *const *) read, (const char *const[]) { "mta", "ldap", NULL }));
}

static void says_when_not_set_up(void **state)
{
    fixture *f = *state;
    g_autoptr(GError) error = NULL;
    assert_null(enabled_read(f->path, &error));
    assert_true(g_error_matches(error, SERVICE_ERROR, SERVICE_ERROR_UNKNOWN));
}

static void tells_failed_writes(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_false(enabled_write("/nonexistent/enabled", (const char *const[]) { "ldap", NULL }, &error));
    assert_non_null(strstr(error->message, "/nonexistent/enabled"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(starts_in_order),
        cmocka_unit_test(parts_match_targets),
        cmocka_unit_test_setup_teardown(writes_and_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_unknown_and_keeps_old, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_foreign_text, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_not_set_up, setup, teardown),
        cmocka_unit_test(tells_failed_writes),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
