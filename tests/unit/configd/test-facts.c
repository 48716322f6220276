/* Tables of values, their text form, and what is derived from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "configd/derived.h"
#include "configd/facts.h"

#define VAR TEMPLATE_VAR
static const char *const networks[] = { "127.0.0.0/8", "192.0.2.7/32", NULL };

static char *joined(const facts *f, const char *key)
{
    const char *const *values = facts_get(f, VAR, key);
    return values ? g_strjoinv("|", (char **) values) : g_strdup("(none)");
}

static void derives(void **state)
{
    static const struct { const char *in, *key, *out; } cases[] = {
        { "", "zimbraLocalBindAddress", "127.0.0.1" },
        { "VAR zimbraIPMode ipv6", "zimbraLocalBindAddress", "::1" },
        { "VAR zimbraIPMode both", "zimbraPostconfProtocol", "all" },
        { "VAR zimbraIPMode ipv4", "zimbraAmavisListenSockets", "127.0.0.1:10024|127.0.0.1:10026|127.0.0.1:10032" },
        { "VAR zimbraIPMode ipv6", "zimbraInetMode", "inet6" },
        { "VAR zimbraSpamTagPercent 33", "zimbraSpamTagScore", "6.6" },
        { "VAR zimbraSpamKillPercent 75", "zimbraSpamKillScore", "15" },
        { "VAR zimbraSpamTagPercent 50", "zimbraSpamTagScore", "10" },
        { "VAR zimbraSpamKillPercent 90", "zimbraSpamKillScore", "18" },
        { "VAR zimbraSpamKillPercent x", "zimbraSpamKillScore", "(none)" },
        { "VAR zimbraMtaRestriction reject_invalid_helo_hostname\nVAR zimbraMtaRestriction reject_rbl_client zen.example.net\n"
          "VAR zimbraMtaRestriction reject_rhsbl_sender  dbl.example.net",
          "zimbraMtaRestriction", "reject_invalid_helo_hostname" },
        { "VAR zimbraMtaRestriction reject_rbl_client zen.example.net\nVAR zimbraMtaRestriction reject_rbl_client b.example.net",
          "zimbraMtaRestrictionRBLs", "zen.example.net|b.example.net" },
        { "VAR zimbraMtaRestriction a reject_rbl_client z.example b", "zimbraMtaRestriction", "a b" },
        { "VAR zimbraMtaRestriction reject_rhsbl_sender d.example", "zimbraMtaRestrictionRHSBLSs", "d.example" },
        { "", "zimbraMtaMyNetworks", "127.0.0.0/8|192.0.2.7/32" },
        { "VAR zimbraMtaMyNetworks 127.0.0.0/8 10.0.0.0/8", "zimbraMtaMyNetworksPerLine", "127.0.0.0/8|10.0.0.0/8" },
        { "VAR zimbraMtaSmtpdMilters inet:a:1\nVAR zimbraMilterServerEnabled TRUE\nVAR zimbraMilterBindPort 7026",
          "zimbraMtaSmtpdMilters", "inet:a:1|inet:127.0.0.1:7026" },
        { "VAR zimbraMilterServerEnabled FALSE", "zimbraMtaSmtpdMilters", "" },
        { "VAR zimbraMilterServerEnabled TRUE\nVAR zimbraMilterBindAddress ::1", "zimbraMtaSmtpdMilters", "inet:[::1]:7026" },
        { "VAR zimbraMtaBlockedExtensionWarnRecipient TRUE", "zimbraQuarantineBannedItems", "FALSE" },
        { "VAR zimbraMtaBlockedExtensionWarnRecipient TRUE\nVAR zimbraAmavisQuarantineAccount q@x", "zimbraQuarantineBannedItems", "TRUE" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(facts) f = facts_parse("case", cases[i].in, NULL);
        assert_non_null(f);
        derived_compute(f, networks);
        g_autofree char *out = joined(f, cases[i].key);
        assert_string_equal(out, cases[i].out);
    }
}

static void names_differences(void **state)
{
    g_autoptr(facts) a = facts_parse("a", "VAR same x\nVAR gone y\nVAR many 1\nVAR many 2\nSERVICE mta\n", NULL);
    g_autoptr(facts) b = facts_parse("b", "VAR same x\nVAR new z\nVAR many 1\nVAR many 3\nLOCAL key v\n", NULL);
    g_autoptr(GHashTable) changed = facts_diff(a, b);
    static const char *const expected[] = { "VAR:gone", "VAR:new", "VAR:many", "SERVICE:mta", "LOCAL:key" };
    assert_int_equal(g_hash_table_size(changed), G_N_ELEMENTS(expected));
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_true(g_hash_table_contains(changed, expected[i]));
    g_autoptr(GHashTable) all = facts_diff(NULL, a);
    assert_int_equal(g_hash_table_size(all), 4);
}

static void survives_its_text_form(void **state)
{
    g_autoptr(facts) f = facts_new();
    static const char *const values[] = { "plain", "two words ", "line\nbreak\r", "back\\slash\\n", "", NULL };
    static const char *const none[] = { NULL };
    facts_set(f, VAR, "list", values);
    facts_set(f, VAR, "empty", none);
    facts_set_one(f, TEMPLATE_SERVICE, "mta", "TRUE");
    g_autofree char *text = facts_print(f, NULL);
    g_autoptr(facts) back = facts_parse("text", text, NULL);
    assert_non_null(back);
    g_autoptr(GHashTable) changed = facts_diff(f, back);
    assert_int_equal(g_hash_table_size(changed), 0);
    g_autoptr(GError) error = NULL;
    assert_null(facts_parse("x", "VAR a b\nnonsense\n", &error));
    assert_non_null(g_strstr_len(error->message, -1, "x:2:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derives), cmocka_unit_test(names_differences), cmocka_unit_test(survives_its_text_form),
    };
    return cmocka_run_group_tests_name("configd-facts", tests, NULL, NULL);
}
