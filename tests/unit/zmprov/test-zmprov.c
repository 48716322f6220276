#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/zmprov/handlers.h"
#include "cli/zmprov/tokens.h"

#define FACTS "tests/unit/zmprov/commands.tsv"

static void splits_lines(void **state)
{
    static const struct { const char *line, *words; } cases[] = {
        { "ga joe@example.com", "[ga][joe@example.com]" },
        { "  ma  joe\tdisplayName   'Joe  Doe' ", "[ma][joe][displayName][Joe  Doe]" },
        { "ca a@b ''", "[ca][a@b][]" },
        { "x \"a \\\"b\\\" \\\\c \\d\"", "[x][a \"b\" \\c \\d]" },
        { "x 'a \\ \"b\"'", "[x][a \\ \"b\"]" },
        { "x a\\ b \\'c\\' \\\\", "[x][a b]['c'][\\]" },
        { "x pre'fix mid'\"dle post\"end", "[x][prefix middle postend]" },
        { "md d zimbraX '${SENDER} # no comment'", "[md][d][zimbraX][${SENDER} # no comment]" },
        { "x #y", "[x][#y]" },
        { "# comment", "" }, { "", "" }, { "   ", "" },
        { "x 'open", NULL }, { "x \"open", NULL }, { "x \"open\\\"", NULL }, { "x \\", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = tokens_split(cases[i].line, &error);
        assert_int_equal(words != NULL, cases[i].words != NULL);
        assert_int_equal(error != NULL, cases[i].words == NULL);
        g_autoptr(GString) text = g_string_new(NULL);
        for (char **w = words; w && *w; w++)
            g_string_append_printf(text, "[%s]", *w);
        if (words)
            assert_string_equal(text->str, cases[i].words);
    }
}

static void commands_are_the_guides(void **state)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(FACTS, &text, NULL, NULL));
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        char *tab = strchr(*l, '\t');
        if (tab) {
            *tab = 0;
            g_hash_table_insert(names, *l, tab + 1);
        }
    }
    size_t n;
    const command *all = command_table(&n);
    for (size_t i = 0; i < n; i++) {
        const char *alias = g_hash_table_lookup(names, all[i].name);
        assert_non_null(alias);
        assert_string_equal(alias, all[i].alias);
    }
}

static void commands_are_distinct_and_whole(void **state)
{
    size_t n;
    const command *all = command_table(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(command_find(all[i].name), &all[i]);
        assert_ptr_equal(command_find(all[i].alias), &all[i]);
        g_autofree char *upper = g_ascii_strup(all[i].alias, -1);
        assert_ptr_equal(command_find(upper), &all[i]);
        assert_non_null(all[i].run);
        assert_non_null(all[i].usage);
        assert_true(all[i].max == ANY_NUMBER || all[i].max >= all[i].min);
        assert_true(all[i].category < CATEGORIES);
    }
    assert_null(command_find("nothing"));
}

static void checks_arguments(void **state)
{
    session s = { NULL };
    static const struct { const char *words[5]; const char *error; } cases[] = {
        { { "nothing" }, "unknown command" },
        { { "ga" }, "usage: getAccount(ga)" },
        { { "aaa", "one" }, "usage: addAccountAlias" },
        { { "da", "one", "two" }, "usage: deleteAccount" },
        { { "desc", "-a", "zimbraNoSuch" }, "no such attribute" },
        { { "desc", "nothing" }, "no such type of entry" },
        { { "help", "nothing" }, "nothing on" },
        { { "fc", "nothing" }, "no such type of cache" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = g_strdupv((char **) cases[i].words);
        assert_false(command_run(&s, (int) g_strv_length(words), words, &error));
        assert_non_null(strstr(error->message, cases[i].error));
        assert_string_equal(directory_error_name(error), "service.INVALID_REQUEST");
    }
}

static void parses_pairs(void **state)
{
    session s = { .lc = localconfig_load("/nonexistent/localconfig.xml", NULL) };
    char *pairs[] = { (char *) "displayName", (char *) "x", (char *) "+mail", (char *) "y" };
    char *guarded[] = { (char *) "ZIMBRASERVICEENABLED", (char *) "ldap" };
    char *added[] = { (char *) "+zimbraServiceEnabled", (char *) "ldap" };
    {
        g_auto(change_list) l = { NULL, 0 };
        assert_true(change_list_parse(&s, 4, pairs, &l, NULL));
        assert_int_equal(l.n, 2);
        assert_string_equal(l.list[1].attr, "+mail");
    }
    g_autoptr(GError) odd = NULL, replaced = NULL;
    g_auto(change_list) none = { NULL, 0 }, one = { NULL, 0 }, two = { NULL, 0 };
    assert_false(change_list_parse(&s, 3, pairs, &none, &odd));
    assert_non_null(strstr(odd->message, "+mail has no value"));
    assert_false(change_list_parse(&s, 2, guarded, &none, &replaced));
    assert_non_null(strstr(replaced->message, "-r/--replace"));
    assert_true(change_list_parse(&s, 2, added, &one, NULL));
    s.replace = true;
    assert_true(change_list_parse(&s, 2, guarded, &two, NULL));
    localconfig_free(s.lc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_lines),
        cmocka_unit_test(commands_are_the_guides),
        cmocka_unit_test(commands_are_distinct_and_whole),
        cmocka_unit_test(checks_arguments),
        cmocka_unit_test(parses_pairs),
    };
    return cmocka_run_group_tests_name("zmprov", tests, NULL, NULL);
}
