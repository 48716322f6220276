#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glib.h>

#include "agents/auth/sasl-line.h"

static void lines(void **state)
{
    static const struct { const char *text; int r, verb; uint32_t number; const char *mech, *ip, *response; } cases[] = {
        { "VERSION\t1\t0", 0, SASL_VERSION, 1, NULL, NULL, NULL },
        { "CPID\t4711", 0, SASL_CPID, 4711, NULL, NULL, NULL },
        { "AUTH\t7\tPLAIN\tservice=smtp\tnologin\tlip=10.0.0.1\trip=192.0.2.1\tsecured\tresp=AGEAYg==", 0, SASL_AUTH, 7, "PLAIN", "192.0.2.1", "AGEAYg==" },
        { "AUTH\t7\tLOGIN", 0, SASL_AUTH, 7, "LOGIN", "", NULL },
        { "AUTH\t7\tLOGIN\tresp=", 0, SASL_AUTH, 7, "LOGIN", "", "" },
        { "CONT\t7\tYQ==", 0, SASL_CONT, 7, NULL, NULL, "YQ==" },
        { "CONT\t7\t", 0, SASL_CONT, 7, NULL, NULL, "" },
        { "CONT\t7", 0, SASL_CONT, 7, NULL, NULL, NULL },
        { "CANCEL\t7", 0, SASL_CANCEL, 7, NULL, NULL, NULL },
        { "AUTH\t7", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "AUTH\t7\t", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "AUTH\tseven\tPLAIN", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "AUTH\t-1\tPLAIN", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "AUTH\t4294967296\tPLAIN", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "AUTH", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "CPID", -EBADMSG, 0, 0, NULL, NULL, NULL },
        { "", -ENOENT, 0, 0, NULL, NULL, NULL },
        { "USER\t1\tanna", -ENOENT, 0, 0, NULL, NULL, NULL },
        { "auth\t1\tPLAIN", -ENOENT, 0, 0, NULL, NULL, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i].text);
        sasl_line l = { 0 };
        assert_int_equal(sasl_line_parse(text, &l), cases[i].r);
        if (cases[i].r < 0)
            continue;
        assert_int_equal(l.verb, cases[i].verb);
        assert_int_equal(l.number, cases[i].number);
        assert_int_equal(g_strcmp0(l.response, cases[i].response), 0);
        if (cases[i].mech) {
            assert_string_equal(l.mech, cases[i].mech);
            assert_string_equal(l.client_ip, cases[i].ip);
        }
    }
}

static void plain(void **state)
{
    static const struct { const char *bytes; size_t len; int r; const char *user, *password; } cases[] = {
#define CASE(s, ...) { s, sizeof(s) - 1, __VA_ARGS__ }
        CASE("\0anna\0secret", 0, "anna", "secret"),
        CASE("anna\0anna\0secret", 0, "anna", "secret"),
        CASE("\0anna\0", 0, "anna", ""),
        CASE("bert\0anna\0secret", -EPERM, NULL, NULL),
        CASE("\0\0secret", -EBADMSG, NULL, NULL),
        CASE("\0anna", -EBADMSG, NULL, NULL),
        CASE("anna", -EBADMSG, NULL, NULL),
        CASE("", -EBADMSG, NULL, NULL),
        CASE("\0anna\0sec\0ret", -EBADMSG, NULL, NULL),
        CASE("\0anna\0secret\0", -EBADMSG, NULL, NULL),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *base64 = g_base64_encode((const guchar *) cases[i].bytes, cases[i].len);
        g_autofree char *user = NULL, *password = NULL;
        assert_int_equal(sasl_decode_plain(base64, &user, &password), cases[i].r);
        assert_int_equal(g_strcmp0(user, cases[i].user), 0);
        assert_int_equal(g_strcmp0(password, cases[i].password), 0);
    }
}

static void strict_base64(void **state)
{
    static const char *const bad[] = { "YQ", "YQ=", "YQ===", "Y Q=", "YQ==YQ==", "=", "YQ=a", "!!!!", "YWJj\n", "YQA=YQ==" };
    g_autofree char *text = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(sasl_decode_text(bad[i], &text), -EBADMSG);
    assert_int_equal(sasl_decode_text("YQBi", &text), -EBADMSG);   /* NUL inside */
    assert_int_equal(sasl_decode_text("YQ==", &text), 0);
    assert_string_equal(text, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(plain), cmocka_unit_test(strict_base64) };
    return cmocka_run_group_tests_name("zmauthd-sasl-line", tests, NULL, NULL);
}
