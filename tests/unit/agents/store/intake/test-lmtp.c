/* LMTP's syntax: lines, commands, dot-stuffed text, the spam flag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "agents/store/intake/lmtp.h"

/* Lines of IN joined by '|'; a line above the limit shows as "!". */
static char *lines(const char *in, size_t step, size_t max)
{
    lmtp_line l;
    lmtp_line_init(&l, max);
    GString *out = g_string_new(NULL);
    size_t len = strlen(in);
    for (size_t at = 0; at < len; ) {
        size_t used;
        int r = lmtp_line_feed(&l, in + at, MIN(step, len - at), &used);
        at += used;
        if (r > 0)
            g_string_append_printf(out, "%s|", l.text->str);
        if (r == -EMSGSIZE)
            g_string_append(out, "!|");
        if (r != 0)
            lmtp_line_next(&l);
    }
    lmtp_line_done(&l);
    return g_string_free(out, FALSE);
}

static void line_splitting(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "LHLO x\r\nQUIT\r\n", "LHLO x|QUIT|" },
        { "NOOP\n\r\n", "NOOP||" },
        { "12345678\r\nab\r\n", "12345678|ab|" },          /* eight and the CR: at the limit */
        { "1234567890\r\nab\r\n", "!|ab|" },
        { "unfinished", "" },
        { "a\rb\r\n", "a\rb|" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t step = 1; step < 20; step += 3) {
            g_autofree char *s = lines(cases[i].in, step, 9);
            assert_string_equal(s, cases[i].out);
        }
}

static void commands(void **state)
{
    static const struct { const char *line; lmtp_verb verb; const char *path; uint64_t size; const char *code; } cases[] = {
        { "LHLO mta.example", LMTP_LHLO, "", 0, NULL },
        { "lhlo", LMTP_LHLO, "", 0, "501" },
        { "MAIL FROM:<>", LMTP_MAIL, "", 0, NULL },
        { "mail from: <a@b>", LMTP_MAIL, "a@b", 0, NULL },
        { "MAIL FROM:<a@b> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<>", LMTP_MAIL, "a@b", 1234, NULL },
        { "MAIL FROM:<a@b> SIZE=x", LMTP_MAIL, "a@b", 0, "501" },
        { "MAIL FROM:<a@b> SIZE=-1", LMTP_MAIL, "a@b", 0, "501" },
        { "MAIL FROM:<a@b> SIZE", LMTP_MAIL, "a@b", 0, "501" },
        { "MAIL FROM:<a@b> BODY=BINARYMIME", LMTP_MAIL, "a@b", 0, "501" },
        { "MAIL FROM:<a@b> SMTPUTF8=1", LMTP_MAIL, "a@b", 0, "501" },
        { "MAIL FROM:<a@b> X=1", LMTP_MAIL, "a@b", 0, "555" },
        { "MAIL FROM:<a@b>SIZE=1", LMTP_MAIL, "a@b", 0, "501" },
        { "MAIL FROM:a@b", LMTP_MAIL, NULL, 0, "501" },
        { "MAIL FROM:<a@b", LMTP_MAIL, NULL, 0, "501" },
        { "MAIL TO:<a@b>", LMTP_MAIL, NULL, 0, "501" },
        { "MAIL", LMTP_MAIL, NULL, 0, "501" },
        { "MAIL FROM:<@x,@y:a@b>", LMTP_MAIL, "a@b", 0, NULL },
        { "MAIL FROM:<\"a b>\\\"\"@c>", LMTP_MAIL, "\"a b>\\\"\"@c", 0, NULL },
        { "MAIL FROM:<\xc3\xa4@b> SMTPUTF8", LMTP_MAIL, "\xc3\xa4@b", 0, NULL },
        { "MAIL FROM:<\xff@b>", LMTP_MAIL, NULL, 0, "501" },
        { "MAIL FROM:<a\tb@c>", LMTP_MAIL, NULL, 0, "501" },
        { "RCPT TO:<u@x> NOTIFY=NEVER ORCPT=rfc822;u@x", LMTP_RCPT, "u@x", 0, NULL },
        { "RCPT TO:<u@x> SIZE=1", LMTP_RCPT, "u@x", 0, "555" },
        { "RCPT TO:<>", LMTP_RCPT, "", 0, "501" },
        { "RCPT TO:<a@b,c@d>", LMTP_RCPT, NULL, 0, "501" },
        { "DATA", LMTP_DATA, "", 0, NULL },
        { "DATA x", LMTP_DATA, "", 0, "501" },
        { "NOOP anything", LMTP_NOOP, "", 0, NULL },
        { "VRFY", LMTP_VRFY, "", 0, "501" },
        { "EHLO x", LMTP_EHLO, "", 0, NULL },
        { "BDAT 5 LAST", LMTP_VERBS, "", 0, "500" },
        { "", LMTP_VERBS, "", 0, "500" },
        { " QUIT", LMTP_VERBS, "", 0, "500" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        lmtp_command c;
        lmtp_command_parse(cases[i].line, strlen(cases[i].line), &c);
        assert_int_equal(c.verb, cases[i].verb);
        if (cases[i].code)
            assert_memory_equal(c.reply, cases[i].code, 3);
        else
            assert_null(c.reply);
        if (cases[i].path && !cases[i].code)
            assert_string_equal(c.path, cases[i].path);
        assert_int_equal(c.size, cases[i].size);
    }
    lmtp_command nul;
    lmtp_command_parse("NOOP\0x", 6, &nul);
    assert_memory_equal(nul.reply, "500", 3);
    g_autofree char *name = g_strnfill(LMTP_PATH_MAX, 'a');
    g_autofree char *line = g_strdup_printf("RCPT TO:<%s>", name);
    lmtp_command_parse(line, strlen(line), &nul);
    assert_memory_equal(nul.reply, "501", 3);
}

static void append(const char *bytes, size_t len, void *data)
{
    g_string_append_len(data, bytes, (gssize) len);
}

static void dotted_text(void **state)
{
    static const struct { const char *in, *out, *rest; } cases[] = {
        { ".\r\nQUIT\r\n", "", "QUIT\r\n" },
        { "a\r\n.\r\n", "a\r\n", "" },
        { "..\r\n...x\r\n.\r\n", ".\r\n..x\r\n", "" },
        { ".a\r\n.\r\n", "a\r\n", "" },
        { "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "" },      /* bare LF before the dot: content */
        { "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "" },
        { "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "" },
        { "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "" },
        { "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n", "" },
        { "\r\r\n\r\n.\r\nrest", "\r\r\n\r\n", "rest" },
        { "open\r\n.", "open\r\n", NULL },
        { "open\r\n.\r", "open\r\n", NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t step = 1; step < 40; step++) {
            lmtp_data d;
            lmtp_data_init(&d);
            g_autoptr(GString) out = g_string_new(NULL);
            size_t len = strlen(cases[i].in), at = 0;
            int r = 0;
            while (at < len && r == 0) {
                size_t used;
                r = lmtp_data_feed(&d, cases[i].in + at, MIN(step, len - at), &used, append, out);
                at += used;
            }
            assert_string_equal(out->str, cases[i].out);
            assert_int_equal(r, cases[i].rest != NULL);
            if (cases[i].rest)
                assert_string_equal(cases[i].in + at, cases[i].rest);
        }
}

static void spam_flag(void **state)
{
    static const struct { const char *text; bool yes; } cases[] = {
        { "Subject: x\r\nX-Spam-Flag: YES\r\n\r\n", true },
        { "x-spam-flag:yes\n\n", true },
        { "X-Spam-Flag: NO\r\nX-Spam-Flag: YES\r\n\r\n", false },
        { "Subject: x\r\n\r\nX-Spam-Flag: YES\r\n", false },
        { "X-Spam-Flagged: YES\r\n\r\n", false },
        { "X-Spam-Flag:\r\n\r\n", false },
        { "X-Spam-Flag: YES", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t step = 1; step < 30; step++) {
            spam_watch w = { 0 };
            size_t len = strlen(cases[i].text);
            for (size_t at = 0; at < len; at += step)
                spam_watch_feed(&w, cases[i].text + at, MIN(step, len - at));
            assert_int_equal(w.yes, cases[i].yes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_splitting), cmocka_unit_test(commands), cmocka_unit_test(dotted_text), cmocka_unit_test(spam_flag),
    };
    return cmocka_run_group_tests_name("intake-lmtp", tests, NULL, NULL);
}
