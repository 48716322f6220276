/* RFC 4533 messages: those a server sends, cut short at every byte, and cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "configd/sync.h"

static struct berval encode(const char *format, ...)
{
    struct berval v;
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    va_list args;
    va_start(args, format);
    int flag = va_arg(args, int);
    const char *cookie = va_arg(args, const char *);
    va_end(args);
    int rc = strchr(format, 's') ? (g_str_has_prefix(format, "{e") ? ber_printf(ber, format, flag, "0123456789abcdef", (ber_len_t) 16, cookie)
                                                                    : ber_printf(ber, format, (ber_tag_t) flag, cookie, 0))
                                 : ber_printf(ber, format, flag, "0123456789abcdef", (ber_len_t) 16);
    assert_true(rc >= 0);
    assert_int_equal(ber_flatten2(ber, &v, 1), 0);
    ber_free(ber, 1);
    return v;
}

static void reads_states(void **state)
{
    for (int s = SYNC_PRESENT; s <= SYNC_DELETE; s++) {
        struct berval v = encode("{eos}", s, "rid=001,csn=1");
        sync_state got;
        g_autofree char *cookie = NULL;
        assert_true(sync_parse_state(&v, &got, &cookie));
        assert_int_equal(got, s);
        assert_string_equal(cookie, "rid=001,csn=1");
        for (ber_len_t n = 0; n < v.bv_len; n++) {
            struct berval cut = { .bv_val = v.bv_val, .bv_len = n };
            char *none = NULL;
            assert_false(sync_parse_state(&cut, &got, &none));
        }
        ber_memfree(v.bv_val);
    }
    struct berval bad = encode("{eo}", 9, NULL), bare = encode("{eo}", 2, NULL);
    sync_state got;
    char *cookie = NULL;
    assert_false(sync_parse_state(&bad, &got, &cookie));
    assert_true(sync_parse_state(&bare, &got, &cookie));
    assert_null(cookie);
    ber_memfree(bad.bv_val);
    ber_memfree(bare.bv_val);
}

static void reads_infos(void **state)
{
    static const struct { const char *bytes; size_t len; const char *cookie; bool done, deleted, present; } cases[] = {
        { "\x80\x03" "a=b", 5, "a=b", false, false, false },
        { "\xa1\x00", 2, NULL, true, false, false },
        { "\xa2\x05\x04\x03" "a=b", 7, "a=b", true, false, true },
        { "\xa2\x08\x04\x03" "a=b" "\x01\x01\x00", 10, "a=b", false, false, true },
        { "\xa3\x05\x01\x01\xff\x31\x00", 7, NULL, false, true, false },
        { "\xa3\x02\x31\x00", 4, NULL, false, false, true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct berval v = { .bv_val = (char *) cases[i].bytes, .bv_len = cases[i].len };
        sync_info info;
        assert_true(sync_parse_info(&v, &info));
        if (cases[i].cookie)
            assert_string_equal(info.cookie, cases[i].cookie);
        else
            assert_null(info.cookie);
        assert_int_equal(info.refresh_done, cases[i].done);
        assert_int_equal(info.deleted_ids, cases[i].deleted);
        assert_int_equal(info.present, cases[i].present);
        sync_info_clear(&info);
    }
    struct berval unknown = { .bv_val = (char *) "\x84\x00", .bv_len = 2 }, empty = { .bv_val = (char *) "", .bv_len = 0 };
    sync_info info;
    assert_false(sync_parse_info(&unknown, &info));
    assert_false(sync_parse_info(&empty, &info));
}

static void reads_cookies(void **state)
{
    static const struct { const char *cookie, *newest; } cases[] = {
        { "rid=001,csn=20260101000000.000000Z#000000#000#000000", "20260101000000.000000Z#000000#000#000000" },
        { "rid=001,sid=002,csn=2#0#1#0;3#0#2#0;1#0#3#0", "3#0#2#0" },
        { "csn=5,rid=001", "5" },
        { "rid=001", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *newest = sync_newest_csn(cases[i].cookie);
        if (cases[i].newest)
            assert_string_equal(newest, cases[i].newest);
        else
            assert_null(newest);
    }
    static const char *const csns[] = { "a", "b", NULL };
    g_autofree char *cookie = sync_cookie(csns);
    assert_string_equal(cookie, "rid=001,csn=a;b");
}

static void merges_cookies(void **state)
{
    static const struct { const char *a, *b, *merged; bool behind; } cases[] = {
        { NULL, NULL, NULL, false },
        { NULL, "rid=001,csn=5#0#001#0", "rid=001,csn=5#0#001#0", true },
        { "rid=001,csn=5#0#001#0", NULL, "rid=001,csn=5#0#001#0", false },
        { "rid=001,csn=5#0#001#0", "rid=001,sid=001,csn=4#0#001#0", "rid=001,csn=5#0#001#0", false },
        { "rid=001,csn=5#0#001#0", "rid=001,csn=6#0#001#0", "rid=001,csn=6#0#001#0", true },
        { "rid=001,csn=5#0#001#0;9#0#002#0", "rid=001,csn=6#0#001#0", "rid=001,csn=6#0#001#0;9#0#002#0", true },
        { "csn=9#0#001#0", "csn=1#0#002#0", "rid=001,csn=1#0#002#0;9#0#001#0", true },    /* of another server: newer than nothing */
        { "csn=garbage;#;##;", "csn=;;", NULL, false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *merged = sync_merge(cases[i].a, cases[i].b);
        assert_true(!g_strcmp0(merged, cases[i].merged));
        assert_int_equal(sync_is_behind(cases[i].a, cases[i].b), cases[i].behind);
    }
}

static void asks_from_a_cookie(void **state)
{
    struct berval v;
    assert_true(sync_request_value("c", &v));
    assert_int_equal(v.bv_len, 8);
    assert_memory_equal(v.bv_val, "\x30\x06\x0a\x01\x03\x04\x01" "c", 8);
    ber_memfree(v.bv_val);
    assert_true(sync_request_value(NULL, &v));
    assert_memory_equal(v.bv_val, "\x30\x03\x0a\x01\x03", 5);
    ber_memfree(v.bv_val);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_states), cmocka_unit_test(reads_infos),
        cmocka_unit_test(reads_cookies), cmocka_unit_test(merges_cookies), cmocka_unit_test(asks_from_a_cookie),
    };
    return cmocka_run_group_tests_name("configd-sync", tests, NULL, NULL);
}
