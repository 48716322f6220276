#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/directory/private.h"

static entry *config(void)
{
    entry *e = entry_new("cn=config,cn=zimbra");
    entry_add_value(e, "objectClass", "zimbraGlobalConfig");
    entry_add_value(e, "zimbraMtaRestriction", "reject_invalid_helo_hostname");
    entry_add_value(e, "zimbraMtaRestriction", "reject_non_fqdn_sender");
    entry_add_value(e, "zimbraMtaMaxMessageSize", "10240000");
    entry_finish(e);
    return e;
}

/* "op attr=value,value;…" of the modifications. */
static char *text_of(modlist *m)
{
    static const char *const ops[] = {
        [LDAP_MOD_ADD] = "add", [LDAP_MOD_DELETE] = "delete", [LDAP_MOD_REPLACE] = "replace"
    };
    GString *s = g_string_new(NULL);
    for (LDAPMod **a = mods_array(m); *a; a++) {
        g_string_append_printf(s, "%s %s=", ops[(*a)->mod_op & ~LDAP_MOD_BVALUES], (*a)->mod_type);
        for (struct berval **v = (*a)->mod_bvalues; v && *v; v++)
            g_string_append_printf(s, "%s%.*s", v == (*a)->mod_bvalues ? "" : ",", (int) (*v)->bv_len, (*v)->bv_val);
        g_string_append_c(s, ';');
    }
    return g_string_free(s, FALSE);
}

static const struct test_case { const char *attrs[6]; const char *want, *error; } cases[] = {
    { { "zimbraMtaMaxMessageSize", "20480000" }, "replace zimbraMtaMaxMessageSize=20480000;", NULL },
    { { "zimbramtamaxmessagesize", "5" }, "replace zimbraMtaMaxMessageSize=5;", NULL },
    { { "zimbraMtaRestriction", "a", "zimbraMtaRestriction", "b c" }, "replace zimbraMtaRestriction=a,b c;", NULL },
    { { "zimbraMtaRestriction", "" }, "replace zimbraMtaRestriction=;", NULL },
    { { "zimbraDefaultDomainName", "" }, "", NULL },
    { { "+zimbraMtaRestriction", "x" }, "add zimbraMtaRestriction=x;", NULL },
    { { "+zimbraMtaRestriction", "REJECT_non_fqdn_sender" }, "", NULL },
    { { "-zimbraMtaRestriction", "REJECT_non_fqdn_sender" },
      "delete zimbraMtaRestriction=reject_non_fqdn_sender;",
      NULL },
    { { "-zimbraMtaRestriction", "unknown" }, "", NULL },
    { { "-zimbraMtaRestriction", "" }, "delete zimbraMtaRestriction=;", NULL },
    { { "+zimbraMtaRestriction", "x", "-zimbraMtaRestriction", "reject_non_fqdn_sender" },
      "add zimbraMtaRestriction=x;delete zimbraMtaRestriction=reject_non_fqdn_sender;",
      NULL },
    { { "+zimbraMtaRestriction", "x", "+zimbraMtaRestriction", "x" }, "add zimbraMtaRestriction=x;", NULL },
    { { "-zimbraMtaMaxMessageSize", "10240000" }, "delete zimbraMtaMaxMessageSize=10240000;", NULL },
    { { "zimbraMailPurgeSleepInterval", "1m" }, "replace zimbraMailPurgeSleepInterval=1m;", NULL },
    { { "zimbraReverseProxyLookupTarget", "true" }, "replace zimbraReverseProxyLookupTarget=TRUE;", NULL },
    { { "zimbraMtaMaxMessageSize", "1", "zimbraMtaMaxMessageSize", "2" }, NULL, "one value only" },
    { { "+zimbraMtaMaxMessageSize", "1" }, NULL, "one value only" },
    { { "+zimbraMtaRestriction", "" }, NULL, "empty" },
    { { "zimbraNoSuchThing", "1" }, NULL, "no attribute of this name" },
    { { "zimbraMtaMaxMessageSize", "large" }, NULL, "zimbraMtaMaxMessageSize" },
    { { "zimbraReverseProxyLookupTarget", "maybe" }, NULL, "zimbraReverseProxyLookupTarget" },
    { { "zimbraAccountStatus", "active" }, NULL, "not an attribute of a global config" },
    { { "objectClass", "x" }, NULL, "not changed by itself" },
    { { "zimbraCreateTimestamp", "20200101000000Z" }, NULL, "cannot be changed" },
};

static void of_an_administrator(void **state)
{
    g_autoptr(entry) e = config();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        attr_change changes[3];
        size_t n = 0;
        for (; n < 3 && cases[i].attrs[2 * n]; n++)
            changes[n] = (attr_change) { (char *) cases[i].attrs[2 * n], (char *) cases[i].attrs[2 * n + 1] };
        g_autoptr(modlist) m = mods_new();
        g_autoptr(GError) error = NULL;
        bool ok = mods_of_changes(m, e, ENTRY_GLOBAL_CONFIG, changes, n, false, &error);
        if (cases[i].error) {
            assert_false(ok);
            assert_true(g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_INVALID));
            assert_non_null(strstr(error->message, cases[i].error));
            continue;
        }
        assert_true(ok);
        g_autofree char *text = text_of(m);
        assert_string_equal(text, cases[i].want);
        assert_int_equal(mods_empty(m), !*cases[i].want);
    }
}

static void of_the_system(void **state)
{
    g_autoptr(entry) e = config();
    g_autoptr(modlist) m = mods_new();
    const attr_change change = { (char *) "+zimbraAuthTokenKey", (char *) "0:1:ab" };
    assert_true(mods_of_changes(m, e, ENTRY_GLOBAL_CONFIG, &change, 1, true, NULL));
    g_autofree char *text = text_of(m);
    assert_string_equal(text, "add zimbraAuthTokenKey=0:1:ab;");
}

static void passwords_only_hashed(void **state)
{
    static const struct { const char *value; bool ok; } passwords[] = {
        { "{SSHA}abc", true }, { "plain", false }, { "{open", false }, { "", true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(passwords); i++) {
        g_autoptr(modlist) m = mods_new();
        const attr_change change = { (char *) "userPassword", (char *) passwords[i].value };
        assert_int_equal(mods_of_changes(m, NULL, ENTRY_ACCOUNT, &change, 1, false, NULL), passwords[i].ok);
    }
}

static void defaults_do_not_override(void **state)
{
    g_autoptr(modlist) m = mods_new();
    const attr_change change = { (char *) "zimbraAccountStatus", (char *) "locked" };
    assert_true(mods_of_changes(m, NULL, ENTRY_ACCOUNT, &change, 1, false, NULL));
    mods_default(m, "zimbraAccountStatus", "active");
    mods_default(m, "zimbraMailStatus", "enabled");
    mods_identity(m);
    assert_string_equal(mods_value(m, "zimbraaccountstatus"), "locked");
    assert_string_equal(mods_value(m, "zimbraMailStatus"), "enabled");
    assert_true(directory_is_id(mods_value(m, "zimbraId")));
    assert_int_equal(strlen(mods_value(m, "zimbraCreateTimestamp")), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_an_administrator), cmocka_unit_test(of_the_system), cmocka_unit_test(passwords_only_hashed),
        cmocka_unit_test(defaults_do_not_override),
    };
    return cmocka_run_group_tests_name("directory-changes", tests, NULL, NULL);
}
