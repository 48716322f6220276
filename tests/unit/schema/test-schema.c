#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/schema/schema.h"

static void table_is_sorted_and_whole(void **state)
{
    size_t n;
    const attr_def *all = schema_attrs(&n);
    assert_int_equal(n, 1302);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            assert_true(g_ascii_strcasecmp(all[i - 1].name, all[i].name) < 0);
        assert_ptr_equal(schema_attr(all[i].name), &all[i]);
        assert_true((all[i].oid == NULL) == ((all[i].flags & ATTR_STANDARD) != 0));
    }
}

static void finds_any_case_and_other_spellings(void **state)
{
    static const struct { const char *asked, *found; } cases[] = {
        { "ZIMBRAMAILQUOTA", "zimbraMailQuota" }, { "dkimkey", "DKIMKey" }, { "cn", "cn" },
        { "zimbraPrefCalendarApptAllowAttendeeEdit", "zimbraPrefCalendarApptAllowAtendeeEdit" },
        { "zimbraInboundSmtpHostname", "zimbraDNSCheckHostname" }, { "surname", "sn" },
        { "zimbraNoSuchThing", NULL }, { "", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const attr_def *a = schema_attr(cases[i].asked);
        if (cases[i].found)
            assert_string_equal(a->name, cases[i].found);
        else
            assert_null(a);
    }
}

static void rows_carry_what_is_declared(void **state)
{
    const attr_def *quota = schema_attr("zimbraMailQuota");
    assert_string_equal(quota->oid, "1.3.6.1.4.1.19348.2.1.16");
    assert_int_equal(quota->type, ATTR_LONG);
    assert_true(quota->flags & ATTR_ACCOUNT_INHERITED);
    assert_int_equal(quota->classes & (CLASS_ACCOUNT | CLASS_COS), CLASS_ACCOUNT | CLASS_COS);

    const attr_def *restriction = schema_attr("zimbraMtaRestriction");
    assert_true(restriction->flags & ATTR_MULTI);
    assert_true(g_strv_contains(restriction->global_default, "reject_non_fqdn_helo_hostname"));

    assert_string_equal(schema_attr("zimbraMailSignatureMaxLength")->cos_default[0], "1024");
    assert_string_equal(schema_attr("zimbraFeatureGalEnabled")->external_cos_default[0], "FALSE");
    assert_true(schema_attr("zimbraAuthTokenKey")->flags & ATTR_SECRET);
    assert_true(schema_attr("zimbraMailStatus")->classes & CLASS_DISTRIBUTION_LIST);
    assert_int_equal(schema_attr("zimbraId")->required & CLASS_ACCOUNT, CLASS_ACCOUNT);
    assert_int_equal(schema_attr("DKIMKey")->required, 0);
    assert_string_equal(schema_attr("zimbraReverseProxyMailHostQuery")->global_default[0],
                        "(|(zimbraMailDeliveryAddress=${USER})(zimbraMailAlias=${USER})(zimbraId=${USER}))");
}

/* Every default stands the check that an administrator's value must pass. */
static void defaults_are_valid(void **state)
{
    size_t n;
    const attr_def *all = schema_attrs(&n);
    for (size_t i = 0; i < n; i++) {
        const char *const *lists[] = { all[i].global_default, all[i].cos_default, all[i].external_cos_default };
        for (size_t k = 0; k < G_N_ELEMENTS(lists); k++) {
            for (const char *const *v = lists[k]; v && *v; v++) {
                g_autoptr(GError) error = NULL;
                g_autofree char *stored = NULL;
                if (!schema_check_value(&all[i], *v, &stored, &error))
                    fail_msg("%s", error->message);
                assert_string_equal(stored, *v);
            }
        }
    }
}

static void checks_values(void **state)
{
    static const struct { const char *attr, *value, *stored; } cases[] = {
        { "zimbraMailQuota", "100M", "104857600" }, { "zimbraMailQuota", "2k", "2048" },
        { "zimbraMailQuota", "1G", "1073741824" }, { "zimbraMailQuota", "10T", NULL },
        { "zimbraMailQuota", "9000000000000G", NULL }, { "zimbraMailQuota", "", "" },
        { "zimbraLogToSyslog", "True", "TRUE" }, { "zimbraLogToSyslog", "yes", NULL },
        { "zimbraSpamKillPercent", "75", "75" }, { "zimbraSpamKillPercent", "-1", NULL },
        { "zimbraSpamKillPercent", "75%", NULL }, { "zimbraSpamKillPercent", "99999999999", NULL },
        { "zimbraLmtpBindPort", "65535", "65535" }, { "zimbraLmtpBindPort", "65536", NULL },
        { "zimbraAccountStatus", "ACTIVE", "active" }, { "zimbraAccountStatus", "gone", NULL },
        { "zimbraMailAlias", "a@example.com", "a@example.com" }, { "zimbraMailAlias", "a@", NULL },
        { "zimbraMailAlias", "a b@example.com", NULL }, { "zimbraMailAlias", "a@b@example.com", NULL },
        { "zimbraMailAlias", "a@x..y", NULL },
        { "zimbraPrefMailForwardingAddress", "a@b.c, Joe <d@e.f>", "a@b.c, Joe <d@e.f>" },
        { "zimbraPrefMailForwardingAddress", "a@b.c, nobody", NULL },
        { "zimbraMailTrashLifetime", "30d", "30d" }, { "zimbraMailTrashLifetime", "30 days", NULL },
        { "zimbraMailCatchAllAddress", "@example.com", "@example.com" },
        { "zimbraMailCatchAllAddress", "x@example.com", NULL },
        { "zimbraPrefOutOfOfficeFromDate", "20130301120000Z", "20130301120000Z" },
        { "zimbraPrefOutOfOfficeFromDate", "20131301120000Z", NULL },
        { "zimbraPrefOutOfOfficeFromDate", "2013030112Z", "2013030112Z" },
        { "zimbraPrefOutOfOfficeFromDate", "20130301120000.5Z", "20130301120000.5Z" },
        { "zimbraPrefOutOfOfficeFromDate", "2013-03-01", NULL },
        { "zimbraCalResContactPhone", "+49 (30) 123", "+49 (30) 123" },
        { "zimbraCalResContactPhone", "call me!", NULL },
        { "displayName", "J\303\266rg", "J\303\266rg" }, { "displayName", "J\xf6rg", NULL },
        { "zimbraMtaMyNetworks", "127.0.0.0/8", "127.0.0.0/8" }, { "zimbraMtaMyNetworks", "\303\266", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *stored = NULL;
        bool good = schema_check_value(schema_attr(cases[i].attr), cases[i].value, &stored, &error);
        if (good != (cases[i].stored != NULL))
            fail_msg("%s \"%s\": %s", cases[i].attr, cases[i].value, good ? "accepted" : error->message);
        if (good)
            assert_string_equal(stored, cases[i].stored);
        else
            assert_non_null(strstr(error->message, "allowed: "));
    }
}

static void errors_hide_secrets_and_name_the_allowed(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *stored = NULL;
    assert_false(schema_check_value(schema_attr("zimbraAccountStatus"), "x", &stored, &error));
    assert_non_null(strstr(error->message, "zimbraAccountStatus: \"x\""));
    assert_non_null(strstr(error->message, "maintenance"));
    g_clear_error(&error);

    g_autofree char *key = g_strnfill(5000, 'k');
    assert_false(schema_check_value(schema_attr("zimbraCertAuthorityKeySelfSigned"), key, &stored, &error));
    assert_null(strstr(error->message, "kkkk"));
}

static void reads_durations(void **state)
{
    static const struct { const char *text; gint64 ms; } cases[] = {
        { "30d", G_GINT64_CONSTANT(2592000000) }, { "2h", 7200000 }, { "15m", 900000 }, { "60s", 60000 },
        { "60", 60000 }, { "500ms", 500 }, { "0", 0 }, { "", -EINVAL }, { "-1", -EINVAL }, { "5w", -EINVAL },
        { "99999999999999999999", -EINVAL }, { "9223372036854775807d", -EINVAL }, { "1 m", -EINVAL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(schema_duration_ms(cases[i].text), cases[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sorted_and_whole),
        cmocka_unit_test(finds_any_case_and_other_spellings),
        cmocka_unit_test(rows_carry_what_is_declared),
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(checks_values),
        cmocka_unit_test(errors_hide_secrets_and_name_the_allowed),
        cmocka_unit_test(reads_durations),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
