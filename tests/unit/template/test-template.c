/* The directive language of docs/admin/templates.md, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/template/template.h"

#define LIST(...) (const char *const[]) { __VA_ARGS__, NULL }
static const char *const none[] = { NULL };

static const struct { template_source source; const char *key; const char *const *values; } store[] = {
    { TEMPLATE_VAR, "on", LIST("TRUE") },
    { TEMPLATE_VAR, "off", LIST("FALSE") },
    { TEMPLATE_VAR, "host", LIST("node1.example.com") },
    { TEMPLATE_VAR, "nothing", LIST("none") },
    { TEMPLATE_VAR, "empty", none },
    { TEMPLATE_VAR, "blank", LIST("") },
    { TEMPLATE_VAR, "percent", LIST("33") },
    { TEMPLATE_VAR, "many", LIST("a b", "c", "d") },
    { TEMPLATE_VAR, "period", LIST("2h") },
    { TEMPLATE_VAR, "minutes", LIST("30m") },
    { TEMPLATE_VAR, "days", LIST("2d") },
    { TEMPLATE_VAR, "zero", LIST("0") },
    { TEMPLATE_VAR, "evil", LIST("x;\nload_module y;") },
    { TEMPLATE_VAR, "semi", LIST("a; b \"c\" \\") },
    { TEMPLATE_VAR, "dollar", LIST("$mynetworks 'x'") },
    { TEMPLATE_VAR, "port", LIST("10031") },
    { TEMPLATE_LOCAL, "host", LIST("local") },
    { TEMPLATE_LOCAL, "only_local", LIST("ll") },
    { TEMPLATE_LOCAL, "flag", LIST("yes") },
    { TEMPLATE_SERVICE, "antispam", LIST("TRUE") },
    { TEMPLATE_FILE, "postfix/list", LIST("one", "two") },
    { TEMPLATE_FILE, "postfix/empty", none },
};

static const char *const *lookup(template_source source, const char *key, void *data)
{
    for (size_t i = 0; i < G_N_ELEMENTS(store); i++)
        if (store[i].source == source && g_str_equal(store[i].key, key))
            return store[i].values;
    return NULL;
}

static char *render(const char *source, GError **error)
{
    g_autoptr(template) t = template_parse("t.in", source, error);
    return t ? template_render(t, lookup, NULL, error) : NULL;
}

static void renders(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "", "" },
        { "plain 50% a@b %x\n", "plain 50% a@b %x\n" },
        { "no newline", "no newline\n" },
        { "h=%%host%% l=@@host@@ o=%%only_local%%\n", "h=node1.example.com l=local o=ll\n" },
        { "%%%% @@@@\n", "%% @@\n" },
        { "a@@b\n", "a@@b\n" },
        { "%%missing|fall back%%|@@missing|x@@|%%missing|%%\n", "fall back|x|\n" },
        { "%%many%%\n", "a b c d\n" },
        { "%%empty%%.\n", ".\n" },
        /* comment, uncomment */
        { "%%comment VAR:on%%x\n%%comment VAR:off%%x\n%%comment VAR:!on%%x\n", "#x\nx\nx\n" },
        { "%%uncomment VAR:on%%x\n%%uncomment VAR:off%%x\n%%uncomment !VAR:off,//%%x\n", "x\n#x\nx\n" },
        { "%%comment VAR:on,;; %%x\n", ";; x\n" },
        { "%%comment VAR:nothing,#,none,off%%x\n%%comment VAR:host,#,none,off%%x\n", "#x\nx\n" },
        { "%%comment VAR:missing,#,a%%x\n%%uncomment VAR:missing,#,a%%x\n", "#x\nx\n" },
        { "%%comment SERVICE:antispam%%x%%comment SERVICE:mta%%y\n", "#xy\n" },
        /* truth */
        { "%%binary VAR:on%%%%binary VAR:off%%%%binary LOCAL:flag%%\n", "101\n" },
        { "%%truefalse VAR:on%% %%truefalse VAR:missing|FALSE%% %%yesno VAR:!on%%\n", "true false no\n" },
        /* range: (0..20 by 33 %) = 6.6 */
        { "%%range VAR:percent 0 20%% %%range VAR:missing|75 0 20%% %%range VAR:percent -10 10%%\n", "6.6 15 -3.4\n" },
        /* lists */
        { "%%list VAR:many , %%|%%list VAR:empty ,%%|%%list VAR:many \\n\\t%%\n", "a b, c, d||a b\n\tc\n\td\n" },
        { "%%list VAR:missing| ,%%.\n", ".\n" },
        { "%%list FILE:postfix/list , %%\n", "one, two\n" },
        { "%%explode server = VAR:many%%\nend\n", "server = a b\nserver = c\nserver = d\nend\n" },
        { "%%explode x VAR:empty%%\n", "" },
        /* contains, exact */
        { "%%contains VAR:host node%%|%%contains VAR:host node, yes, no%%|%%contains VAR:host zzz, yes, no%%\n", "node|yes|no\n" },
        { "%%contains VAR:host zzz, yes%%.\n", ".\n" },
        { "%%contains VAR:host node^a, b^c%%\n", "a, b\n" },
        { "%%exact VAR:many c, yes, no%%%%exact VAR:many b, yes, no%%\n", "yesno\n" },
        { "%%contains VAR:host node^port %%port%%%%\n", "port 10031\n" },
        { "%%contains VAR:host zzz^port %%port%%^%%percent%%%%\n", "33\n" },
        /* two on one line, not nested */
        { "%%uncomment VAR:on%%%%host%%\n", "node1.example.com\n" },
        { "%%uncomment VAR:on%%h %%host%%\n", "h node1.example.com\n" },
        /* freq: 24 checks a day by period */
        { "%%freq VAR:period 24%% %%freq VAR:minutes 24%% %%freq VAR:days 24%% %%freq VAR:zero 24%%\n", "12 24 1 24\n" },
        /* blocks */
        { "%%if VAR:on%%\na\n%%else%%\nb\n%%fi%%\nc\n", "a\nc\n" },
        { "%%if !VAR:on%%\na\n%%else%%\nb\n%%fi%%\n", "b\n" },
        { "%%if VAR:off%%\na\n%%elif LOCAL:flag%%\nb\n%%else%%\nc\n%%fi%%\n", "b\n" },
        { "  %%if VAR:on%%  \n  %%if VAR:off%%\nx\n%%fi%%\n y\n%%fi%%\n", " y\n" },
        { "%%if VAR:off%%\n%%missing%%\n%%fi%%\nok\n", "ok\n" },
        { "%%if VAR:missing|FALSE%%\nx\n%%fi%%\n", "" },
        { "%%if SERVICE:antispam%%\ns\n%%fi%%\n%%if SERVICE:!mta%%\nnm\n%%fi%%\n", "s\nnm\n" },
        { "%%ifset VAR:host%%\na\n%%fi%%\n%%ifset VAR:blank%%\nb\n%%fi%%\n%%ifset !VAR:missing%%\nc\n%%fi%%\n", "a\nc\n" },
        { "%%ifset VAR:zero%%\nzero is a value\n%%fi%%\n", "zero is a value\n" },
        { "%%ifeq VAR:nothing none%%\na\n%%fi%%\n%%ifeq !VAR:host x y%%\nb\n%%fi%%\n", "a\nb\n" },
        { "%%ifeq VAR:missing|%%\nx\n%%fi%%\n", NULL },
        { "%%if FILE:postfix/list%%\nf\n%%fi%%\n%%if FILE:postfix/empty%%\ne\n%%fi%%\n", "f\n" },
        { "%%# remark %%\nx\n", "x\n" },
        /* quoting */
        { "%%quote nginx VAR:semi%%;\n", "\"a; b \\\"c\\\" \\\\\";\n" },
        { "%%quote perl VAR:dollar%%;\n", "'$mynetworks \\'x\\'';\n" },
        { "%%quote postfix VAR:dollar%%\n", "$$mynetworks 'x'\n" },
        { "%%quote mastercf VAR:host%%\n", "{ node1.example.com }\n" },
        { "%%quote keyfile VAR:semi%%\n", "a\\; b \"c\" \\\\\n" },
        { "%%quotelist perl VAR:many , %%\n", "'a b', 'c', 'd'\n" },
        { "%%syntax nginx%%\n%%host%%\n%%quote nginx VAR:semi%%\n", "node1.example.com\n\"a; b \\\"c\\\" \\\\\"\n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *out = render(cases[i].in, &error);
        if (!cases[i].out) {
            assert_null(out);
            continue;
        }
        if (!out)
            fail_msg("%s -> %s", cases[i].in, error->message);
        assert_string_equal(out, cases[i].out);
    }
}

static void refuses(void **state)
{
    static const struct { const char *in; int code; const char *message; } cases[] = {
        { "x\n%%zimbraMissing%%\n", TEMPLATE_ERROR_MISSING, "t.in:2: zimbraMissing " },
        { "@@gone@@\n", TEMPLATE_ERROR_MISSING, "t.in:1: gone (LOCAL)" },
        { "%%list VAR:missing ,%%\n", TEMPLATE_ERROR_MISSING, "t.in:1: missing (VAR)" },
        { "%%if VAR:missing%%\n%%fi%%\n", TEMPLATE_ERROR_MISSING, "t.in:1: missing" },
        { "%%if VAR:nothing%%\n%%fi%%\n", TEMPLATE_ERROR_VALUE, "t.in:1: nothing: \"none\" is neither" },
        { "%%if VAR:host%%\n%%fi%%\n", TEMPLATE_ERROR_VALUE, "t.in:1: host" },
        { "%%binary VAR:zero%%\n", TEMPLATE_ERROR_VALUE, "t.in:1: zero" },
        { "%%range VAR:host 0 20%%\n", TEMPLATE_ERROR_VALUE, "t.in:1: host: not a number" },
        { "%%freq VAR:host 24%%\n", TEMPLATE_ERROR_VALUE, "host: not a number" },
        { "%%evil%%\n", TEMPLATE_ERROR_VALUE, "t.in:1: evil: a value holds control character 10" },
        { "%%quote nginx VAR:evil%%\n", TEMPLATE_ERROR_VALUE, "evil: a value holds control character" },
        { "%%list VAR:evil \\n%%\n", TEMPLATE_ERROR_VALUE, "evil" },
        { "%%syntax nginx%%\n%%semi%%\n", TEMPLATE_ERROR_VALUE, "t.in:2: semi: a value holds \";\", which nginx text" },
        { "%%syntax perl%%\n'%%dollar%%'\n", TEMPLATE_ERROR_VALUE, "dollar" },
        { "%%syntax words%%\n%%list VAR:many ,%%\n", TEMPLATE_ERROR_VALUE, "many" },
        { "%%quote nginx VAR:dollar%%\n", TEMPLATE_ERROR_VALUE, "dollar: a value cannot be written in nginx" },
        { "a %%host\n", TEMPLATE_ERROR_SYNTAX, "t.in:1: %% without" },
        { "%%if VAR:on%%\n", TEMPLATE_ERROR_SYNTAX, "t.in:1: if without fi" },
        { "%%fi%%\n", TEMPLATE_ERROR_SYNTAX, "t.in:1: fi without if" },
        { "%%else%%\n", TEMPLATE_ERROR_SYNTAX, "else without if" },
        { "%%if VAR:on%%\n%%else%%\n%%else%%\n%%fi%%\n", TEMPLATE_ERROR_SYNTAX, "t.in:3: else after else" },
        { "%%if on%%\n%%fi%%\n", TEMPLATE_ERROR_SYNTAX, "expected VAR:, LOCAL:, SERVICE: or FILE:" },
        { "%%if VAR:on x%%\n%%fi%%\n", TEMPLATE_ERROR_SYNTAX, "after the key" },
        { "%%no such%%\n", TEMPLATE_ERROR_SYNTAX, "neither a directive nor" },
        { "%%list VAR:many%%\n", TEMPLATE_ERROR_SYNTAX, "list: expected" },
        { "%%quote html VAR:many%%\n", TEMPLATE_ERROR_SYNTAX, "quote: expected" },
        { "x %%explode a VAR:many%%\n", TEMPLATE_ERROR_SYNTAX, "explode must be alone" },
        { "%%list FILE:../../etc/passwd ,%%\n", TEMPLATE_ERROR_SYNTAX, "is not a key" },
        { "%%syntax html%%\n", TEMPLATE_ERROR_SYNTAX, "is not known" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *out = render(cases[i].in, &error);
        if (out)
            fail_msg("%s was accepted", cases[i].in);
        if (!g_error_matches(error, TEMPLATE_ERROR, cases[i].code) || !strstr(error->message, cases[i].message))
            fail_msg("%s -> %d %s", cases[i].in, error->code, error->message);
    }
}

static void nests_to_a_limit(void **state)
{
    g_autoptr(GString) deep = g_string_new(NULL);
    for (int i = 0; i < 33; i++)
        g_string_append(deep, "%%if VAR:on%%\n");
    g_autoptr(GError) error = NULL;
    assert_null(template_parse("t.in", deep->str, &error));
    assert_non_null(strstr(error->message, "t.in:33: more than 32 blocks"));
}

static void collect(template_source source, const char *key, void *data)
{
    g_string_append_printf(data, "%d:%s ", source, key);
}

static void names_every_key(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(template) t = template_parse("t.in",
        "%%a%% @@b@@ %%list FILE:f/g , %% %%a%%\n"
        "%%if VAR:c%%\n%%explode x VAR:d%%\n%%elifeq LOCAL:e z%%\n%%contains SERVICE:g TRUE^%%h%%%%\n%%fi%%\n", &error);
    assert_non_null(t);
    g_autoptr(GString) keys = g_string_new(NULL);
    template_each_key(t, collect, keys);
    assert_string_equal(keys->str, "0:a 1:a 1:b 3:f/g 0:c 0:d 1:e 2:g 0:h 1:h ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders), cmocka_unit_test(refuses),
        cmocka_unit_test(nests_to_a_limit), cmocka_unit_test(names_every_key),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
