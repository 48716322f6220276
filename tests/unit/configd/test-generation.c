/* Generations on disk, with the n-th step failing: what is live stays whole. */
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
    g_mkdir_with_parents(f->l->state, 0700);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_done(*state);
    g_free(*state);
    return 0;
}

static rendering *render(const plan *p, const char *text)
{
    rendering *r = rendering_new(plan_find(p, "alpha"));
    g_ptr_array_add(r->texts, g_strdup(text));
    g_ptr_array_add(r->texts, g_strdup("list\n"));
    return r;
}

static bool put(const generation_store *s, const rendering *r, int n)
{
    return generation_create(s, r, -1, n, NULL) && generation_seal(s, r->folder, n, NULL) &&
           generation_flip(s, r->folder->name, n, NULL) && generation_link(s, r->folder, NULL);
}

static void creates_and_flips(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    generation_store s = { .l = f->l, .keep_owner = true };
    g_autoptr(rendering) r = render(p, "one\n"), other = render(p, "two\n");
    struct stat st;

    assert_int_equal(generation_live(&s, "alpha"), -1);
    assert_true(put(&s, r, 1));
    assert_int_equal(generation_live(&s, "alpha"), 1);
    g_autofree char *text = fixture_read(f, "conf/alpha.conf"), *deep = fixture_read(f, "etc/deep/alpha/sub/list");
    assert_string_equal(text, "one\n");
    assert_string_equal(deep, "list\n");
    g_autofree char *path = g_build_filename(f->root, "conf/alpha/alpha.conf", NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_true(st.st_mtime <= time(NULL) - 5);

    g_autoptr(GPtrArray) same = generation_compare(&s, r, 1), differs = generation_compare(&s, other, 1);
    assert_int_equal(same->len, 0);
    assert_int_equal(differs->len, 1);
    assert_string_equal(differs->pdata[0], "alpha.conf");
    assert_int_equal(chmod(path, 0644), 0);
    g_autoptr(GPtrArray) mode = generation_compare(&s, r, 1);
    assert_int_equal(mode->len, 1);

    assert_true(put(&s, other, 3));
    assert_int_equal(generation_at(&s, "alpha", 2), 1);
    assert_int_equal(generation_at(&s, "alpha", 9), 3);
    assert_int_equal(generation_highest(&s, p), 3);
    assert_true(generation_flip(&s, "alpha", 1, NULL));
    assert_int_equal(generation_live(&s, "alpha"), 1);
    assert_false(generation_create(&s, r, -1, 3, NULL));     /* never overwritten */
    assert_true(generation_flip(&s, "alpha", -1, NULL));
    assert_int_equal(generation_live(&s, "alpha"), -1);
}

static void moves_real_files_aside(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    generation_store s = { .l = f->l, .keep_owner = true };
    g_autoptr(rendering) r = render(p, "one\n");
    fixture_write(f, "conf/alpha.conf", "by hand\n");
    assert_true(put(&s, r, 1));
    g_autofree char *now = fixture_read(f, "conf/alpha.conf"), *aside = fixture_read(f, "conf/alpha.conf.replaced");
    assert_string_equal(now, "one\n");
    assert_string_equal(aside, "by hand\n");
}

static int fail_at(const char *step, void *data)
{
    int *left = data;
    return --*left == 0 ? EIO : 0;
}

/* Fails every step in turn. The live text is the old or, once the link has
 * turned, the new one; a second try always succeeds. */
static void any_step_may_fail(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    generation_store good = { .l = f->l, .keep_owner = true };
    g_autoptr(rendering) r = render(p, "one\n"), other = render(p, "two\n");
    assert_true(put(&good, r, 1));
    int steps = 0;
    for (int n = 1; n < 200; n++) {
        int left = n;
        generation_store s = { .l = f->l, .keep_owner = true, .inject = fail_at, .inject_data = &left };
        bool ok = put(&s, other, 2);
        g_autofree char *text = fixture_read(f, "conf/alpha/alpha.conf");
        assert_non_null(text);
        assert_true(g_str_equal(text, "one\n") || (g_str_equal(text, "two\n") && generation_live(&good, "alpha") == 2));
        if (ok && left > 0) {
            steps = n;
            break;
        }
        assert_true(generation_flip(&good, "alpha", 1, NULL));
        assert_true(generation_remove(&good, "alpha", 2, NULL));
    }
    assert_true(steps > 10);
}

static void history_is_kept(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    generation_store s = { .l = f->l, .keep_owner = true };
    for (int n = 1; n <= HISTORY_KEPT + 5; n++) {
        g_autofree char *text = g_strdup_printf("%d\n", n);
        g_autoptr(rendering) r = render(p, text);
        g_autoptr(history_record) h = history_record_new(n, "test", NULL);
        char *files[] = { (char *) "alpha.conf", NULL };
        assert_true(put(&s, r, n));
        history_record_add(h, "alpha", n % 2 ? PART_GOOD : PART_REFUSED, n - 1, "why; so", files);
        assert_true(history_write(&s, h, NULL));
    }
    assert_true(generation_flip(&s, "alpha", 2, NULL));
    history_prune(&s, p);
    g_autoptr(GPtrArray) all = history_read(&s, 1000);
    assert_int_equal(all->len, HISTORY_KEPT);
    const history_record *newest = all->pdata[0];
    const history_part *part = newest->parts->pdata[0];
    assert_int_equal(newest->number, HISTORY_KEPT + 5);
    assert_int_equal(part->state, PART_GOOD);
    assert_string_equal(part->reason, "why; so");
    assert_string_equal(part->files[0], "alpha.conf");
    assert_int_equal(generation_at(&s, "alpha", 4), 2);   /* 1, 3, 4 are gone, the live one stays */
    assert_true(generation_exists(&s, "alpha", 5));       /* what was live before the oldest run that is kept */
}

static void intent_survives(void **state)
{
    fixture *f = *state;
    generation_store s = { .l = f->l, .keep_owner = true };
    g_autoptr(GError) error = NULL;
    assert_null(intent_read(&s, &error));
    assert_null(error);
    g_autoptr(intent) i = intent_new(7);
    intent_add(i, "alpha", 7, 3, PLAN_RESTART);
    intent_add(i, "beta", 7, -1, PLAN_RELOAD);
    assert_true(intent_write(&s, i, NULL));
    g_autoptr(intent) back = intent_read(&s, NULL);
    assert_int_equal(back->number, 7);
    assert_int_equal(back->turns->len, 2);
    intent_turn *t = back->turns->pdata[0];
    assert_string_equal(t->folder, "alpha");
    assert_int_equal(t->previous, 3);
    assert_int_equal(t->action, PLAN_RESTART);
    assert_true(intent_clear(&s, NULL));
    assert_null(intent_read(&s, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creates_and_flips, setup, teardown),
        cmocka_unit_test_setup_teardown(moves_real_files_aside, setup, teardown),
        cmocka_unit_test_setup_teardown(any_step_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(history_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(intent_survives, setup, teardown),
    };
    return cmocka_run_group_tests_name("configd-generation", tests, NULL, NULL);
}
