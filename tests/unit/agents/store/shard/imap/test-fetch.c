#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/store/shard/imap/fetch.h"

static fetch_plan *plan_of(const char *text, GStringChunk *strings)
{
    imap_cursor c = { .p = text, .end = text + strlen(text), .strings = strings };
    return fetch_plan_parse(&c);
}

static char *describe(const fetch_plan *p)
{
    static const char *const kinds[] = { "flags", "uid", "date", "size", "envelope", "body", "bodystructure", "section" };
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < p->items->len; i++) {
        const fetch_item *item = g_ptr_array_index(p->items, i);
        g_string_append_printf(out, "%s%s", i ? " " : "", item->label ? item->label : kinds[item->kind]);
        if (item->partial)
            g_string_append_printf(out, "+%u", item->count);
    }
    g_string_append_printf(out, "%s%s%s", p->needs_summary ? " summary" : "", p->needs_blob ? " blob" : "", p->sets_seen ? " seen" : "");
    return g_string_free(out, FALSE);
}

static void parses_plans(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "FLAGS", "flags" }, { "(flags UID)", "flags uid" }, { "FAST", "flags date size" },
        { "ALL", "flags date size envelope summary" }, { "FULL", "flags date size envelope body summary" },
        { "BODY", "body summary" }, { "BODYSTRUCTURE", "bodystructure summary" },
        { "BODY[]", "BODY[] blob seen" }, { "BODY.PEEK[]<0.100>", "BODY[]<0>+100 blob" },
        { "body[header]", "BODY[HEADER] summary blob seen" }, { "BODY[TEXT]<5.6>", "BODY[TEXT]<5>+6 summary blob seen" },
        { "BODY.PEEK[1.2.MIME]", "BODY[1.2.MIME] summary blob" }, { "BODY[3]", "BODY[3] summary blob seen" },
        { "BODY.PEEK[HEADER.FIELDS (From \"To\")]", "BODY[HEADER.FIELDS (From To)] summary blob" },
        { "BODY[2.HEADER.FIELDS.NOT (\"x y\")]", "BODY[2.HEADER.FIELDS.NOT (\"x y\")] summary blob seen" },
        { "RFC822", "RFC822 blob seen" }, { "RFC822.HEADER", "RFC822.HEADER summary blob" }, { "RFC822.TEXT", "RFC822.TEXT summary blob seen" },
        { "(RFC822.SIZE INTERNALDATE)", "size date" },
        { "", NULL }, { "()", NULL }, { "(FLAGS", NULL }, { "FLAGS UID", NULL }, { "BODY[", NULL }, { "BODY[0]", NULL }, { "BODY[1.]", NULL },
        { "BODY[MIME]", NULL }, { "BODY[HEADER.FIELDS]", NULL }, { "BODY[HEADER.FIELDS ()]", NULL }, { "BODY[]<1>", NULL },
        { "BODY[]<1.0>", NULL }, { "BODY[X]", NULL }, { "BODY[1HEADER]", NULL }, { "(ALL FLAGS)", NULL }, { "FLAGSX", NULL }, { "BODY.PEEK", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GStringChunk *strings = g_string_chunk_new(64);
        fetch_plan *p = plan_of(cases[i].in, strings);
        g_autofree char *out = p ? describe(p) : NULL;
        if (!cases[i].out != !out)
            fail_msg("%s: %s", cases[i].in, out ? out : "refused");
        if (out)
            assert_string_equal(out, cases[i].out);
        fetch_plan_free(p);
        g_string_chunk_free(strings);
    }
}

/* ---- sections of a message with every kind of part ---- */

static const char message[] =
    "From: A <a@x.test>\r\nSubject: outer\r\n folded\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "preamble\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\none\r\n"
    "--b\r\nContent-Type: message/rfc822\r\nContent-Description: fwd\r\n\r\n"
    "From: B <b@x.test>\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    "--c\r\n\r\nplain\r\n"
    "--c\r\nContent-Type: text/html\r\nContent-Disposition: inline; filename=\"f.html\"\r\n\r\n<p>\r\n--c--\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";

static mime_summary *summary_of(const char *text)
{
    mime_parser *p = mime_parser_new(&mime_default_limits);
    mime_parser_feed(p, text, strlen(text));
    return mime_parser_end(p);
}

static char *section_text(const char *section, const mime_summary *s, const char *text)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(64);
    g_autofree char *item_text = g_strdup_printf("BODY[%s]", section);
    fetch_plan *p = plan_of(item_text, strings);
    assert_non_null(p);
    const fetch_item *item = g_ptr_array_index(p->items, 0);
    uint64_t offset, len;
    char *out = NULL;
    if (section_range(item, s, strlen(text), &offset, &len))
        out = item->fields ? g_string_free(section_filter(item, text + offset, len), FALSE) : g_strndup(text + offset, len);
    fetch_plan_free(p);
    return out;
}

static void finds_sections(void **state)
{
    static const struct { const char *section, *out; } cases[] = {
        { "", message },
        { "HEADER", "From: A <a@x.test>\r\nSubject: outer\r\n folded\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" },
        { "HEADER.FIELDS (SUBJECT)", "Subject: outer\r\n folded\r\n\r\n" },
        { "HEADER.FIELDS (nothing)", "\r\n" },
        { "HEADER.FIELDS.NOT (Subject Content-Type)", "From: A <a@x.test>\r\nMIME-Version: 1.0\r\n\r\n" },
        { "1", "one" }, { "1.MIME", "Content-Type: text/plain; charset=utf-8\r\n\r\n" },
        { "2.MIME", "Content-Type: message/rfc822\r\nContent-Description: fwd\r\n\r\n" },
        { "2.HEADER", "From: B <b@x.test>\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n" },
        { "2.HEADER.FIELDS (Subject)", "Subject: inner\r\n\r\n" },
        { "2.TEXT", "--c\r\n\r\nplain\r\n--c\r\nContent-Type: text/html\r\nContent-Disposition: inline; filename=\"f.html\"\r\n\r\n<p>\r\n--c--" },
        { "2.1", "plain" }, { "2.1.MIME", "\r\n" }, { "2.2", "<p>" }, { "3", "AAAA" },
        { "2.2.MIME", "Content-Type: text/html\r\nContent-Disposition: inline; filename=\"f.html\"\r\n\r\n" },
        { "4", NULL }, { "1.1", NULL }, { "1.HEADER", NULL }, { "2.3", NULL }, { "2.1.1", NULL }, { "3.TEXT", NULL },
    };
    g_autoptr(mime_summary) s = summary_of(message);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = section_text(cases[i].section, s, message);
        if (!cases[i].out != !out || (out && !g_str_equal(out, cases[i].out)))
            fail_msg("BODY[%s]: \"%s\"", cases[i].section, out ? out : "NIL");
    }
}

static void finds_sections_of_a_simple_message(void **state)
{
    static const char text[] = "Subject: s\r\n\r\nbody\r\n";
    g_autoptr(mime_summary) s = summary_of(text);
    static const struct { const char *section, *out; } cases[] = {
        { "1", "body\r\n" }, { "TEXT", "body\r\n" }, { "1.MIME", "Subject: s\r\n\r\n" }, { "2", NULL }, { "1.1", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = section_text(cases[i].section, s, text);
        assert_true(!cases[i].out == !out && (!out || g_str_equal(out, cases[i].out)));
    }
    /* a summary that claims more than the blob has */
    GStringChunk *strings = g_string_chunk_new(64);
    fetch_plan *p = plan_of("BODY[TEXT]", strings);
    uint64_t offset, len;
    assert_false(section_range(g_ptr_array_index(p->items, 0), s, 15, &offset, &len));
    fetch_plan_free(p);
    g_string_chunk_free(strings);
}

static void writes_structures(void **state)
{
    g_autoptr(mime_summary) s = summary_of(message);
    g_autoptr(GString) out = g_string_new(NULL);
    put_structure(out, s->root, true);
    assert_string_equal(out->str,
        "((\"TEXT\" \"PLAIN\" (\"charset\" \"utf-8\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)"
        "(\"MESSAGE\" \"RFC822\" NIL NIL \"fwd\" \"7BIT\" 191 "
        "(NIL \"inner\" ((\"B\" NIL \"b\" \"x.test\")) ((\"B\" NIL \"b\" \"x.test\")) ((\"B\" NIL \"b\" \"x.test\")) NIL NIL NIL NIL NIL) "
        "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 0 NIL NIL NIL NIL)"
        "(\"TEXT\" \"HTML\" NIL NIL NIL \"7BIT\" 3 0 NIL (\"inline\" (\"filename\" \"f.html\")) NIL NIL)"
        " \"ALTERNATIVE\" (\"boundary\" \"c\") NIL NIL NIL) 12 NIL NIL NIL NIL)"
        "(\"APPLICATION\" \"PDF\" NIL NIL NIL \"base64\" 4 NIL NIL NIL NIL)"
        " \"MIXED\" (\"boundary\" \"b\") NIL NIL NIL)");
    g_string_truncate(out, 0);
    put_envelope(out, &s->envelope);
    assert_string_equal(out->str, "(NIL \"outer folded\" ((\"A\" NIL \"a\" \"x.test\")) ((\"A\" NIL \"a\" \"x.test\")) ((\"A\" NIL \"a\" \"x.test\")) NIL NIL NIL NIL NIL)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_plans), cmocka_unit_test(finds_sections), cmocka_unit_test(finds_sections_of_a_simple_message),
        cmocka_unit_test(writes_structures),
    };
    return cmocka_run_group_tests_name("store-imap-fetch", tests, NULL, NULL);
}
