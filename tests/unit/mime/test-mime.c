/* Structure, limits and the compact form. Every message of the table is parsed
 * whole, byte by byte and cut in two at each place: one result each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "lib/mime/mime.h"

static mime_summary *parse(const char *text, size_t len, size_t step, const mime_limits *limits)
{
    mime_parser *p = mime_parser_new(limits);
    for (size_t at = 0; at < len; at += step)
        mime_parser_feed(p, text + at, MIN(step, len - at));
    return mime_parser_end(p);
}

/* "TYPE/SUBTYPE lines{body}" for leaves, "TYPE/SUBTYPE(child child)" otherwise;
 * an envelope's subject stands in [] before the children. */
static void render(const mime_part *part, const char *text, GString *out)
{
    g_string_append_printf(out, "%s/%s", part->type, part->subtype);
    if (!part->children) {
        g_string_append_printf(out, " %u{", part->lines);
        g_string_append_len(out, text + part->body_offset, (gssize) part->body_len);
        g_string_append_c(out, '}');
        return;
    }
    g_string_append_c(out, '(');
    if (part->envelope)
        g_string_append_printf(out, "[%s] ", part->envelope->subject ? part->envelope->subject : "");
    for (guint i = 0; i < part->children->len; i++) {
        g_string_append(out, i ? " " : "");
        render(part->children->pdata[i], text, out);
    }
    g_string_append_c(out, ')');
}

static char *structure(const char *text, const mime_limits *limits)
{
    g_autoptr(mime_summary) s = parse(text, strlen(text), strlen(text) + 1, limits);
    GString *out = g_string_new(NULL);
    render(s->root, text, out);
    return g_string_free(out, FALSE);
}

#define MP(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

static const struct { const char *text, *structure; } messages[] = {
    { "", "TEXT/PLAIN 0{}" },
    { "\r\n", "TEXT/PLAIN 0{}" },
    { "Subject: x\r\n\r\none\r\ntwo", "TEXT/PLAIN 1{one\r\ntwo}" },
    { "Subject: no body", "TEXT/PLAIN 0{}" },
    { "Subject: x\n\nbare\nlf\n", "TEXT/PLAIN 2{bare\nlf\n}" },
    { "Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n", "TEXT/HTML 1{<p>\r\n}" },
    { "Content-Type: nonsense\r\n\r\nx", "TEXT/PLAIN 0{x}" },
    { "Content-Type: text/\r\n\r\nx", "TEXT/PLAIN 0{x}" },
    { "Content-Type: image/png\r\nContent-Type: text/html\r\n\r\nx", "IMAGE/PNG 0{x}" },
    { MP("b") "preamble\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue\r\n",
      "MULTIPART/MIXED(TEXT/PLAIN 0{one} TEXT/HTML 1{two\r\n})" },
    { MP("b") "--b\n\none\n--b--\n", "MULTIPART/MIXED(TEXT/PLAIN 0{one})" },
    { MP("b") "no parts at all\r\n", "MULTIPART/MIXED()" },
    { MP("b") "--b--\r\n", "MULTIPART/MIXED()" },
    { MP("b") "--b\r\n--b\r\n\r\n--b\r\nX: y\r\n--b--", "MULTIPART/MIXED(TEXT/PLAIN 0{} TEXT/PLAIN 0{} TEXT/PLAIN 0{})" },
    { MP("b") "--b\r\n\r\nopen end", "MULTIPART/MIXED(TEXT/PLAIN 0{open end})" },
    { MP("b") "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\nafter the end", "MULTIPART/MIXED(TEXT/PLAIN 0{x})" },
    { "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "TEXT/PLAIN 4{--b\r\n\r\nx\r\n--b--\r\n}" },
    { "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n", "TEXT/PLAIN 1{--\r\n}" },
    { "Content-Type: multipart/mixed;\r\n (comment) Boundary = \"a b:\\\"c\" ; x=y\r\n\r\n--a b:\"c\r\n\r\nx\r\n--a b:\"c--",
      "MULTIPART/MIXED(TEXT/PLAIN 0{x})" },
    /* nested, the inner one closed and not closed */
    { MP("out") "--out\r\n" MP("in") "--in\r\n\r\na\r\n--in--\r\ninner epilogue\r\n--out\r\n\r\nb\r\n--out--\r\n",
      "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN 0{a}) TEXT/PLAIN 0{b})" },
    { MP("out") "--out\r\n" MP("in") "--in\r\n\r\na\r\n--out\r\n\r\nb\r\n--out--\r\n",
      "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN 0{a}) TEXT/PLAIN 0{b})" },
    /* one boundary the prefix of the other, both ways round */
    { MP("foo") "--foo\r\n" MP("foobar") "--foobar\r\n\r\na\r\n--foobar--\r\n--foo\r\n\r\nb\r\n--foo--\r\n",
      "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN 0{a}) TEXT/PLAIN 0{b})" },
    { MP("foobar") "--foobar\r\n" MP("foo") "--foo\r\n\r\na\r\n--foo--\r\n--foobar\r\n\r\nb\r\n--foobar--\r\n",
      "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN 0{a}) TEXT/PLAIN 0{b})" },
    /* the same boundary in both: the innermost holds */
    { MP("b") "--b\r\n" MP("b") "--b\r\n\r\na\r\n--b--\r\n--b\r\n\r\nc\r\n--b--\r\n",
      "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN 0{a}) TEXT/PLAIN 0{c})" },
    { "Subject: out\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n",
      "MESSAGE/RFC822([in] TEXT/PLAIN 1{body\r\n})" },
    { "Content-Type: message/rfc822\r\n\r\n", "MESSAGE/RFC822([] TEXT/PLAIN 0{})" },
    { "Content-Type: message/rfc822", "MESSAGE/RFC822([] TEXT/PLAIN 0{})" },
    { MP("b") "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n" MP("c") "--c\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n",
      "MULTIPART/MIXED(MESSAGE/RFC822([in] MULTIPART/MIXED(TEXT/PLAIN 0{x})) TEXT/PLAIN 0{y})" },
    { MP("b") "--b\r\nContent-Type: message/rfc822\r\n--b\r\n\r\ny\r\n--b--\r\n",
      "MULTIPART/MIXED(MESSAGE/RFC822([] TEXT/PLAIN 0{}) TEXT/PLAIN 0{y})" },
    { "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: one\r\n\r\n1\r\n--d\r\nContent-Type: text/plain\r\n\r\n2\r\n--d--\r\n",
      "MULTIPART/DIGEST(MESSAGE/RFC822([one] TEXT/PLAIN 0{1}) TEXT/PLAIN 0{2})" },
    { MP("b") "-- b\r\n--\r\n-\r\n--b\r\n\r\nx\r\n --b\r\n--b--", "MULTIPART/MIXED(TEXT/PLAIN 1{x\r\n --b})" },
    { MP("b") "--b trailing\t \r\n\r\nx\r\n--b-- trailing\r\n", "MULTIPART/MIXED(TEXT/PLAIN 0{x})" },
    { "Subject: folded\r\n header\r\n\t and more\r\nFrom: a@b\r\n\r\nx\r\n", "TEXT/PLAIN 1{x\r\n}" },
    { "From an mbox line\r\nno colon\r\nSubject: s\r\n\r\nx\r\n", "TEXT/PLAIN 1{x\r\n}" },
};

static void structures(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autofree char *s = structure(messages[i].text, &mime_default_limits);
        assert_string_equal(s, messages[i].structure);
    }
}

static void assert_same(const mime_summary *a, const mime_summary *b)
{
    g_autoptr(GBytes) x = mime_summary_encode(a);
    g_autoptr(GBytes) y = mime_summary_encode(b);
    assert_true(g_bytes_equal(x, y));
}

static void any_split(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        const char *text = messages[i].text;
        size_t len = strlen(text);
        g_autoptr(mime_summary) whole = parse(text, len, len + 1, &mime_default_limits);
        g_autoptr(mime_summary) bytes = parse(text, len, 1, &mime_default_limits);
        assert_same(whole, bytes);
        for (size_t cut = 0; cut <= len; cut++) {
            mime_parser *p = mime_parser_new(&mime_default_limits);
            mime_parser_feed(p, text, cut);
            mime_parser_feed(p, text + cut, len - cut);
            g_autoptr(mime_summary) two = mime_parser_end(p);
            assert_same(whole, two);
        }
    }
}

static void code_and_back(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        const char *text = messages[i].text;
        g_autoptr(mime_summary) s = parse(text, strlen(text), 7, &mime_default_limits);
        g_autoptr(GBytes) bytes = mime_summary_encode(s);
        gsize len;
        const guint8 *data = g_bytes_get_data(bytes, &len);
        g_autoptr(mime_summary) back = NULL;
        assert_int_equal(mime_summary_decode(data, len, &back), 0);
        assert_same(s, back);
        g_autoptr(GString) shown = g_string_new(NULL);
        render(back->root, text, shown);
        assert_string_equal(shown->str, messages[i].structure);
        for (gsize cut = 0; cut < len; cut++) {
            mime_summary *none = NULL;
            assert_int_equal(mime_summary_decode(data, cut, &none), -EBADMSG);
            assert_null(none);
        }
    }
}

static void envelope_fields(void **state)
{
    static const char text[] =
        "Return-Path: <x@y>\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\nSUBJECT :  =?utf-8?q?a?=\r\n  b \r\nSubject: second\r\n"
        "From: A <a@b>\r\nTo: c@d\r\nTo: e@f\r\nReply-To: r@s\r\nSender: s@t\r\nCc: g:;\r\nBcc: h@i\r\n"
        "Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n"
        "Content-Type: TEXT/Html (c); CHARSET=\"utf-8\"; Format=flowed;; =x; name\r\n"
        "Content-Disposition: attachment; filename=\"a b.txt\"; size=3\r\n"
        "Content-Transfer-Encoding: Base64 (c)\r\nContent-ID: <cid>\r\nContent-Description: d e\r\nContent-MD5: m==\r\n"
        "Content-Language: en, de\r\nContent-Location: http://x/\r\n\r\n\xff";
    g_autoptr(mime_summary) s = parse(text, sizeof text - 1, 5, &mime_default_limits);
    const mime_envelope *e = &s->envelope;
    assert_string_equal(e->date, "Fri, 21 Nov 1997 09:55:06 -0600");
    assert_int_equal(s->date, 880127706);
    assert_string_equal(e->subject, "=?utf-8?q?a?=  b");
    assert_string_equal(e->message_id, "<1@x>");
    assert_string_equal(e->in_reply_to, "<0@x>");
    assert_int_equal(e->from->len, 1);
    assert_int_equal(e->to->len, 2);
    assert_int_equal(e->cc->len, 2);
    assert_int_equal(e->bcc->len, 1);
    assert_int_equal(e->sender->len, 1);
    assert_int_equal(e->reply_to->len, 1);
    const mime_part *p = s->root;
    assert_string_equal(p->type, "TEXT");
    assert_string_equal(p->subtype, "HTML");
    assert_int_equal(p->params->len, 4);
    assert_string_equal(p->params->pdata[0], "CHARSET");
    assert_string_equal(p->params->pdata[1], "utf-8");
    assert_string_equal(p->params->pdata[3], "flowed");
    assert_string_equal(p->encoding, "Base64");
    assert_string_equal(p->disposition, "attachment");
    assert_string_equal(p->disposition_params->pdata[1], "a b.txt");
    assert_string_equal(p->disposition_params->pdata[3], "3");
    assert_string_equal(p->id, "<cid>");
    assert_string_equal(p->description, "d e");
    assert_string_equal(p->md5, "m==");
    assert_string_equal(p->language, "en, de");
    assert_string_equal(p->location, "http://x/");
    assert_true(s->has_8bit);
    assert_false(s->has_nul);
    assert_int_equal(s->size, sizeof text - 1);
}

static void nul_bytes(void **state)
{
    static const char text[] = "Subject: a\0b\r\n\0: x\r\n\r\n\0\r\n";
    g_autoptr(mime_summary) s = parse(text, sizeof text - 1, 1, &mime_default_limits);
    assert_string_equal(s->envelope.subject, "a\x80" "b");
    assert_true(s->has_nul);
    assert_int_equal(s->root->body_len, 3);
}

static void huge_header(void **state)
{
    g_autoptr(GString) text = g_string_new("Subject: first\r\nX-Long: ");
    for (int i = 0; i < 100000; i++)
        g_string_append(text, "0123456789");
    g_string_append(text, "\r\nTo: late@example\r\n\r\nbody\r\n");
    for (size_t step = 1; step <= text->len; step *= 37) {
        g_autoptr(mime_summary) s = parse(text->str, text->len, step, &mime_default_limits);
        assert_string_equal(s->envelope.subject, "first");
        assert_int_equal(s->envelope.to->len, 0);         /* behind the limit: not interpreted */
        assert_int_equal(s->root->body_len, 6);
        assert_int_equal(s->root->header_len + 6, text->len);
    }
}

static void depth_bombs(void **state)
{
    static const char *const heads[] = {
        "Content-Type: message/rfc822\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n",
    };
    mime_limits limits = mime_default_limits;
    limits.max_depth = G_MAXUINT;
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (int n = 0; n < 20000; n++)
            g_string_append(text, heads[i]);
        const mime_limits *tried[] = { &mime_default_limits, &limits };
        for (size_t k = 0; k < G_N_ELEMENTS(tried); k++) {
            g_autoptr(mime_summary) s = parse(text->str, text->len, 1000, tried[k]);
            unsigned depth = 0;
            const mime_part *part = s->root;
            for (; part->children && part->children->len; part = part->children->pdata[0])
                depth++;
            assert_in_range(depth, 31, 100);
            assert_string_equal(part->type, "APPLICATION");
            g_autoptr(GBytes) bytes = mime_summary_encode(s);
            g_autoptr(mime_summary) back = NULL;
            assert_int_equal(mime_summary_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back), 0);
        }
    }
}

static void part_limit(void **state)
{
    mime_limits limits = mime_default_limits;
    limits.max_parts = 3;
    g_autofree char *s = structure(MP("b") "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--\r\n", &limits);
    assert_string_equal(s, "MULTIPART/MIXED(TEXT/PLAIN 0{1} TEXT/PLAIN 5{2\r\n--b\r\n\r\n3\r\n--b--\r\n})");
}

/* A summary above the maximum is cut to its top, then to less. */
static void large_summary(void **state)
{
    g_autoptr(GString) text = g_string_new("Subject: big\r\n" MP("b"));
    g_autofree char *name = g_strnfill(2000, 'n');
    for (int i = 0; i < 900; i++)
        g_string_append_printf(text, "--b\r\nContent-Description: %s\r\n\r\nx\r\n", name);
    g_autoptr(mime_summary) s = parse(text->str, text->len, 4096, &mime_default_limits);
    assert_int_equal(s->root->children->len, 900);
    g_autoptr(GBytes) bytes = mime_summary_encode(s);
    g_autoptr(mime_summary) back = NULL;
    assert_int_equal(mime_summary_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back), 0);
    assert_null(back->root->children);
    assert_string_equal(back->root->type, "APPLICATION");
    assert_string_equal(back->envelope.subject, "big");

    g_autoptr(GString) wide = g_string_new("");
    for (const char *const *f = (const char *const[]) { "To", "Cc", "Bcc", "From", "Sender", "Reply-To", NULL }; *f; f++) {
        g_string_append_printf(wide, "%s: ", *f);
        for (int i = 0; i < 6000; i++)
            g_string_append(wide, "a,");
        g_string_append(wide, "\r\n");
    }
    mime_limits limits = mime_default_limits;
    limits.max_addresses = 6000;
    g_autoptr(mime_summary) many = parse(wide->str, wide->len, 4096, &limits);
    g_autoptr(GBytes) cut = mime_summary_encode(many);
    assert_in_range(g_bytes_get_size(cut), 100, MIME_SUMMARY_MAX);
    g_autoptr(mime_summary) few = NULL;
    assert_int_equal(mime_summary_decode(g_bytes_get_data(cut, NULL), g_bytes_get_size(cut), &few), 0);
    assert_int_equal(few->envelope.to->len, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structures), cmocka_unit_test(any_split), cmocka_unit_test(code_and_back),
        cmocka_unit_test(envelope_fields), cmocka_unit_test(nul_bytes), cmocka_unit_test(huge_header),
        cmocka_unit_test(depth_bombs), cmocka_unit_test(part_limit), cmocka_unit_test(large_summary),
    };
    return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
