/* Address lists and dates: case tables over the field parsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/mime/internal.h"

static void show(GString *out, const char *s)
{
    g_string_append(out, s ? s : "-");
}

/* "name|route|mailbox|host" an address, joined by blanks. */
static char *render(const char *body)
{
    g_autoptr(mime_summary) s = mime_summary_new();
    mime_addresses_parse(body, strlen(body), 50, s->envelope.to);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < s->envelope.to->len; i++) {
        const mime_address *a = s->envelope.to->pdata[i];
        g_string_append(out, i ? " ; " : "");
        show(out, a->name), g_string_append_c(out, '|');
        show(out, a->route), g_string_append_c(out, '|');
        show(out, a->mailbox), g_string_append_c(out, '|');
        show(out, a->host);
    }
    return g_string_free(out, FALSE);
}

static void addresses(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        { "", "" },
        { " , ,", "" },
        { "a@b.example", "-|-|a|b.example" },
        { "<a@b.example>", "-|-|a|b.example" },
        { "Joe <a@b>", "Joe|-|a|b" },
        { "Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|-|john.q.public|example.com" },
        { "\"Joe, \\\"Q\\\"\" <a@b>, c@d", "Joe, \"Q\"|-|a|b ; -|-|c|d" },
        { "=?utf-8?q?J=C3=B6?= <a@b>", "=?utf-8?q?J=C3=B6?=|-|a|b" },
        { "a@b (Full (nested) \\) Name)", "Full (nested) ) Name|-|a|b" },
        { "(before) a@b", "-|-|a|b" },
        { "<a@b> (Name)", "Name|-|a|b" },
        { "\"quoted local\"@b", "-|-|quoted local|b" },
        { "a . b @ c . d", "-|-|a.b|c.d" },
        { "<@x,@y:a@b>", "-|@x,@y|a|b" },
        { "R <@x.example:a@b>", "R|@x.example|a|b" },
        { "a@[192.0.2.1]", "-|-|a|[192.0.2.1]" },
        { "Group:;", "-|-|Group|- ; -|-|-|-" },
        { "undisclosed recipients: ;", "-|-|undisclosed recipients|- ; -|-|-|-" },
        { "A Group: Ed <j@e>, x@y;, z@w", "-|-|A Group|- ; Ed|-|j|e ; -|-|x|y ; -|-|-|- ; -|-|z|w" },
        { "open: a@b", "-|-|open|- ; -|-|a|b ; -|-|-|-" },
        { "local", "-|-|local|MISSING_DOMAIN" },
        { "two words", "two words|-|MISSING_MAILBOX|MISSING_DOMAIN" },
        { "@host", "-|-|MISSING_MAILBOX|host" },
        { "<@host>", "-|-|MISSING_MAILBOX|host" },
        { "<>", "-|-|MISSING_MAILBOX|MISSING_DOMAIN" },
        { "a@", "-|-|a|MISSING_DOMAIN" },
        { "a@b@c, d@e", "-|-|a|b ; -|-|d|e" },
        { "Joe <a@b, c@d", "Joe|-|a|b ; -|-|c|d" },
        { "\"open quote <a@b>", "-|-|open quote <a@b>|MISSING_DOMAIN" },
        { "a@b (open comment", "open comment|-|a|b" },
        { ">>> ]][ a@b, c@d", "-|-|c|d" },
        { "\xc3\xb6@\xc3\xa4.example", "-|-|\xc3\xb6|\xc3\xa4.example" },
        { "trailing\\", "-|-|trailing\\|MISSING_DOMAIN" },
        { "\"", "-|-|MISSING_MAILBOX|MISSING_DOMAIN" },
        { "a:b:c@d;", "-|-|a|- ; -|-|b|MISSING_DOMAIN ; -|-|-|-" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *s = render(cases[i].in);
        assert_string_equal(s, cases[i].out);
    }
}

static void address_limit(void **state)
{
    g_autoptr(GString) many = g_string_new("g:");
    for (int i = 0; i < 1000; i++)
        g_string_append(many, "a@b,");
    g_autoptr(mime_summary) s = mime_summary_new();
    mime_addresses_parse(many->str, many->len, 10, s->envelope.to);
    assert_int_equal(s->envelope.to->len, 11);            /* ten and the group's end */
    assert_null(((mime_address *) s->envelope.to->pdata[10])->mailbox);
}

static void dates(void **state)
{
    static const struct { const char *in; int64_t out; } cases[] = {
        { "Thu, 01 Jan 1970 00:00:01 +0000", 1 },
        { "Fri, 21 Nov 1997 09:55:06 -0600", 880127706 },
        { "1 Jan 2024 00:00 GMT", 1704067200 },
        { "Thu, 29 Feb 2024 23:59:60 +0530", 1709231400 },
        { "Fri 21 Nov 97 09(comment):   55  :  06 EST", 880124106 },
        { "21 Nov 02 09:55:06 Z", 1037872506 },
        { "Mon, 31 Dec 1899 00:00:00 +0000", 0 },
        { "Thu, 32 Jan 2020 00:00:00 +0000", 0 },
        { "Thu, 1 Foo 2020 00:00:00 +0000", 0 },
        { "Thu, 1 Jan 2020 24:00:00 +0000", 0 },
        { "Thu, 1 Jan 2020", 0 },
        { "yesterday", 0 },
        { "", 0 },
        { "1 Jan 2000 00:00:00 +9999", 946684800 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(mime_date_parse(cases[i].in, strlen(cases[i].in)), cases[i].out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(address_limit), cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests_name("mime-address", tests, NULL, NULL);
}
