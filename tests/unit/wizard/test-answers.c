#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wizard/answers.h"

#include <glib/gstdio.h>

#define FIRST "[host]\nname = Mail.Example.Test\nservices = ldap, mta,ldap\n" \
              "[domain]\nname = example.test\n[admin]\naddress = admin@example.test\npassword = Correct\\horse\n"
#define JOINING "[host]\nname = back.example.test\nservices = memcached\n" \
                "[directory]\nurl = ldap://front.example.test\n"

static char *folder;

static char *write_file(const char *name, const char *text)
{
    char *path = g_build_filename(folder, name, NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static answers *read_text(const char *text, GError **error)
{
    g_autofree char *path = write_file("answers", text);
    return answers_read(path, error);
}

static void reads_a_first_host(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(answers) a = read_text(FIRST, &error);
    assert_null(error);
    assert_string_equal(a->host_name, "mail.example.test");
    assert_string_equal(a->domain_name, "example.test");
    assert_string_equal(a->admin_password, "Correct\\horse");
    assert_null(a->time_zone);
    assert_true(answers_is_first_host(a));
    assert_int_equal(g_strv_length(a->services), 2);
    assert_true(answers_has_service(a, "mta") && !answers_has_service(a, "mailbox"));

    g_autoptr(answers) other = read_text(FIRST "[time]\nzone=UTC\n", &error);
    assert_null(error);
    assert_string_not_equal(a->digest, other->digest);
}

/* Text after FIRST, or a whole file; the answer that is named and what is said of it. */
static void names_what_is_wrong(void **state)
{
    static const struct { const char *text, *said; } cases[] = {
        { "", "[host] name: missing" },
        { FIRST "[host]\nnmae = x\n", "[host] nmae: unknown key; allowed: name, address, services" },
        { FIRST "[hots]\nname = x\n", "[hots]: unknown section; allowed: host, directory, secrets, domain, admin, console, time" },
        { FIRST "[host]\nname = mail\n", "[host] name = \"mail\" is not valid; allowed: a full host name" },
        { FIRST "[host]\nname = -a.example.test\n", "[host] name" },
        { FIRST "[host]\nservices = ldap,mailbx\n", "mailbox, memcached, proxy" },
        { FIRST "[host]\nservices = ldap,mailbx\n", "\"mailbx\" is none of them" },
        { FIRST "[host]\nservices = zmconfigd,ldap\n", "\"zmconfigd\" is none of them" },
        { FIRST "[host]\nservices =\n", "[host] services" },
        { FIRST "[host]\nservices = mta\n", "the first host must have ldap" },
        { FIRST "[host]\naddress = 10.0.0.300\n", "[host] address = \"10.0.0.300\"" },
        { FIRST "[domain]\nname = example..test\n", "[domain] name" },
        { FIRST "[admin]\naddress = admin@other.test\n", "allowed: an address in [domain] name, example.test" },
        { FIRST "[admin]\naddress = admin\n", "[admin] address = \"admin\"" },
        { FIRST "[admin]\naddress = a b@example.test\n", "[admin] address" },
        { FIRST "[admin]\npassword = short\n", "[admin] password: the value is not valid; allowed: 6 to 64" },
        { FIRST "[time]\nzone = Mars/Olympus\n", "[time] zone = \"Mars/Olympus\"" },
        { FIRST "[time]\nzone = ../etc/passwd\n", "[time] zone" },
        { FIRST "[secrets]\nzimbra_ldap_password = x\n", "[secrets]: only for a host that joins" },
        { FIRST "[directory]\nca = /nowhere\n", "[directory] url: missing" },
        { FIRST "[directory]\nurl = ldap://front.example.test\n", "ldap is not allowed with [directory] url" },
        { JOINING, "[directory] ca: missing" },
        { JOINING, "[secrets] zimbra_ldap_password: missing" },
        { JOINING "[host]\nservices = proxy\n", "[secrets] ldap_nginx_password: missing" },
        { JOINING "[directory]\nurl = http://x.example.test\n", "[directory] url = \"http://x.example.test\"" },
        { JOINING "[directory]\nca = /dev/null\n", "[directory] ca = \"/dev/null\"" },
        { JOINING "[directory]\nsecrets_file = /nowhere\n", "[directory] secrets_file = \"/nowhere\"" },
        { "no key file", "answers" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(answers) a = read_text(cases[i].text, &error);
        assert_null(a);
        if (!strstr(error->message, cases[i].said))
            fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].said, error->message);
        assert_null(strstr(error->message, "short"));
    }
}

static void lists_every_problem_at_once(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_null(read_text("[host]\nname = x\nservices = y\ncolour = red\n", &error));
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    assert_int_equal(g_strv_length(lines), 6);
}

static void takes_secrets_from_a_file_and_from_the_section(void **state)
{
    g_autofree char *secrets = write_file("localconfig.xml",
        "<localconfig><key name=\"zimbra_ldap_password\"><value>from-file</value></key>"
        "<key name=\"ldap_nginx_password\"><value>nginx</value></key></localconfig>");
    g_autofree char *text = g_strdup_printf(JOINING "secrets_file = %s\nca = /nowhere\n[host]\nservices = proxy\n"
                                            "[secrets]\nzimbra_ldap_password = over\n", secrets);
    g_autoptr(GError) error = NULL;
    assert_null(read_text(text, &error));    /* the CA alone is missing */
    assert_null(strstr(error->message, "secrets"));
    assert_null(strstr(error->message, "\n"));
}

int main(void)
{
    folder = g_dir_make_tmp("answers-XXXXXX", NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_first_host),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(lists_every_problem_at_once),
        cmocka_unit_test(takes_secrets_from_a_file_and_from_the_section),
    };
    int failed = cmocka_run_group_tests_name("wizard-answers", tests, NULL, NULL);
    static const char *const files[] = { "answers", "localconfig.xml" };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i], NULL);
        (void) g_unlink(path);
    }
    (void) g_rmdir(folder);
    g_free(folder);
    return failed;
}
