#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/store/shard/imap/search.h"

static int find_tag(const char *keyword, void *data)
{
    return g_str_equal(keyword, "work") ? 40 : -1;
}

static const search_context context = { .max_number = 9, .max_uid = 90, .tag = find_tag };

static search_status parse(const char *text, search_key **ret)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(64);
    imap_cursor c = { .p = text, .end = text + strlen(text), .strings = strings };
    return search_parse(&c, &context, ret);
}

/* message 5, uid 50: seen, flagged, keyword work, $Junk; 1000 bytes, on 2020-03-04 12:00 UTC */
static const message_record record = { .uid = 50, .flags = MSG_SEEN | MSG_FLAGGED | MSG_JUNK, .tags_hi = 1 << 8, .size = 1000, .date = 1583323200 };

static void judges_records(void **state)
{
    static const struct { const char *in; search_verdict out; } cases[] = {
        { " ALL", SEARCH_YES }, { " SEEN", SEARCH_YES }, { " UNSEEN", SEARCH_NO }, { " FLAGGED UNDELETED", SEARCH_YES },
        { " ANSWERED", SEARCH_NO }, { " NOT ANSWERED", SEARCH_YES }, { " OR ANSWERED SEEN", SEARCH_YES }, { " OR ANSWERED DRAFT", SEARCH_NO },
        { " (SEEN FLAGGED)", SEARCH_YES }, { " NOT (SEEN FLAGGED)", SEARCH_NO }, { " KEYWORD work", SEARCH_YES }, { " KEYWORD none", SEARCH_NO },
        { " UNKEYWORD none", SEARCH_YES }, { " KEYWORD $Junk", SEARCH_YES }, { " 5", SEARCH_YES }, { " 1:4,6:*", SEARCH_NO }, { " UID 50", SEARCH_YES },
        { " UID 1:49", SEARCH_NO }, { " LARGER 999", SEARCH_YES }, { " LARGER 1000", SEARCH_NO }, { " SMALLER 1001", SEARCH_YES },
        { " BEFORE 4-Mar-2020", SEARCH_NO }, { " BEFORE 5-Mar-2020", SEARCH_YES }, { " ON 4-Mar-2020", SEARCH_YES }, { " ON 3-Mar-2020", SEARCH_NO },
        { " SINCE 4-Mar-2020", SEARCH_YES }, { " SINCE 5-Mar-2020", SEARCH_NO }, { " RECENT", SEARCH_NO }, { " OLD", SEARCH_YES }, { " NEW", SEARCH_NO },
        { " CHARSET UTF-8 ALL", SEARCH_YES }, { " BODY x", SEARCH_UNKNOWN }, { " UNSEEN BODY x", SEARCH_NO }, { " OR SEEN BODY x", SEARCH_YES },
        { " NOT BODY x", SEARCH_UNKNOWN }, { " OR UNSEEN TEXT x", SEARCH_UNKNOWN }, { " SENTSINCE 1-Jan-2020", SEARCH_UNKNOWN },
    };
    const search_message m = { .record = &record, .number = 5 };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        search_key *k = NULL;
        if (parse(cases[i].in, &k) != SEARCH_OK || search_match(k, &m) != cases[i].out)
            fail_msg("%s", cases[i].in);
        search_key_free(k);
    }
}

static void refuses_malformed(void **state)
{
    static const char *const bad[] = { "", " ", " FOO", " OR SEEN", " NOT", " (SEEN", " ()", " SEEN)", " KEYWORD", " LARGER x", " ON 2020",
                                       " UID x", " HEADER a", " SEEN ", " CHARSET UTF-8", " 0", " BODY {9}\r\nx" };
    search_key *k;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(parse(bad[i], &k), SEARCH_MALFORMED);
    assert_int_equal(parse(" CHARSET KOI8-R ALL", &k), SEARCH_BAD_CHARSET);
    g_autoptr(GString) deep = g_string_new(NULL);
    for (int i = 0; i < 100; i++)
        g_string_append(deep, " NOT");
    g_string_append(deep, " SEEN");
    assert_int_equal(parse(deep->str, &k), SEARCH_MALFORMED);
}

static const char message[] =
    "From: =?utf-8?q?J=C3=BCrgen?= <j@x.test>\r\nTo: list@x.test\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n =?utf-8?B?IGF1cyBLw7Zsbg==?=\r\n"
    "Date: Tue, 3 Mar 2020 23:30:00 -0700\r\nX-Empty:\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6n=\r\ner Tag\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+w4RwZmVs\r\nPC9iPg==\r\n"
    "--b\r\nContent-Type: application/octet-stream\r\n\r\nsecretbytes\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: forwarded\r\n\r\ninside\r\n--b--\r\n";

static void judges_text(void **state)
{
    static const struct { const char *in; search_verdict out; } cases[] = {
        { " FROM \"J\xc3\x9cRGEN\"", SEARCH_YES }, { " FROM j@x", SEARCH_YES }, { " FROM list", SEARCH_NO }, { " TO list", SEARCH_YES },
        { " SUBJECT \"gr\xc3\xbcsse aus k\xc3\xb6ln\"", SEARCH_YES },   /* folding maps ss and sharp s to one */
        { " HEADER X-Empty \"\"", SEARCH_YES }, { " HEADER X-None \"\"", SEARCH_NO }, { " HEADER MIME-Version 1.0", SEARCH_YES },
        { " BODY \"sch\xc3\xb6ner tag\"", SEARCH_YES }, { " BODY \"\xc3\xa4pfel\"", SEARCH_YES }, { " BODY secretbytes", SEARCH_NO },
        { " BODY gr\xc3\xbc", SEARCH_UNKNOWN }, { " BODY forwarded", SEARCH_YES }, { " BODY inside", SEARCH_YES }, { " TEXT list@x.test", SEARCH_YES },
        { " BODY list@x.test", SEARCH_NO }, { " SENTON 3-Mar-2020", SEARCH_YES }, { " SENTSINCE 4-Mar-2020", SEARCH_NO }, { " NOT BODY inside", SEARCH_NO },
    };
    mime_parser *p = mime_parser_new(&mime_default_limits);
    mime_parser_feed(p, message, sizeof message - 1);
    g_autoptr(mime_summary) summary = mime_parser_end(p);
    const search_message m = { .record = &record, .number = 5, .bytes = message, .len = sizeof message - 1, .summary = summary };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        search_key *k = NULL;
        search_status status = parse(cases[i].in, &k);
        if (cases[i].out == SEARCH_UNKNOWN)   /* 8-bit outside of quotes is no atom */
            assert_int_equal(status, SEARCH_MALFORMED);
        else if (status != SEARCH_OK || search_match(k, &m) != cases[i].out)
            fail_msg("%s", cases[i].in);
        search_key_free(k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(judges_records), cmocka_unit_test(refuses_malformed), cmocka_unit_test(judges_text) };
    return cmocka_run_group_tests_name("store-imap-search", tests, NULL, NULL);
}
