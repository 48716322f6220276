#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wizard/setup.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

enum { STEPS = 5 };
static int ran[STEPS];
static int fail_at;
static bool third_is_done;
static GString *shown;
static char *state_path;

static bool run(int i, GError **error)
{
    ran[i]++;
    if (i != fail_at)
        return true;
    g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "broken");
    return false;
}

static bool run0(setup *s, GError **error) { return run(0, error); }
static bool run1(setup *s, GError **error) { return run(1, error); }
static bool run2(setup *s, GError **error) { return run(2, error); }
static bool run3(setup *s, GError **error) { return run(3, error); }
static bool run4(setup *s, GError **error) { return run(4, error); }
static bool is_done2(setup *s) { return third_is_done; }
static bool never(const answers *a) { return false; }

static const setup_step steps[] = {
    { .name = "start", .title = "Start", .run = run4, .transient = true },
    { .name = "one", .title = "One", .run = run0 }, { .name = "two", .title = "Two", .run = run1 },
    { .name = "skipped", .title = "Skipped", .applies = never, .run = run3 },
    { .name = "three", .title = "Three", .is_done = is_done2, .run = run2 },
};

static void show(step_event event, size_t number, size_t total, const char *text)
{
    static const char letters[] = "bt+=x";
    g_string_append_printf(shown, "%zu/%zu%c ", number, total, letters[event]);
}

static setup_result go(const char *digest, GError **error)
{
    answers a = { .digest = (char *) digest };
    setup s = { .answers = &a, .show = show };
    g_string_truncate(shown, 0);
    return setup_run(&s, state_path, steps, G_N_ELEMENTS(steps), error);
}

static int begin(void **state)
{
    memset(ran, 0, sizeof ran);
    fail_at = -1;
    third_is_done = false;
    (void) g_unlink(state_path);
    return 0;
}

static void runs_each_step_once(void **state)
{
    assert_int_equal(go("a", NULL), SETUP_COMPLETE);
    assert_string_equal(shown->str, "1/4b 1/4+ 2/4b 2/4+ 3/4b 3/4+ 4/4b 4/4+ ");
    assert_int_equal(go("a", NULL), SETUP_NOTHING_TO_DO);
    assert_int_equal(ran[0] + ran[1] + ran[2] + ran[4], 4);
    assert_int_equal(ran[3], 0);
    struct stat st;
    assert_int_equal(stat(state_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void goes_on_where_it_failed(void **state)
{
    for (fail_at = 0; fail_at < 3; fail_at++) {
        g_autoptr(GError) error = NULL;
        assert_int_equal(go("a", &error), SETUP_FAILED);
        assert_non_null(strstr(error->message, "broken"));
    }
    fail_at = -1;
    assert_int_equal(go("a", NULL), SETUP_COMPLETE);
    /* Each ran when it failed and once more. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(ran[i], 2);
    /* A reboot may have undone it: it ran each time. */
    assert_int_equal(ran[4], 4);
}

static void records_what_was_done_before(void **state)
{
    third_is_done = true;
    assert_int_equal(go("a", NULL), SETUP_COMPLETE);
    assert_int_equal(ran[2], 0);
    assert_non_null(strstr(shown->str, "4/4="));
}

static void other_answers_begin_again_until_complete(void **state)
{
    fail_at = 2;
    assert_int_equal(go("a", NULL), SETUP_FAILED);
    fail_at = -1;
    assert_int_equal(go("b", NULL), SETUP_COMPLETE);
    assert_int_equal(ran[0], 2);
    assert_int_equal(go("c", NULL), SETUP_OTHER_ANSWERS);
    assert_int_equal(ran[0], 2);
}

static void a_state_that_cannot_be_written_or_read_is_told(void **state)
{
    g_autofree char *kept = state_path;
    g_autoptr(GError) error = NULL;
    state_path = g_strdup("/nowhere/setup.state");
    assert_int_equal(go("a", &error), SETUP_FAILED);
    assert_non_null(strstr(error->message, "/nowhere/setup.state"));
    assert_int_equal(ran[1], 0);
    g_clear_error(&error);
    g_free(state_path);
    state_path = g_steal_pointer(&kept);
    assert_true(g_file_set_contents(state_path, "broken", -1, NULL));
    assert_int_equal(go("a", &error), SETUP_FAILED);
    assert_non_null(strstr(error->message, state_path));
}

int main(void)
{
    shown = g_string_new(NULL);
    g_autofree char *folder = g_dir_make_tmp("engine-XXXXXX", NULL);
    state_path = g_build_filename(folder, "setup.state", NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(runs_each_step_once, begin),
        cmocka_unit_test_setup(goes_on_where_it_failed, begin),
        cmocka_unit_test_setup(records_what_was_done_before, begin),
        cmocka_unit_test_setup(other_answers_begin_again_until_complete, begin),
        cmocka_unit_test_setup(a_state_that_cannot_be_written_or_read_is_told, begin),
    };
    int failed = cmocka_run_group_tests_name("wizard-engine", tests, NULL, NULL);
    (void) g_unlink(state_path);
    (void) g_rmdir(folder);
    g_free(state_path);
    g_string_free(shown, TRUE);
    return failed;
}
