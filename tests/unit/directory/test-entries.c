#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/directory/private.h"

/* DN, then attribute, value pairs up to NULL. */
static entry *make(const char *dn, ...)
{
    entry *e = entry_new(dn);
    va_list ap;
    va_start(ap, dn);
    for (const char *attr; (attr = va_arg(ap, const char *)) != NULL; )
        entry_add_value(e, attr, va_arg(ap, const char *));
    va_end(ap);
    entry_finish(e);
    return e;
}

static entry *config(void)
{
    return make("cn=config,cn=zimbra", "objectClass", "zimbraGlobalConfig", "zimbraMtaMaxMessageSize", "10",
                "zimbraLmtpBindPort", "7025", "zimbraDomainStatus", "active", "zimbraGalMaxResults", "100", NULL);
}

static void kinds_and_names(void **state)
{
    static const struct { const char *dn, *object_class; entry_kind kind; const char *name; } cases[] = {
        { "cn=config,cn=zimbra", "zimbraGlobalConfig", ENTRY_GLOBAL_CONFIG, "config" },
        { "cn=mail.x.org,cn=servers,cn=zimbra", "zimbraServer", ENTRY_SERVER, "mail.x.org" },
        { "cn=gold,cn=cos,cn=zimbra", "zimbraCOS", ENTRY_COS, "gold" },
        { "dc=x,dc=org", "zimbraDomain", ENTRY_DOMAIN, "x.org" },
        { "uid=joe,ou=people,dc=x,dc=org", "zimbraAccount", ENTRY_ACCOUNT, "joe@x.org" },
        { "uid=zimbra,cn=admins,cn=zimbra", "zimbraAccount", ENTRY_ACCOUNT, "zimbra" },
        { "uid=j,ou=people,dc=x,dc=org", "zimbraAlias", ENTRY_ALIAS, "j@x.org" },
        { "uid=team,ou=people,dc=x,dc=org", "ZIMBRADISTRIBUTIONLIST", ENTRY_DISTRIBUTION_LIST, "team@x.org" },
        { "cn=grp,cn=groups,dc=x,dc=org", "zimbraGroup", ENTRY_DYNAMIC_GROUP, "grp@x.org" },
        { "ou=people,dc=x,dc=org", "organizationalRole", ENTRY_OTHER, "people" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(entry) e = make(cases[i].dn, "objectClass", "top", "objectClass", cases[i].object_class, NULL);
        assert_int_equal(entry_get_kind(e), cases[i].kind);
        assert_string_equal(entry_name(e), cases[i].name);
    }
    g_autoptr(entry) resource = make("uid=room,ou=people,dc=x,dc=org", "objectClass", "zimbraAccount", "objectClass",
                                     "zimbraCalendarResource", NULL);
    assert_int_equal(entry_get_kind(resource), ENTRY_CALENDAR_RESOURCE);
}

static void server_inherits(void **state)
{
    g_autoptr(entry) global = config();
    g_autoptr(entry) server =
        make("cn=s,cn=servers,cn=zimbra", "objectClass", "zimbraServer", "zimbraServiceHostname", "s", NULL);
    entry_set_parents(server, NULL, NULL, global);
    assert_string_equal(entry_get(server, "zimbraLmtpBindPort"), "7025");
    assert_int_equal(entry_get_int(server, "zimbralmtpbindport", 0), 7025);
    assert_null(entry_get_own(server, "zimbraLmtpBindPort"));
    assert_null(entry_get(server, "zimbraGalMaxResults"));  /* a domain's */
    g_autoptr(entry) own =
        make("cn=t,cn=servers,cn=zimbra", "objectClass", "zimbraServer", "zimbraLmtpBindPort", "24", NULL);
    entry_set_parents(own, NULL, NULL, global);
    assert_string_equal(entry_get(own, "zimbraLmtpBindPort"), "24");
}

struct family { entry *global, *domain, *cos, *account; };

static struct family family(void)
{
    struct family f = { .global = config() };
    f.domain = make("dc=x,dc=org", "objectClass", "zimbraDomain", "zimbraDomainName", "x.org", NULL);
    entry_set_parents(f.domain, NULL, NULL, f.global);
    f.cos = make("cn=gold,cn=cos,cn=zimbra", "objectClass", "zimbraCOS", "zimbraId", "cos-id", "zimbraMailQuota", "5",
                 "zimbraPasswordMinLength", "8", "zimbraMailHostPool", "server-id", "zimbraFeatureMailEnabled", "TRUE",
                 NULL);
    f.account = make("uid=joe,ou=people,dc=x,dc=org", "objectClass", "zimbraAccount", "zimbraMailQuota", "7", "mail",
                     "joe@x.org", "mail", "j@x.org", NULL);
    entry_set_parents(f.account, f.cos, f.domain, NULL);
    return f;
}

static void family_free(struct family *f)
{
    entry_unref(f->account);
    entry_unref(f->cos);
    entry_unref(f->domain);
    entry_unref(f->global);
}

static void account_inherits(void **state)
{
    struct family f = family();
    assert_string_equal(entry_get(f.account, "zimbraMailQuota"), "7");
    assert_string_equal(entry_get(f.account, "zimbraPasswordMinLength"), "8");
    assert_null(entry_get(f.account, "zimbraMailHostPool"));        /* the COS's own business */
    assert_null(entry_get_own(f.account, "zimbraPasswordMinLength"));
    assert_true(entry_get_bool(f.account, "zimbraFeatureMailEnabled", false));
    assert_true(entry_has_value(f.account, "mail", "J@X.org"));
    assert_string_equal(entry_get(f.domain, "zimbraGalMaxResults"), "100");
    assert_string_equal(entry_get(f.domain, "zimbraDomainStatus"), "active");
    family_free(&f);
}

/* The first attribute of the schema that takes the long way. */
static const char *long_way_attr(unsigned also)
{
    size_t n;
    const attr_def *all = schema_attrs(&n);
    for (size_t i = 0; i < n; i++)
        if ((all[i].flags & ATTR_ACCOUNT_COS_DOMAIN_INHERITED) && (all[i].flags & also) == also)
            return all[i].name;
    return NULL;
}

static void account_inherits_from_domain(void **state)
{
    const char *attr = long_way_attr(0), *through_all = long_way_attr(ATTR_DOMAIN_INHERITED);
    assert_non_null(attr);
    g_autoptr(entry) global =
        make("cn=config,cn=zimbra", "objectClass", "zimbraGlobalConfig", through_all ? through_all : "cn", "G", NULL);
    g_autoptr(entry) domain = make("dc=x,dc=org", "objectClass", "zimbraDomain", attr, "D", NULL);
    entry_set_parents(domain, NULL, NULL, global);
    g_autoptr(entry) cos = make("cn=c,cn=cos,cn=zimbra", "objectClass", "zimbraCOS", NULL);
    g_autoptr(entry) account = make("uid=joe,ou=people,dc=x,dc=org", "objectClass", "zimbraAccount", NULL);
    entry_set_parents(account, cos, domain, NULL);
    assert_string_equal(entry_get(account, attr), "D");
    if (through_all && !g_str_equal(attr, through_all))
        assert_string_equal(entry_get(account, through_all), "G");
    g_autoptr(entry) cos2 = make("cn=c,cn=cos,cn=zimbra", "objectClass", "zimbraCOS", attr, "C", NULL);
    g_autoptr(entry) account2 = make("uid=joe,ou=people,dc=x,dc=org", "objectClass", "zimbraAccount", NULL);
    entry_set_parents(account2, cos2, domain, NULL);
    assert_string_equal(entry_get(account2, attr), "C");
}

static void lists_attributes(void **state)
{
    struct family f = family();
    g_autofree const char **own = entry_attrs(f.account, false), **all = entry_attrs(f.account, true);
    g_autofree char *own_text = g_strjoinv(" ", (char **) own), *all_text = g_strjoinv(" ", (char **) all);
    assert_string_equal(own_text, "mail objectClass zimbraMailQuota");
    assert_string_equal(all_text, "mail objectClass zimbraFeatureMailEnabled zimbraMailQuota zimbraPasswordMinLength");
    family_free(&f);
}

static void typed_fallbacks(void **state)
{
    g_autoptr(entry) e = make("cn=x", "zimbraMailQuota", "many", "zimbraFeatureMailEnabled", "perhaps", NULL);
    assert_int_equal(entry_get_int(e, "zimbraMailQuota", 3), 3);
    assert_true(entry_get_bool(e, "zimbraFeatureMailEnabled", true));
    assert_null(entry_get(e, "no such"));
    assert_null(entry_get_all(e, "no such")[0]);
    assert_null(entry_id(e));
}

static void password_rules(void **state)
{
    g_autoptr(entry) cos = make("cn=c,cn=cos,cn=zimbra", "objectClass", "zimbraCOS", "zimbraPasswordMinLength", "6",
                                "zimbraPasswordMaxLength", "10", "zimbraPasswordMinUpperCaseChars", "1",
                                "zimbraPasswordMinNumericChars", "1", "zimbraPasswordMinPunctuationChars", "1", NULL);
    g_autoptr(entry) account = make("uid=joe,ou=people,dc=x,dc=org", "objectClass", "zimbraAccount", NULL);
    entry_set_parents(account, cos, NULL, NULL);
    static const struct { const char *password, *rule; } cases[] = {
        { "Abc-12", NULL }, { "A-1", "too short" }, { "Abcdefgh-12", "too long" }, { "abc-12", "upper case" },
        { "Abcdef-", "digits" }, { "Abcdef12", "punctuation" }, { "\xc3\x84" "bc-1\xc3\xa4", NULL },
        { "\xc3\x84" "-1ab", "too short" }, { "A\xff-1234", "UTF-8" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_int_equal(directory_check_password(account, cases[i].password, &error), cases[i].rule == NULL);
        if (cases[i].rule)
            assert_non_null(strstr(error->message, cases[i].rule));
    }
    g_autofree char *composed = directory_normalise_password("a\xcc\x88");
    assert_string_equal(composed, "\xc3\xa4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_names),  cmocka_unit_test(server_inherits),
        cmocka_unit_test(account_inherits), cmocka_unit_test(account_inherits_from_domain),
        cmocka_unit_test(lists_attributes), cmocka_unit_test(typed_fallbacks),
        cmocka_unit_test(password_rules),
    };
    return cmocka_run_group_tests_name("directory-entries", tests, NULL, NULL);
}
