/* What the engine does over time: history that can be gone back to, trials that
 * end, services that fail later or again and again, a disk that is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/configd/fixture.h"

static int setup(void **state)
{
    fixture *f = g_new0(fixture, 1);
    fixture_init(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_done(*state);
    g_free(*state);
    return 0;
}

static bool run(engine *e, facts *values)
{
    bool ok = engine_update(e, values, NULL, "test", NULL);
    return engine_apply(e, NULL) && ok;
}

static bool size(engine *e, int n)
{
    g_autofree char *value = g_strdup_printf("size=%d", n);
    return run(e, fixture_facts(value, "beta=b", NULL));
}

static void assert_size(fixture *f, int n)
{
    g_autofree char *text = fixture_read(f, "conf/alpha/alpha.conf"), *expected = g_strdup_printf("size=%d\n", n);
    assert_string_equal(text, expected);
}

static engine *started(fixture *f)
{
    engine *e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    assert_true(size(e, 1));
    assert_size(f, 1);
    g_string_truncate(f->log, 0);
    return e;
}

static engine *restarted(fixture *f, engine *e)
{
    engine_free(e);
    e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    return e;
}

static void wait_until_due(engine *e)
{
    gint64 due = engine_next_due(e);
    assert_true(due > 0);
    g_usleep(MAX(due - g_get_monotonic_time(), 0) + 1000);
}

/* ---- writing ---- */

static struct stat look(fixture *f, const char *path)
{
    g_autofree char *full = g_build_filename(f->root, path, NULL);
    struct stat st;
    assert_int_equal(stat(full, &st), 0);
    return st;
}

static void same_content_is_not_written_again(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    struct stat list = look(f, "conf/alpha/sub/list"), conf = look(f, "conf/alpha/alpha.conf");
    assert_true(size(e, 2));
    struct stat list_after = look(f, "conf/alpha/sub/list"), conf_after = look(f, "conf/alpha/alpha.conf");
    assert_int_equal(list.st_ino, list_after.st_ino);
    assert_int_equal(list.st_mtim.tv_sec, list_after.st_mtim.tv_sec);
    assert_int_not_equal(conf.st_ino, conf_after.st_ino);
}

typedef struct { fixture *f; GString *steps; unsigned links; } order;

static int note_step(const char *step, void *data)
{
    order *o = data;
    if (g_str_equal(step, "symlink")) {
        /* nothing of the generation is written and not flushed, and the intent is on disk */
        const char *written = strrchr(o->steps->str, 'w'), *flushed = strrchr(o->steps->str, 'f');
        g_autofree char *record = fixture_read(o->f, "conf/configd.d/intent");
        assert_non_null(flushed);
        assert_true(flushed > written);
        assert_non_null(record);
        o->links++;
    }
    g_string_append_c(o->steps, g_str_equal(step, "write") ? 'w' : g_str_equal(step, "fsync") ? 'f' : '.');
    return 0;
}

static void files_then_intent_then_link(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    g_autoptr(GString) steps = g_string_new(NULL);
    order o = { .f = f, .steps = steps };
    engine_store(e)->inject = note_step;
    engine_store(e)->inject_data = &o;
    assert_true(run(e, fixture_facts("size=2", "beta=c", NULL)));
    engine_store(e)->inject = NULL;
    assert_int_equal(o.links, 2);
}

static int disk_full(const char *step, void *data)
{
    return g_str_equal(step, "write") ? ENOSPC : 0;
}

static void a_full_disk_changes_nothing_and_passes(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    int live = generation_live(engine_store(e), "alpha"), highest = generation_highest(engine_store(e), engine_plan(e));
    engine_store(e)->inject = disk_full;
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 3; i++) {
        g_clear_error(&error);
        assert_false(engine_update(e, fixture_facts("size=2", "beta=b", NULL), NULL, "test", &error));
        assert_non_null(strstr(error->message, "No space left on device"));
        assert_true(engine_apply(e, NULL));
    }
    assert_size(f, 1);
    assert_string_equal(f->log->str, "");
    assert_int_equal(generation_live(engine_store(e), "alpha"), live);
    assert_int_equal(generation_highest(engine_store(e), engine_plan(e)), highest);   /* no torn folders pile up */
    assert_true(engine_next_due(e) > 0);
    engine_store(e)->inject = NULL;
    assert_true(size(e, 2));                     /* the same values: nothing was forgotten */
    assert_size(f, 2);
    g_string_truncate(f->log, 0);
}

static void only_one_at_a_time(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    g_autoptr(GError) error = NULL;
    assert_null(engine_new(f->l, fixture_units(f), &error));
    assert_non_null(strstr(error->message, "another zmconfigd"));
    engine_free(restarted(f, e));
}

/* ---- history ---- */

static void a_hundred_generations_are_kept(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    int beta = generation_live(engine_store(e), "beta");
    for (int i = 2; i <= 130; i++)
        assert_true(size(e, i));
    assert_true(run(e, fixture_facts("size=130", "beta=late", NULL)));
    g_autoptr(GPtrArray) records = history_read(engine_store(e), 1000);
    assert_int_equal(records->len, HISTORY_KEPT);
    int newest = ((history_record *) records->pdata[0])->number;
    assert_true(generation_exists(engine_store(e), "beta", beta));   /* what the oldest run kept had in force */
    assert_false(generation_exists(engine_store(e), "alpha", 5));

    g_autoptr(GError) error = NULL;
    assert_false(engine_rollback(e, 5, &error));
    assert_non_null(strstr(error->message, "not among those kept"));
    assert_true(engine_rollback(e, newest - 50, NULL));
    assert_size(f, 131 - 50);
    assert_int_equal(generation_live(engine_store(e), "beta"), beta);
    assert_true(engine_rollback(e, newest, NULL));                   /* and forward again */
    assert_size(f, 130);
    assert_true(engine_rollback(e, newest + 1, NULL));               /* to the first rollback's state */
    assert_size(f, 131 - 50);
}

/* ---- trials ---- */

static void let_trial_end(fixture *f, int in_s)
{
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autofree char *path = g_build_filename(f->root, "conf/configd.d/trial", NULL);
    gint64 past = g_get_real_time() / G_USEC_PER_SEC + in_s;
    assert_true(g_key_file_load_from_file(k, path, G_KEY_FILE_NONE, NULL));
    g_key_file_set_int64(k, "trial", "since", past - 60);
    g_key_file_set_int64(k, "trial", "until", past);
    assert_true(g_key_file_save_to_file(k, path, NULL));
}

static void a_trial_ends_by_itself(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    g_autofree char *text = engine_trial_begin(e, 1, NULL);
    assert_non_null(text);
    assert_null(engine_trial_begin(e, 1, NULL));
    assert_true(size(e, 2));
    assert_true(size(e, 3));
    let_trial_end(f, 1);
    e = restarted(f, e);
    for (int i = 0; i < 8; i++) {                /* seconds of the host's clock are whole ones */
        if (engine_next_due(e))
            wait_until_due(e);
        g_usleep(300 * 1000);
        (void) engine_tick(e);
    }
    assert_null(engine_trial_text(e));
    assert_size(f, 1);
    assert_true(size(e, 4));                     /* held */
    assert_size(f, 1);
    assert_true(engine_resume(e, NULL, NULL));
    assert_true(size(e, 4));
    assert_size(f, 4);
    g_autoptr(GError) error = NULL;
    assert_null(engine_trial_begin(e, G_MAXINT, &error));
    assert_non_null(strstr(error->message, "at most"));
    engine_free(e);
}

static void a_trial_outlives_restarts(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    g_autofree char *text = engine_trial_begin(e, 10, NULL);
    g_autoptr(GError) error = NULL;
    assert_null(engine_trial_begin(e, 10, &error));
    assert_true(size(e, 2));
    e = restarted(f, e);
    (void) engine_tick(e);
    assert_size(f, 2);                           /* not over */
    engine_free(e);
    let_trial_end(f, -1);
    e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    (void) engine_tick(e);
    assert_size(f, 1);
    engine_free(e);
}

static void a_confirmed_trial_stays(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    g_autofree char *text = engine_trial_begin(e, 10, NULL);
    assert_true(size(e, 2));
    assert_true(engine_trial_confirm(e, NULL));
    assert_false(engine_trial_confirm(e, NULL));
    e = restarted(f, e);
    (void) engine_tick(e);
    assert_true(size(e, 2));
    assert_size(f, 2);
    engine_free(e);
}

/* A rollback before the trial is what the trial returns to, not the newest files. */
static void a_trial_returns_to_what_was_held(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    int first = generation_live(engine_store(e), "alpha");
    assert_true(size(e, 2));
    assert_true(engine_rollback(e, first, NULL));
    g_autofree char *text = engine_trial_begin(e, 10, NULL);
    assert_true(engine_resume(e, NULL, NULL));
    assert_true(size(e, 3));
    assert_size(f, 3);
    engine_free(e);
    let_trial_end(f, -1);
    e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    (void) engine_tick(e);
    assert_size(f, 1);
    engine_free(e);
}

/* ---- after activation ---- */

static void what_fails_later_goes_back(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    assert_true(size(e, 2));
    g_string_truncate(f->log, 0);
    g_hash_table_insert(f->restarts, (gpointer) "alpha.service", GUINT_TO_POINTER(1));
    wait_until_due(e);
    (void) engine_tick(e);
    assert_size(f, 2);                           /* one crash proves nothing */
    g_hash_table_insert(f->restarts, (gpointer) "alpha.service", GUINT_TO_POINTER(2));
    wait_until_due(e);
    (void) engine_tick(e);
    assert_size(f, 1);
    assert_string_equal(f->log->str, "restart alpha.service; ");
    assert_int_equal(engine_next_due(e), 0);
    g_autofree char *status = engine_status(e), *history = engine_history(e, 1);
    assert_non_null(strstr(status, "does not stay up: 2 restarts"));
    assert_non_null(strstr(history, "failed"));

    g_string_truncate(f->log, 0);
    e = restarted(f, e);
    assert_true(size(e, 2));                     /* remembered: not tried again unasked */
    assert_size(f, 1);
    assert_string_equal(f->log->str, "");
    engine_free(e);
}

static void a_unit_that_dies_later_goes_back(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    assert_true(size(e, 2));
    g_hash_table_replace(f->states, g_strdup("alpha.service"), g_strdup("failed"));
    wait_until_due(e);
    (void) engine_tick(e);
    assert_size(f, 1);
}

static void what_is_stopped_meanwhile_is_no_failure(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    f->is_stopped = "alpha.service";
    assert_true(size(e, 2));
    assert_size(f, 2);
    assert_string_equal(f->log->str, "reload alpha.service; ");

    f->is_stopped = NULL;                        /* nor what fails while the host goes down */
    g_hash_table_replace(f->states, g_strdup("alpha.service"), g_strdup("active"));
    assert_true(size(e, 3));
    g_hash_table_replace(f->states, g_strdup("alpha.service"), g_strdup("failed"));
    f->stopping = true;
    wait_until_due(e);
    (void) engine_tick(e);
    assert_size(f, 3);
    assert_int_equal(engine_next_due(e), 0);
}

static void no_service_is_restarted_for_ever(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    f->fails = g_strdup("size=7");
    for (int i = 70; i < 73; i++)
        assert_false(size(e, i));
    assert_size(f, 1);
    g_string_truncate(f->log, 0);
    for (int i = 73; i < 90; i++)
        (void) size(e, i);
    assert_string_equal(f->log->str, "");        /* waits */
    assert_true(engine_next_due(e) > 0);
    g_autofree char *status = engine_status(e);
    assert_non_null(strstr(status, "next attempt in"));
    char *forced[] = { (char *) "alpha", NULL };
    assert_true(engine_update(e, fixture_facts("size=2", "beta=b", NULL), forced, "test", NULL));
    assert_true(engine_apply(e, NULL));
    assert_size(f, 2);                           /* what was asked for does not wait, and ends the waiting */
    assert_true(size(e, 3));
    assert_size(f, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_content_is_not_written_again, setup, teardown),
        cmocka_unit_test_setup_teardown(files_then_intent_then_link, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing_and_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(only_one_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hundred_generations_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_trial_ends_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_trial_outlives_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_confirmed_trial_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_trial_returns_to_what_was_held, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_later_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_unit_that_dies_later_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_stopped_meanwhile_is_no_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(no_service_is_restarted_for_ever, setup, teardown),
    };
    return cmocka_run_group_tests_name("configd-engine-time", tests, NULL, NULL);
}
