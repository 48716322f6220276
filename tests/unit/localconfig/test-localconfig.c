#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/localconfig/keys.h"
#include "lib/localconfig/localconfig.h"

struct fixture { char *folder, *path; };

static int set_up(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);
    f->folder = g_dir_make_tmp("localconfig-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "localconfig.xml", NULL);
    *state = f;
    return f->folder ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void) g_unlink(f->path); /* not every test makes it */
    g_rmdir(f->folder);
    g_free(f->path);
    g_free(f->folder);
    g_free(f);
    return 0;
}

static localconfig *load(struct fixture *f, const char *text)
{
    if (text)
        assert_true(g_file_set_contents(f->path, text, -1, NULL));
    g_autoptr(GError) error = NULL;
    localconfig *lc = localconfig_load(f->path, &error);
    assert_null(error);
    return lc;
}

static void table_is_in_order(void **state)
{
    for (size_t i = 1; i < localconfig_keys_count; i++)
        assert_true(strcmp(localconfig_keys_table[i - 1].name, localconfig_keys_table[i].name) < 0);
    for (size_t i = 0; i < localconfig_keys_count; i++) {
        const localconfig_key *k = &localconfig_keys_table[i];
        assert_true(localconfig_valid_key(k->name));
        if (localconfig_is_secret(k->name))
            assert_null(k->value);
    }
    for (size_t i = 0; i < localconfig_alias_count; i++) {
        assert_null(localconfig_key_find(localconfig_alias_table[i].name));
        assert_non_null(localconfig_key_find(localconfig_alias_table[i].key));
    }
}

static void every_default_expands(void **state)
{
    g_autoptr(localconfig) lc = load(*state, NULL);
    for (size_t i = 0; i < localconfig_keys_count; i++) {
        if (!localconfig_keys_table[i].value)
            continue;
        const char *value = localconfig_get(lc, localconfig_keys_table[i].name);
        assert_non_null(value);
        assert_null(strstr(value, "${"));
    }
}

static void missing_file_is_all_defaults(void **state)
{
    g_autoptr(localconfig) lc = load(*state, NULL);
    assert_string_equal(localconfig_get(lc, "zimbra_swatch_acct_threshold"), "15");
    assert_string_equal(localconfig_get(lc, "zimbra_swatch_total_threshold"), "1000");
    assert_string_equal(localconfig_get(lc, "zimbra_mtareport_max_senders"), "25");
    assert_string_equal(localconfig_get(lc, "zimbra_db_directory"), "/opt/zimbra/db");
    assert_int_equal(localconfig_get_int(lc, "mailboxd_shards", 0), 2);
    assert_null(localconfig_get(lc, "zimbra_ldap_password"));
    assert_null(localconfig_get(lc, "no_such_key"));
    assert_string_equal(localconfig_get_or(lc, "no_such_key", "x"), "x");
}

static void reads_and_writes(void **state)
{
    struct fixture *f = *state;
    {
        g_autoptr(localconfig) lc = load(f, NULL);
        localconfig_set(lc, "ldap_host", "a<b>&\"c'\xc3\xa4");
        localconfig_set(lc, "zimbra_ldap_password", "s3cret");
        localconfig_set(lc, "zmstat_interval", "30");           /* the default: not stored */
        localconfig_set(lc, "ldap_port", "");
        assert_true(localconfig_save(lc, NULL));
        localconfig_unset(lc, "ldap_port");
        assert_true(localconfig_save(lc, NULL));
    }
    g_autoptr(localconfig) lc = load(f, NULL);
    assert_string_equal(localconfig_get(lc, "ldap_host"), "a<b>&\"c'\xc3\xa4");
    g_auto(GStrv) keys = localconfig_keys(lc, true);
    g_autofree char *joined = g_strjoinv(" ", keys);
    assert_string_equal(joined, "ldap_host zimbra_ldap_password");
}

static void keeps_mode(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    g_autoptr(localconfig) lc = load(f, NULL);
    localconfig_set(lc, "ldap_host", "x");
    assert_true(localconfig_save(lc, NULL));
    assert_int_equal(g_stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(g_chmod(f->path, 0600), 0);
    localconfig_set(lc, "ldap_host", "y");
    assert_true(localconfig_save(lc, NULL));
    assert_int_equal(g_stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    assert_string_equal(g_dir_read_name(dir), "localconfig.xml");
    assert_null(g_dir_read_name(dir));
}

static void two_editors_lose_nothing(void **state)
{
    struct fixture *f = *state;
    g_autoptr(localconfig) one =
        load(f, "<localconfig><key name=\"ldap_url\"><value>ldap://a</value></key></localconfig>");
    g_autoptr(localconfig) two = load(f, NULL);
    localconfig_set(one, "ldap_host", "one");
    localconfig_set(two, "ldap_port", "389");
    localconfig_unset(two, "ldap_url");
    assert_true(localconfig_save(one, NULL));
    assert_true(localconfig_save(two, NULL));
    g_autoptr(localconfig) lc = load(f, NULL);
    assert_string_equal(localconfig_get(lc, "ldap_host"), "one");
    assert_string_equal(localconfig_get(lc, "ldap_port"), "389");
    assert_string_equal(localconfig_get(lc, "ldap_url"), "");
}

static void other_spellings_are_one_key(void **state)
{
    struct fixture *f = *state;
    g_autoptr(localconfig) lc =
        load(f, "<localconfig><key name=\"bounce_queue_lifetime\"><value>3d</value></key></localconfig>");
    assert_string_equal(localconfig_get(lc, "postfix_bounce_queue_lifetime"), "3d");
    localconfig_set(lc, "bounce_queue_lifetime", "4d");
    assert_string_equal(localconfig_get(lc, "postfix_bounce_queue_lifetime"), "4d");
    assert_string_equal(localconfig_get(lc, "bounce_queue_lifetime"), "4d");
    assert_true(localconfig_save(lc, NULL));
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(f->path, &text, NULL, NULL));
    assert_null(strstr(text, "\"bounce_queue_lifetime"));
    assert_true(localconfig_is_known("bounce_queue_lifetime"));
}

static void expands(void **state)
{
    g_autoptr(localconfig) lc = load(*state,
        "<localconfig>"
        "<key name=\"a\"><value>1${b}2</value></key><key name=\"b\"><value>[${c}]</value></key>"
        "<key name=\"c\"><value>$x ${unknown} ${open</value></key>"
        "<key name=\"self\"><value>${self}</value></key>"
        "<key name=\"p\"><value>${q}</value></key><key name=\"q\"><value>${p}</value></key>"
        "<key name=\"l0\"><value>0123456789</value></key>"
        "<key name=\"l1\"><value>${l0}${l0}${l0}${l0}${l0}${l0}${l0}${l0}${l0}${l0}</value></key>"
        "<key name=\"l2\"><value>${l1}${l1}${l1}${l1}${l1}${l1}${l1}${l1}${l1}${l1}</value></key>"
        "<key name=\"l3\"><value>${l2}${l2}${l2}${l2}${l2}${l2}${l2}${l2}${l2}${l2}</value></key>"
        "<key name=\"l4\"><value>${l3}${l3}${l3}${l3}${l3}${l3}${l3}${l3}${l3}${l3}</value></key>"
        "</localconfig>");
    assert_string_equal(localconfig_get(lc, "a"), "1[$x ${unknown} ${open]2");
    static const char *const loops[] = { "self", "p", "l4" };
    for (size_t i = 0; i < G_N_ELEMENTS(loops); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(localconfig_get(lc, loops[i]));
        assert_null(localconfig_expand(lc, loops[i], &error));
        assert_true(g_error_matches(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_LOOP));
    }
    localconfig_set(lc, "self", "done");
    assert_string_equal(localconfig_get(lc, "self"), "done");
}

static void typed(void **state)
{
    g_autoptr(localconfig) lc = load(*state, NULL);
    static const struct { const char *value; bool want; } cases[] = {
        { "TRUE", true }, { "yes", true }, { "1", true }, { "false", false }, { "0", false }, { "off", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        localconfig_set(lc, "k", cases[i].value);
        assert_int_equal(localconfig_get_bool(lc, "k", !cases[i].want), cases[i].want);
    }
    localconfig_set(lc, "k", "perhaps");
    assert_true(localconfig_get_bool(lc, "k", true));
    localconfig_set(lc, "k", "12x");
    assert_int_equal(localconfig_get_int(lc, "k", 7), 7);
    localconfig_set(lc, "k", "-12");
    assert_int_equal(localconfig_get_int(lc, "k", 7), -12);
}

static void refuses_hostile_files(void **state)
{
    static const char *const cases[] = {
        "<localconfig>",
        "<x/>",
        "<localconfig><key/></localconfig>",
        "nothing",
        "<localconfig><key name=\"\"><value>1</value></key></localconfig>",
        "<localconfig><key name=\"a b\"><value>1</value></key></localconfig>",
        "<localconfig><key name=\"a\"><value>1</value><value>2</value></key></localconfig>",
        "<localconfig><key name=\"a\"><value><value>1</value></value></key></localconfig>",
        "<localconfig><key name=\"a\" more=\"b\"><value>1</value></key></localconfig>",
        "<localconfig><key name=\"a\">1</key></localconfig>",
        "<localconfig><key name=\"a\"><value>&bomb;</value></key></localconfig>",
        "<!DOCTYPE x [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><localconfig><key "
        "name=\"a\"><value>&b;</value></key></localconfig>",
        "<localconfig><key name=\"a\"><value>\xff\xfe</value></key></localconfig>",
        "<localconfig></localconfig><localconfig></localconfig>x",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_true(g_file_set_contents(f->path, cases[i], -1, NULL));
        assert_null(localconfig_load(f->path, &error));
        assert_true(g_error_matches(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_SYNTAX));
        assert_non_null(strstr(error->message, f->path));
    }
    g_autofree char *large = g_strnfill(2 * 1024 * 1024, ' ');
    g_autoptr(GError) error = NULL;
    assert_true(g_file_set_contents(f->path, large, -1, NULL));
    assert_null(localconfig_load(f->path, &error));
    assert_true(g_error_matches(error, LOCALCONFIG_ERROR, LOCALCONFIG_ERROR_READ));
}

static void checks_values(void **state)
{
    assert_true(localconfig_check("a_b-c.d", "any \xc3\xa4\ttext", NULL));
    assert_false(localconfig_check("a b", "x", NULL));
    assert_false(localconfig_check("a", "x\x01", NULL));
    assert_false(localconfig_check("a", "x\xff", NULL));
    assert_true(localconfig_is_secret("ldap_postfix_password"));
    assert_false(localconfig_is_secret("postfix_smtp_sasl_password_maps"));
    assert_true(localconfig_is_protected("zimbra_ldap_password"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(table_is_in_order), TEST(every_default_expands), TEST(missing_file_is_all_defaults),
        TEST(reads_and_writes), TEST(keeps_mode), TEST(two_editors_lose_nothing),
        TEST(other_spellings_are_one_key), TEST(expands), TEST(typed), TEST(refuses_hostile_files), TEST(checks_values),
    };
    return cmocka_run_group_tests_name("localconfig", tests, NULL, NULL);
}
