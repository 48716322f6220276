#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "lib/imap/imap.h"

/* ---- reader ---- */

/* Feeds INPUT in pieces of CHUNK bytes; writes what happens as text. LITERALS: one
 * letter per announced literal: b(uffer), s(tream), r(efuse). */
static char *script(const char *input, size_t len, size_t chunk, const char *choices, const imap_limits *limits)
{
    imap_reader r;
    imap_reader_init(&r, limits);
    GString *out = g_string_new(NULL);
    uint64_t stream = 0;
    for (size_t at = 0; at < len; ) {
        size_t n = MIN(chunk, len - at), used = 0;
        if (stream > 0) {
            used = (size_t) MIN(stream, n);
            g_string_append_printf(out, "%.*s", (int) used, input + at);
            stream -= used;
            at += used;
            if (stream == 0)
                g_string_append_c(out, '|');
            continue;
        }
        int event = imap_reader_feed(&r, input + at, n, &used);
        if (event < 0) {
            g_string_append(out, "error");
            break;
        }
        at += used;
        if (event == IMAP_COMMAND || event == IMAP_TOO_LONG) {
            g_string_append(out, event == IMAP_COMMAND ? "[" : "long[");
            g_string_append_len(out, (const char *) r.command->data, r.command->len);
            g_string_append(out, "]");
            imap_reader_next(&r);
        } else if (event == IMAP_LITERAL) {
            char c = *choices ? *choices++ : 'b';
            g_string_append_printf(out, "<%u%s>", (unsigned) r.literal_size, r.literal_plus ? "+" : "");
            stream = c == 's' ? r.literal_size : 0;
            imap_reader_literal(&r, c == 's' ? IMAP_STREAM : c == 'r' ? IMAP_REFUSE : IMAP_BUFFER);
        }
    }
    imap_reader_done(&r);
    return g_string_free(out, FALSE);
}

static void cuts_commands(void **state)
{
    static const imap_limits limits = { .max_command = 60, .max_skip = 100 };
    static const struct { const char *in, *choices, *out; } cases[] = {
        { "a NOOP\r\nb NOOP\n", "", "[a NOOP][b NOOP]" },
        { "a LOGIN {3}\r\nfoo {5+}\r\nb\r\na}\r\nb NOOP\r\n", "", "<3><5+>[a LOGIN {3}\r\nfoo {5+}\r\nb\r\na}][b NOOP]" },
        { "a LOGIN {0}\r\n x\r\n", "", "<0>[a LOGIN {0}\r\n x]" },
        { "a APPEND x {5}\r\nhello\r\nb NOOP\r\n", "s", "<5>hello|[][b NOOP]" },
        { "a APPEND x {5+}\r\nhello (x)\r\nb NOOP\r\n", "s", "<5+>hello|[ (x)][b NOOP]" },
        /* RFC 7888 §4: a refused non-synchronising literal still comes */
        { "a X {5+}\r\nhello {3+}\r\nabc\r\nb NOOP\r\n", "r", "<5+>[b NOOP]" },
        { "a X {5}\r\nb NOOP\r\n", "r", "<5>[b NOOP]" },
        { "a X {999+}\r\nb NOOP\r\n", "r", "<999+>error" },
        { "a 0123456789012345678901234567890123456789012345678901234567890123456789\r\nb NOOP\r\n", "",
          "long[a 0123456789012345678901234567890123456789012345678901234567][b NOOP]" },
        { "a 0123456789012345678901234567890123456789012345678901234567890123456789 {4+}\r\n\r\nx\r\nb NOOP\r\n", "",
          "long[a 0123456789012345678901234567890123456789012345678901234567][b NOOP]" },
        { "a {x}\r\n{}\r\n{+}\r\n3}\r\n", "", "[a {x}][{}][{+}][3}]" },
        { "\r\n", "", "[]" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t chunk = 1; chunk < 90; chunk++) {
            g_autofree char *out = script(cases[i].in, strlen(cases[i].in), chunk, cases[i].choices, &limits);
            assert_string_equal(out, cases[i].out);
        }
}

/* ---- cursor ---- */

typedef struct { GStringChunk *strings; imap_cursor c; } text;

static text *open_text(const char *s)
{
    text *t = g_new0(text, 1);
    t->strings = g_string_chunk_new(64);
    t->c = (imap_cursor) { .p = s, .end = s + strlen(s), .strings = t->strings };
    return t;
}

static void close_text(text *t)
{
    g_string_chunk_free(t->strings);
    g_free(t);
}

static void reads_strings(void **state)
{
    static const struct { const char *in; const char *(*take)(imap_cursor *); const char *out, *rest; } cases[] = {
        { "a1 NOOP", imap_tag, "a1", " NOOP" },
        { "+ x", imap_tag, NULL, NULL },
        { "Foo]x y", imap_astring, "Foo]x", " y" },
        { "BODY]x", imap_atom, "BODY", "]x" },
        { "\"a \\\"q\\\\\" z", imap_astring, "a \"q\\", " z" },
        { "\"a\\x\"", imap_astring, NULL, NULL },
        { "\"open", imap_astring, NULL, NULL },
        { "\"a\nb\"", imap_astring, NULL, NULL },
        { "{3}\r\nfoo bar", imap_astring, "foo", " bar" },
        { "{3+}\r\nfoo", imap_string, "foo", "" },
        { "{9}\r\nfoo", imap_string, NULL, NULL },
        { "(x)", imap_astring, NULL, NULL },
        { "", imap_astring, NULL, NULL },
        { "IN%OX* x", imap_list_mailbox, "IN%OX*", " x" },
        { "\\Seen)", imap_flag, "\\Seen", ")" },
        { "$Forwarded ", imap_flag, "$Forwarded", " " },
        { "\\*)", imap_flag, NULL, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        text *t = open_text(cases[i].in);
        const char *s = cases[i].take(&t->c);
        if (cases[i].out) {
            assert_non_null(s);
            assert_string_equal(s, cases[i].out);
            assert_string_equal(t->c.p, cases[i].rest);
        } else {
            assert_null(s);
        }
        close_text(t);
    }
}

static void reads_words_and_numbers(void **state)
{
    text *t = open_text("Body[1] BODY.PEEK[ 4294967295 4294967296 NIL");
    uint32_t n;
    const char *s = "";
    assert_true(imap_take_word(&t->c, "BODY"));
    assert_true(imap_take(&t->c, '[') && imap_number(&t->c, &n) && imap_take(&t->c, ']') && imap_take(&t->c, ' '));
    assert_false(imap_take_word(&t->c, "BODY"));
    assert_true(imap_take_word(&t->c, "body.peek") && imap_take(&t->c, '[') && imap_take(&t->c, ' '));
    assert_true(imap_number(&t->c, &n) && n == UINT32_MAX && imap_take(&t->c, ' '));
    imap_cursor at = t->c;
    assert_false(imap_number(&at, &n));
    assert_true(imap_atom(&t->c) && imap_take(&t->c, ' '));
    assert_true(imap_nstring(&t->c, &s) && s == NULL && imap_at_end(&t->c));
    close_text(t);
}

/* ---- sets ---- */

static void resolves_sets(void **state)
{
    static const struct { const char *in; uint32_t max; const char *out; } cases[] = {
        { "1", 9, "1" }, { "3,1,2", 9, "1:3" }, { "2:4,3:6,9", 9, "2:6,9" }, { "*", 9, "9" }, { "12:*", 9, "9:12" },
        { "*:3", 9, "3:9" }, { "4:2", 9, "2:4" }, { "*", 0, "" }, { "1:*", 0, "" }, { "4294967295", 9, "4294967295" },
        { "1,5:7,4294967294:4294967295", 9, "1,5:7,4294967294:4294967295" },
        { "0", 9, NULL }, { "1,", 9, NULL }, { "1:", 9, NULL }, { "a", 9, NULL }, { "", 9, NULL }, { "1,,2", 9, NULL },
        { "4294967296", 9, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        text *t = open_text(cases[i].in);
        GArray *set = imap_set(&t->c);
        g_autoptr(GString) out = g_string_new(NULL);
        if (set && imap_at_end(&t->c)) {
            imap_set_resolve(set, cases[i].max);
            for (guint k = 0; k < set->len; k++) {
                imap_range r = g_array_index(set, imap_range, k);
                g_string_append_printf(out, r.from == r.to ? "%s%u" : "%s%u:%u", k ? "," : "", r.from, r.to);
                assert_true(imap_set_contains(set, r.from) && imap_set_contains(set, r.to));
            }
            assert_false(imap_set_contains(set, 0));
            assert_non_null(cases[i].out);
            assert_string_equal(out->str, cases[i].out);
        } else {
            assert_null(cases[i].out);
        }
        if (set)
            g_array_unref(set);
        close_text(t);
    }
    static const uint32_t uids[] = { 1, 2, 3, 7, 9, 10 };
    g_autoptr(GString) out = g_string_new(NULL);
    imap_put_set(out, uids, G_N_ELEMENTS(uids));
    assert_string_equal(out->str, "1:3,7,9:10");
}

/* ---- dates ---- */

static void reads_dates(void **state)
{
    static const struct { const char *in; bool time; int64_t out; } cases[] = {
        { "1-Feb-1994", false, 760060800 }, { "\"01-feb-1994\"", false, 760060800 }, { "32-Feb-1994", false, -1 },
        { "1-Foo-1994", false, -1 }, { "1-Feb-94", false, -1 }, { "\"1-Feb-1994", false, -1 },
        { "\"17-Jul-1996 02:44:25 -0700\"", true, 837596665 }, { "\" 1-Jan-1970 00:00:00 +0000\"", true, 0 },
        { "\"17-Jul-1996 24:44:25 -0700\"", true, -1 }, { "\"17-Jul-1996 02:44:25\"", true, -1 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        text *t = open_text(cases[i].in);
        int64_t when = -1;
        bool ok = cases[i].time ? imap_date_time(&t->c, &when) : imap_date(&t->c, &when);
        assert_int_equal(ok ? when : -1, cases[i].out);
        close_text(t);
    }
    g_autoptr(GString) out = g_string_new(NULL);
    imap_put_date_time(out, 837596665);
    assert_string_equal(out->str, "\"17-Jul-1996 09:44:25 +0000\"");
}

/* ---- names and quoting ---- */

static void converts_names(void **state)
{
    static const struct { const char *utf8, *utf7; } cases[] = {
        { "INBOX", "INBOX" }, { "a & b", "a &- b" }, { "Gesendete Objekte", "Gesendete Objekte" },
        { "~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },   /* RFC 3501 §5.1.3 */
        { "Entwürfe", "Entw&APw-rfe" }, { "😀", "&2D3eAA-" }, { "é1é", "&AOk-1&AOk-" }, { "", "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *utf7 = imap_utf7_encode(cases[i].utf8), *utf8 = imap_utf7_decode(cases[i].utf7);
        assert_string_equal(utf7, cases[i].utf7);
        assert_string_equal(utf8, cases[i].utf8);
    }
    /* not canonical: open run, superfluous encoding, two runs in a row, half a pair, 8-bit */
    static const char *const bad[] = { "&", "&AOk", "&AGE-", "&U,BTFw-&ZeVnLIqe-", "&2D0-", "&AOk=-", "\xff" };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(imap_utf7_decode(bad[i]));
}

static void quotes(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "plain", "\"plain\"" }, { "q\"b\\", "\"q\\\"b\\\\\"" }, { "", "\"\"" }, { NULL, "NIL" },
        { "a\r\nb", "{4}\r\na\r\nb" }, { "\xc3\xa9", "{2}\r\n\xc3\xa9" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        imap_put_nstring(out, cases[i].in);
        assert_string_equal(out->str, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_commands), cmocka_unit_test(reads_strings), cmocka_unit_test(reads_words_and_numbers),
        cmocka_unit_test(resolves_sets), cmocka_unit_test(reads_dates), cmocka_unit_test(converts_names), cmocka_unit_test(quotes),
    };
    return cmocka_run_group_tests_name("imap", tests, NULL, NULL);
}
