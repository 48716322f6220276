#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "lib/auth/wire.h"

static GByteArray *sample(void)
{
    auth_message m = { .op = AUTH_OP_LOGIN, .id = 0x1122334455667788, .status = AUTH_WIRE_REQUEST };
    m.field[AUTH_F_PROTOCOL] = "imap";
    m.field[AUTH_F_USER] = "alice@example.com";
    m.field[AUTH_F_PASSWORD] = "p\xc3\xa4ss\tword\n";
    m.field[AUTH_F_CLIENT_IP] = "";
    return auth_wire_encode(&m);
}

static void round_trip(void **state)
{
    GByteArray *b = sample();
    auth_message m;
    assert_int_equal(auth_wire_decode(b->data, b->len, &m), 0);
    assert_int_equal(m.op, AUTH_OP_LOGIN);
    assert_true(m.id == 0x1122334455667788);
    assert_int_equal(m.status, AUTH_WIRE_REQUEST);
    assert_string_equal(m.field[AUTH_F_PASSWORD], "p\xc3\xa4ss\tword\n");
    assert_string_equal(m.field[AUTH_F_CLIENT_IP], "");
    assert_null(m.field[AUTH_F_ADDRESS]);
    auth_wire_free(b);
}

static void every_field_at_its_limit(void **state)
{
    auth_message m = { .op = AUTH_OP_TICKET };
    char *full[AUTH_F_MAX];
    for (auth_field f = 0; f < AUTH_F_MAX; f++)
        m.field[f] = full[f] = g_strnfill(auth_wire_limit(f), 'x');
    GByteArray *b = auth_wire_encode(&m);
    assert_non_null(b);
    assert_true(b->len <= AUTH_WIRE_MAX);
    auth_message back;
    assert_int_equal(auth_wire_decode(b->data, b->len, &back), 0);
    for (auth_field f = 0; f < AUTH_F_MAX; f++) {
        assert_string_equal(back.field[f], full[f]);
        g_autofree char *longer = g_strconcat(full[f], "x", NULL);
        m.field[f] = longer;
        assert_null(auth_wire_encode(&m));
        m.field[f] = full[f];
    }
    auth_wire_free(b);
    for (auth_field f = 0; f < AUTH_F_MAX; f++)
        g_free(full[f]);
}

static void every_cut_is_noticed_or_on_a_border(void **state)
{
    GByteArray *b = sample();
    unsigned good = 0;
    for (guint n = 0; n < b->len; n++) {
        auth_message m;
        good += auth_wire_decode(b->data, n, &m) == 0;
    }
    assert_int_equal(good, 4);   /* head alone and behind the first three fields */
    auth_wire_free(b);
}

static void broken_messages(void **state)
{
#define HEAD "ZA\1\1" "\0\0\0\0\0\0\0\1" "\xff"
    static const struct { const char *bytes; size_t len; int r; } cases[] = {
#define CASE(s, r) { s, sizeof(s) - 1, r }
        CASE("", -EBADMSG),
        CASE(HEAD, 0),
        CASE("ZB\1\1" "\0\0\0\0\0\0\0\1" "\xff", -EBADMSG),          /* magic */
        CASE("ZA\2\1" "\0\0\0\0\0\0\0\1" "\xff", -EBADMSG),          /* version */
        CASE("ZA\1\0" "\0\0\0\0\0\0\0\1" "\xff", -EBADMSG),          /* no such op */
        CASE("ZA\1\5" "\0\0\0\0\0\0\0\1" "\xff", -EBADMSG),
        CASE(HEAD "\0\0\4imap\0", 0),
        CASE(HEAD "\0\0\4imap", -EBADMSG),                           /* NUL missing */
        CASE(HEAD "\0\0\4im\0p\0", -EBADMSG),                        /* NUL inside */
        CASE(HEAD "\0\0\5imap\0", -EBADMSG),
        CASE(HEAD "\0\xff\xffimap\0", -EBADMSG),                     /* length beyond the end */
        CASE(HEAD "\0\0\4imap\0" "\0\0\4imap\0", -EBADMSG),          /* twice */
        CASE(HEAD "\0\0\21aaaaaaaaaaaaaaaaa\0", -EBADMSG),           /* 17 > 16 */
        CASE(HEAD "\x70\0\1x\0", 0),                                 /* unknown tag */
        CASE(HEAD "\0\0", -EBADMSG),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        auth_message m;
        assert_int_equal(auth_wire_decode(cases[i].bytes, cases[i].len, &m), cases[i].r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_field_at_its_limit),
        cmocka_unit_test(every_cut_is_noticed_or_on_a_border),
        cmocka_unit_test(broken_messages),
    };
    return cmocka_run_group_tests_name("auth-wire", tests, NULL, NULL);
}
