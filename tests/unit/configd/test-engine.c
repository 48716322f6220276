/* Whole runs on a scratch installation: what is rendered, refused, applied,
 * rolled back; and every step failing or being the last one before a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
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

static void assert_alpha(fixture *f, const char *expected)
{
    g_autofree char *text = fixture_read(f, "conf/alpha/alpha.conf");
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void assert_log(fixture *f, const char *expected)
{
    assert_string_equal(f->log->str, expected);
    g_string_truncate(f->log, 0);
}

static engine *started(fixture *f)
{
    engine *e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    assert_true(run(e, fixture_facts("size=1", "beta=b", NULL)));
    assert_alpha(f, "size=1\n");
    g_string_truncate(f->log, 0);
    return e;
}

static void touches_what_depends(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    int beta = generation_live(engine_store(e), "beta");

    assert_true(run(e, fixture_facts("size=2", "beta=b", NULL)));
    assert_alpha(f, "size=2\n");
    assert_log(f, "reload alpha.service; ");
    assert_int_equal(generation_live(engine_store(e), "beta"), beta);

    assert_true(run(e, fixture_facts("size=2", "beta=b", "unread=x", NULL)));
    assert_log(f, "");
    assert_true(run(e, fixture_facts("size=2", "beta=b", "restartMe=r", NULL)));
    assert_log(f, "restart alpha.service; ");
    assert_true(run(e, fixture_facts("size=2", "beta=c", "restartMe=r", NULL)));
    assert_log(f, "restart beta.service; ");
}

static void leaves_stopped_units_alone(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    g_hash_table_replace(f->states, g_strdup("alpha.service"), g_strdup("inactive"));
    assert_true(run(e, fixture_facts("size=2", "beta=b", NULL)));
    assert_alpha(f, "size=2\n");
    assert_log(f, "");
    g_hash_table_replace(f->states, g_strdup("alpha.service"), g_strdup("failed"));
    assert_true(run(e, fixture_facts("size=3", "beta=b", NULL)));
    assert_log(f, "restart alpha.service; ");
}

static void refuses_and_recovers(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    g_autoptr(GError) error = NULL;

    assert_false(engine_update(e, fixture_facts("size=bad", "beta=c", NULL), NULL, "test", &error));
    assert_non_null(strstr(error->message, "alpha: /bin/sh (exit 3): no bad please"));
    assert_true(engine_apply(e, NULL));
    assert_alpha(f, "size=1\n");                          /* the other folder went on */
    assert_log(f, "restart beta.service; ");
    g_autofree char *history = engine_history(e, 1);
    assert_non_null(strstr(history, "refused"));
    assert_non_null(strstr(history, "no bad please"));

    int highest = generation_highest(engine_store(e), engine_plan(e));
    for (int i = 0; i < 3; i++)                           /* the same bad value makes no more generations */
        assert_false(run(e, fixture_facts("size=bad", "beta=c", NULL)));
    assert_int_equal(generation_highest(engine_store(e), engine_plan(e)), highest);

    assert_true(run(e, fixture_facts("size=2", "beta=c", NULL)));
    assert_alpha(f, "size=2\n");
    g_autofree char *status = engine_status(e);
    assert_null(strstr(status, "refused"));
}

static void missing_value_refuses(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    g_autoptr(GError) error = NULL;
    assert_false(engine_update(e, fixture_facts("beta=b", NULL), NULL, "test", &error));
    assert_non_null(strstr(error->message, "alpha/alpha.conf.in:1: size"));
    assert_alpha(f, "size=1\n");
    assert_true(run(e, fixture_facts("size=1", "beta=b", NULL)));
    assert_log(f, "");
}

static void turns_back_what_does_not_start(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    f->fails = g_strdup("size=7");
    assert_false(run(e, fixture_facts("size=7", "beta=b", NULL)));
    assert_alpha(f, "size=1\n");
    assert_log(f, "reload alpha.service; restart alpha.service; ");
    assert_true(run(e, fixture_facts("size=7", "beta=b", "unread=1", NULL)));   /* not tried again unasked */
    assert_log(f, "");

    g_clear_pointer(&f->fails, g_free);
    char *forced[] = { (char *) "alpha", NULL };
    assert_true(engine_update(e, fixture_facts("size=7", "beta=b", NULL), forced, "test", NULL));
    assert_true(engine_apply(e, NULL));
    assert_alpha(f, "size=7\n");
}

static void remembers_failures_over_a_restart(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    f->fails = g_strdup("size=7");
    assert_false(run(e, fixture_facts("size=7", "beta=b", NULL)));
    engine_free(e);
    g_string_truncate(f->log, 0);
    g_autoptr(engine) again = fixture_engine(f);
    assert_true(engine_recover(again, NULL));
    assert_true(run(again, fixture_facts("size=7", "beta=b", NULL)));
    assert_alpha(f, "size=1\n");
    assert_log(f, "");
}

static void loads_what_changed_while_away(void **state)
{
    fixture *f = *state;
    engine_free(started(f));
    g_autoptr(engine) e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    assert_true(run(e, fixture_facts("size=5", "beta=b", NULL)));
    assert_alpha(f, "size=5\n");
    assert_log(f, "reload alpha.service; ");
    g_autofree char *history = engine_history(e, 1);
    assert_non_null(strstr(history, "VAR:size"));
}

static void mends_edits_by_hand(void **state)
{
    fixture *f = *state;
    engine_free(started(f));
    fixture_write(f, "conf/alpha.d/1/alpha.conf", "edited\n");
    g_autoptr(engine) e = fixture_engine(f);
    assert_true(engine_recover(e, NULL));
    assert_true(run(e, fixture_facts("size=1", "beta=b", NULL)));
    assert_alpha(f, "size=1\n");
}

static void rolls_back_and_resumes(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    int first = generation_live(engine_store(e), "alpha");
    assert_true(run(e, fixture_facts("size=2", "beta=b", NULL)));
    assert_false(run(e, fixture_facts("size=bad", "beta=b", NULL)));
    assert_true(run(e, fixture_facts("size=3", "beta=b", NULL)));
    g_string_truncate(f->log, 0);

    assert_true(engine_rollback(e, first, NULL));
    assert_alpha(f, "size=1\n");
    assert_log(f, "reload alpha.service; ");
    assert_true(run(e, fixture_facts("size=4", "beta=b", NULL)));      /* held */
    assert_alpha(f, "size=1\n");
    g_autoptr(GError) error = NULL;
    assert_false(engine_rollback(e, first, &error));                   /* nothing to do */
    assert_true(engine_resume(e, NULL, NULL));
    assert_true(run(e, fixture_facts("size=4", "beta=b", NULL)));
    assert_alpha(f, "size=4\n");
    char *nobody[] = { (char *) "alpha", NULL };
    assert_false(engine_resume(e, nobody, NULL));
}

static void shows_differences(void **state)
{
    fixture *f = *state;
    g_autoptr(engine) e = started(f);
    int before = generation_live(engine_store(e), "alpha");
    g_autoptr(facts) would = fixture_facts("size=2", "beta=b", NULL);
    g_autofree char *dry = engine_dry_run(e, would, NULL);
    assert_non_null(strstr(dry, "alpha: would reload alpha.service"));
    assert_non_null(strstr(dry, "-size=1\n+size=2"));
    assert_alpha(f, "size=1\n");
    assert_true(run(e, fixture_facts("size=2", "beta=b", NULL)));
    g_autofree char *diff = engine_diff(e, before, generation_live(engine_store(e), "alpha"), NULL);
    assert_non_null(strstr(diff, "-size=1\n+size=2"));
    g_autofree char *text = engine_render(e, "two", would, NULL);
    assert_non_null(strstr(text, "==> alpha/alpha.conf <==\nsize=2\n==> alpha/sub/list <=="));
}

/* ---- faults ---- */

typedef struct { int left; bool die; } fault;

static int strike(const char *step, void *data)
{
    fault *x = data;
    if (--x->left)
        return 0;
    if (x->die)
        _exit(42);
    return EIO;
}

/* The live folder is whole: one of the two texts, and its neighbour is there. */
static void assert_whole(fixture *f, const char *old_text, const char *new_text)
{
    g_autofree char *text = fixture_read(f, "conf/alpha/alpha.conf"), *list = fixture_read(f, "conf/alpha/sub/list");
    assert_non_null(text);
    assert_non_null(list);
    assert_true(g_str_equal(text, old_text) || g_str_equal(text, new_text));
}

static void any_step_may_fail(void **state)
{
    fixture *f = *state;
    engine_free(started(f));
    g_autofree char *old_text = g_strdup("size=1\n");
    for (int n = 1; n < 400; n++) {
        fault x = { .left = n };
        g_autofree char *value = g_strdup_printf("size=1%d", n), *text = g_strdup_printf("%s\n", value);
        engine *e = fixture_engine(f);
        assert_true(engine_recover(e, NULL));
        engine_store(e)->inject = strike;
        engine_store(e)->inject_data = &x;
        run(e, fixture_facts(value, "beta=b", NULL));
        assert_whole(f, old_text, text);
        engine_store(e)->inject = NULL;
        bool struck = x.left <= 0;
        if (!run(e, fixture_facts(value, "beta=b", NULL)))          /* whatever failed, the next run mends it */
            assert_true(run(e, fixture_facts(value, "beta=b", NULL)));
        assert_alpha(f, text);
        engine_free(e);
        g_free(old_text);
        old_text = g_steal_pointer(&text);
        if (!struck) {
            assert_true(n > 20);
            return;
        }
    }
    fail();
}

/* kill -9 at every step, then a new start. */
static void any_step_may_be_the_last(void **state)
{
    fixture *f = *state;
    engine_free(started(f));
    g_autofree char *old_text = g_strdup("size=1\n");
    for (int n = 1; n < 400; n++) {
        g_autofree char *value = g_strdup_printf("size=2%d", n), *text = g_strdup_printf("%s\n", value);
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            fault x = { .left = n, .die = true };
            engine *e = fixture_engine(f);
            engine_store(e)->inject = strike;
            engine_store(e)->inject_data = &x;
            (void) (engine_recover(e, NULL) && run(e, fixture_facts(value, "beta=b", NULL)));
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_whole(f, old_text, text);
        engine *e = fixture_engine(f);
        assert_true(engine_recover(e, NULL));
        assert_true(run(e, fixture_facts(value, "beta=b", NULL)));
        assert_alpha(f, text);
        g_autoptr(GError) error = NULL;
        assert_null(intent_read(engine_store(e), &error));
        assert_null(error);
        engine_free(e);
        g_free(old_text);
        old_text = g_steal_pointer(&text);
        if (WEXITSTATUS(status) != 42) {
            assert_true(n > 20);
            return;
        }
    }
    fail();
}

static void gives_up_after_repeated_crashes(void **state)
{
    fixture *f = *state;
    engine *e = started(f);
    int before = generation_live(engine_store(e), "alpha");
    assert_true(engine_update(e, fixture_facts("size=9", "beta=b", NULL), NULL, "test", NULL));
    engine_free(e);                                       /* turned, never applied: as by a crash */
    for (int i = 0; i < 3; i++) {
        e = fixture_engine(f);
        assert_true(engine_recover(e, NULL));
        if (i < 2)
            assert_alpha(f, "size=9\n");
        engine_free(e);
    }
    assert_alpha(f, "size=1\n");
    e = fixture_engine(f);
    assert_int_equal(generation_live(engine_store(e), "alpha"), before);
    engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(touches_what_depends, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_stopped_units_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_and_recovers, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_value_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(turns_back_what_does_not_start, setup, teardown),
        cmocka_unit_test_setup_teardown(remembers_failures_over_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(loads_what_changed_while_away, setup, teardown),
        cmocka_unit_test_setup_teardown(mends_edits_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(rolls_back_and_resumes, setup, teardown),
        cmocka_unit_test_setup_teardown(shows_differences, setup, teardown),
        cmocka_unit_test_setup_teardown(any_step_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(any_step_may_be_the_last, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_up_after_repeated_crashes, setup, teardown),
    };
    return cmocka_run_group_tests_name("configd-engine", tests, NULL, NULL);
}
