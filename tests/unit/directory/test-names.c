#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/directory/private.h"

static void addresses(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "joe@example.com", "joe@example.com" },
        { "Joe.Doe@EXAMPLE.Com", "joe.doe@example.com" },
        { "o'neil+tag@a-b.example", "o'neil+tag@a-b.example" },
        { "user@b\xc3\xbc"
          "cher.example",
          "user@xn--bcher-kva.example" },
        { "joe", NULL },
        { "@example.com", NULL },
        { "joe@", NULL },
        { ".joe@example.com", NULL },
        { "joe.@example.com", NULL },
        { "j..oe@example.com", NULL },
        { "joe doe@example.com", NULL },
        { "joe@example..com", NULL },
        { "joe@-a.com", NULL },
        { "joe@a-.com", NULL },
        { "joe@exa mple.com", NULL },
        { "joe@example.com\n", NULL },
        { "a@b@example.com", NULL },
        { "\"joe\"@example.com", NULL },
        { "joe,x@example.com", NULL },
        { "joe@[10.0.0.1]", NULL },
        { "j\xc3\xb6@example.com", NULL },
        { "joe@exam_ple.com", NULL },
        { "j(oe)@example.com", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *out = directory_normalise_address(cases[i].in, &error);
        if (cases[i].out)
            assert_string_equal(out, cases[i].out);
        else
            assert_null(out);
        assert_int_equal(error != NULL, cases[i].out == NULL);
    }
}

static void lengths(void **state)
{
    g_autofree char *local = g_strnfill(64, 'a'), *longer = g_strnfill(65, 'a'), *label = g_strnfill(63, 'b');
    g_autofree char *fits = g_strdup_printf("%s@%s.com", local, label),
                    *too_long = g_strdup_printf("%s@example.com", longer);
    g_autofree char *label_too_long = g_strdup_printf("x@b%s.com", label);
    g_autofree char *domain_too_long = g_strdup_printf("x@%s.%s.%s.%s.com", label, label, label, label);
    g_autofree char *address_too_long = g_strdup_printf("%s@%s.%s.%s.com", local, label, label, label);
    char *const bad[] = { too_long, label_too_long, domain_too_long, address_too_long };
    g_autofree char *out = directory_normalise_address(fits, NULL);
    assert_string_equal(out, fits);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(directory_normalise_address(bad[i], NULL));
}

static void dns(void **state)
{
    static const struct { const char *address, *dn; } cases[] = {
        { "joe@example.com", "uid=joe,ou=people,dc=example,dc=com" },
        { "Joe@Mail.Example.com", "uid=joe,ou=people,dc=mail,dc=example,dc=com" },
        { "a=b+c#d@x.org", "uid=a\\=b\\+c#d,ou=people,dc=x,dc=org" },
        { "zimbra", "uid=zimbra,cn=admins,cn=zimbra" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *dn = directory_account_dn(cases[i].address);
        assert_string_equal(dn, cases[i].dn);
    }
}

static void escapes(void **state)
{
    static const struct { const char *in, *filter, *dn; } cases[] = {
        { "plain", "plain", "plain" },
        { "a*(b)\\c", "a\\2a\\28b\\29\\5cc", "a*(b)\\\\c" },
        { " x ", " x ", "\\ x\\ " },
        { "#a,b+c\"d<e>f;g=h", "#a,b+c\"d<e>f;g=h", "\\#a\\,b\\+c\\\"d\\<e\\>f\\;g\\=h" },
        { "a\nb", "a\\0ab", "a\\0ab" },
        { "\xc3\xa4", "\xc3\xa4", "\xc3\xa4" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *filter = directory_escape(cases[i].in), *dn = directory_escape_dn(cases[i].in);
        assert_string_equal(filter, cases[i].filter);
        assert_string_equal(dn, cases[i].dn);
        g_autofree char *full = g_strconcat("cn=", dn, ",dc=example,dc=com", NULL), *back = directory_dn_value(full);
        assert_string_equal(back, cases[i].in);
    }
}

static void parts_of_dns(void **state)
{
    g_autofree char *value = directory_dn_value("uid=a\\,b,ou=people,dc=mail,dc=example,dc=com");
    g_autofree char *domain = directory_dn_domain("uid=a\\,b,ou=people,dc=mail,dc=example,dc=com");
    g_autofree char *parent = directory_dn_parent("uid=a\\,b,ou=people,dc=mail,dc=example,dc=com");
    g_autofree char *top = directory_dn_parent("dc=com");
    assert_string_equal(value, "a,b");
    assert_string_equal(domain, "mail.example.com");
    assert_string_equal(parent, "ou=people,dc=mail,dc=example,dc=com");
    assert_string_equal(top, "");
    assert_null(directory_dn_domain("uid=zimbra,cn=admins,cn=zimbra"));
}

static void ids(void **state)
{
    assert_true(directory_is_id("e00428a1-0c00-11d9-836a-000d93afea2a"));
    assert_true(directory_is_id("f27456a8-0c00-11d9-280a-286d93afea2g"));
    assert_false(directory_is_id("joe@example.com"));
    assert_false(directory_is_id("e00428a1-0c00-11d9-836a_000d93afea2a"));
    assert_false(directory_is_id(""));
}

static void error_names(void **state)
{
    g_autoptr(GError) gone = NULL, here = NULL, plain = NULL;
    directory_no_such(&gone, ENTRY_DOMAIN, "x.org");
    directory_exists(&here, ENTRY_COS, "gold");
    directory_fail(&plain, DIRECTORY_ERROR_UNAVAILABLE, NULL, "away");
    assert_string_equal(directory_error_name(gone), "account.NO_SUCH_DOMAIN");
    assert_string_equal(gone->message, "no such domain: x.org");
    assert_string_equal(directory_error_name(here), "account.COS_EXISTS");
    assert_string_equal(directory_error_name(plain), "ldap.CONNECTION_FAILED");
    g_autoptr(GError) copy = g_error_copy(gone);
    assert_string_equal(directory_error_name(copy), "account.NO_SUCH_DOMAIN");
}

static void away_is_temporary(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(localconfig) lc = localconfig_load("/nonexistent/localconfig.xml", NULL);
    assert_null(directory_open(lc, DIRECTORY_READ, &error));
    assert_true(g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_UNAVAILABLE));
    assert_non_null(strstr(error->message, "ldap_url"));
    g_clear_error(&error);
    assert_null(directory_open_as(lc, "ldapi://%2Fnonexistent%2Fldapi", NULL, NULL, &error));
    assert_true(g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_UNAVAILABLE));
    g_clear_error(&error);
    assert_null(directory_open_as(lc, "ldap://127.0.0.1:1", "uid=zimbra", "", &error));
    assert_true(g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_DENIED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),   cmocka_unit_test(lengths),           cmocka_unit_test(dns),
        cmocka_unit_test(escapes),     cmocka_unit_test(parts_of_dns),      cmocka_unit_test(ids),
        cmocka_unit_test(error_names), cmocka_unit_test(away_is_temporary),
    };
    return cmocka_run_group_tests_name("directory-names", tests, NULL, NULL);
}
