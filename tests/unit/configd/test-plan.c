/* The actions table: what it says, what it refuses, what depends on what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

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

static GHashTable *ids(const char *first, ...) G_GNUC_NULL_TERMINATED;
static GHashTable *ids(const char *first, ...)
{
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
    va_list args;
    va_start(args, first);
    for (const char *s = first; s; s = va_arg(args, const char *))
        g_hash_table_add(set, (char *) s);
    va_end(args);
    return set;
}

static void knows_dependencies(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    assert_non_null(p);
    plan_folder *alpha = plan_find(p, "alpha"), *beta = plan_find(p, "beta");
    g_autoptr(GHashTable) size = ids("VAR:size", NULL), word = ids("VAR:word", NULL), b = ids("LOCAL:beta", NULL), other = ids("VAR:other", NULL);
    assert_true(plan_folder_depends(alpha, size));
    assert_true(plan_folder_depends(alpha, word));      /* by way of FILE:shared/words */
    assert_false(plan_folder_depends(alpha, b));
    assert_true(plan_folder_depends(beta, b));
    assert_false(plan_folder_depends(beta, other));
    assert_true(plan_reads(p, "VAR:size"));
    assert_false(plan_reads(p, "VAR:other"));
}

static void chooses_actions(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    g_autoptr(GHashTable) size = ids("VAR:size", NULL), restart = ids("VAR:size", "VAR:restartMe", NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    g_ptr_array_add(files, (char *) "alpha.conf");
    assert_int_equal(plan_folder_action(plan_find(p, "alpha"), size, files), PLAN_RELOAD);
    assert_int_equal(plan_folder_action(plan_find(p, "alpha"), restart, files), PLAN_RESTART);
    assert_int_equal(plan_folder_action(plan_find(p, "beta"), size, files), PLAN_RESTART);
}

static void selects_by_service(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    static const struct { const char *name; guint n; } cases[] = { { "alpha", 1 }, { "two", 1 }, { "beta", 1 }, { "none", 0 } };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) found = plan_select(p, cases[i].name);
        assert_int_equal(found->len, cases[i].n);
    }
    g_autoptr(facts) none = facts_new();
    g_autoptr(facts) one = fixture_facts("unread=1", NULL);
    assert_false(plan_folder_wanted(plan_find(p, "alpha"), none));
    assert_true(plan_folder_wanted(plan_find(p, "alpha"), one));
    assert_true(plan_folder_wanted(plan_find(p, "beta"), none));
}

static void renders_lists_and_folder(void **state)
{
    fixture *f = *state;
    g_autoptr(plan) p = plan_load(f->l, NULL);
    g_autoptr(facts) values = fixture_facts("size=1", "word=w", "beta=B", NULL);
    plan_folder *alpha = plan_find(p, "alpha"), *beta = plan_find(p, "beta");
    g_autofree char *list = plan_render(p, f->l, alpha, alpha->files->pdata[1], values, NULL);
    assert_string_equal(list, "fixed, w\n");
    g_autofree char *text = plan_render(p, f->l, beta, beta->files->pdata[0], values, NULL);
    g_autofree char *expected = g_strdup_printf("%s/conf/beta B\n", f->root);
    assert_string_equal(text, expected);
    g_autoptr(facts) empty = fixture_facts("unread=1", NULL);
    g_autoptr(GError) error = NULL;
    assert_null(plan_render(p, f->l, alpha, alpha->files->pdata[0], empty, &error));
    assert_non_null(strstr(error->message, "alpha/alpha.conf.in:1: size"));
}

static void breaks_only_the_folder(void **state)
{
    fixture *f = *state;
    fixture_write(f, "templates/beta/beta.conf.in", "%%if VAR:x%%\n");
    g_autoptr(plan) p = plan_load(f->l, NULL);
    assert_non_null(p);
    assert_non_null(plan_find(p, "beta")->broken);
    assert_null(plan_find(p, "alpha")->broken);
}

static void prefers_the_override(void **state)
{
    fixture *f = *state;
    fixture_write(f, "conf/override/beta/beta.conf.in", "mine\n");
    g_autoptr(plan) p = plan_load(f->l, NULL);
    plan_folder *beta = plan_find(p, "beta");
    assert_true(((plan_file *) beta->files->pdata[0])->overridden);
    g_autoptr(facts) empty = facts_new();
    g_autofree char *text = plan_render(p, f->l, beta, beta->files->pdata[0], empty, NULL);
    assert_string_equal(text, "mine\n");
}

static void refuses_bad_tables(void **state)
{
    fixture *f = *state;
    static const struct { const char *table, *message; } cases[] = {
        { "[a]\n", "[a files]" },
        { "[a]\nactoin=reload\n[a files]\nx=0644 root:root\n", "actoin: unknown key" },
        { "[a]\naction=reboot\n[a files]\nx=0644 root:root\n", "expected reload, restart or none" },
        { "[a]\n[a files]\nx=0644 root\n", "expected \"MODE OWNER:GROUP" },
        { "[a]\n[a files]\nx=rw root:root\n", "expected \"MODE OWNER:GROUP" },
        { "[a]\n[a files]\n../x=0644 root:root\n", "expected \"MODE OWNER:GROUP" },
        { "[a]\n[a files]\nx=0644 root:root ../../etc/shadow\n", "expected \"MODE OWNER:GROUP" },
        { "[a]\nvalidate_timeout=0\n[a files]\nx=0644 root:root\n", "expected seconds" },
        { "[a]\n[a files]\nx=0644 root:root\n[a links]\n../../etc/passwd=x\n", "expected PATH=file" },
        { "[b files]\nx=0644 root:root\n", "no group of that name" },
        { "[../a]\n[../a files]\nx=0644 root:root\n", "" },
        { "nonsense", "actions" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        fixture_write(f, "templates/actions", cases[i].table);
        assert_null(plan_load(f->l, &error));
        if (!strstr(error->message, cases[i].message))
            fail_msg("%s -> %s", cases[i].table, error->message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_dependencies, setup, teardown),
        cmocka_unit_test_setup_teardown(chooses_actions, setup, teardown),
        cmocka_unit_test_setup_teardown(selects_by_service, setup, teardown),
        cmocka_unit_test_setup_teardown(renders_lists_and_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(breaks_only_the_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(prefers_the_override, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_tables, setup, teardown),
    };
    return cmocka_run_group_tests_name("configd-plan", tests, NULL, NULL);
}
