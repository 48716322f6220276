/* Log lines of Postfix and amavisd, those of the network's making among them, and
 * the lines that are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <syslog.h>

#include "agents/logger/amavis-line.h"
#include "agents/logger/line.h"
#include "agents/logger/route.h"

static postfix_line parse(const char *ident, const char *text)
{
    return postfix_parse(span_of(ident), span_of(text));
}

static void is(span s, const char *expected)
{
    g_autofree char *text = g_strndup(s.text, s.len);
    assert_string_equal(text, expected);
}

static void kinds(void **state)
{
    static const struct { const char *ident, *text; postfix_kind kind; const char *id; } cases[] = {
        { "postfix/smtpd", "02FCE57E28E: client=_gateway[10.77.0.1]", POSTFIX_CLIENT, "02FCE57E28E" },
        { "postfix/submission/smtpd", "3Zs1Wq2VbTz4xYk: client=a[1.2.3.4], sasl_method=PLAIN, sasl_username=u@x", POSTFIX_CLIENT, "3Zs1Wq2VbTz4xYk" },
        { "postfix/smtpd", "connect from _gateway[10.77.0.1]", POSTFIX_OTHER, "" },
        { "postfix/smtpd", "warning: hostname x does not resolve", POSTFIX_PROBLEM, "" },
        { "postfix/pickup", "1279857E29C: uid=0 from=<a@example.test>", POSTFIX_PICKUP, "1279857E29C" },
        { "postfix/cleanup", "02FCE57E28E: message-id=<three@lab>", POSTFIX_MESSAGE_ID, "02FCE57E28E" },
        { "postfix/qmgr", "02FCE57E28E: from=<>, size=295, nrcpt=3 (queue active)", POSTFIX_ACTIVE, "02FCE57E28E" },
        { "postfix/qmgr", "02FCE57E28E: removed", POSTFIX_REMOVED, "02FCE57E28E" },
        { "postfix/qmgr", "02FCE57E28E: from=<a@b>, status=expired, returned to sender", POSTFIX_EXPIRED, "02FCE57E28E" },
        { "postfix/bounce", "5E8D757E2AE: sender non-delivery notification: 7077457E2C2", POSTFIX_NOTICE, "5E8D757E2AE" },
        { "postfix/postsuper", "5E8D757E2AE: removed", POSTFIX_REMOVED, "5E8D757E2AE" },
        /* the program decides, not the text */
        { "postfix/cleanup", "02FCE57E28E: from=<>, size=295, nrcpt=3 (queue active)", POSTFIX_OTHER, "02FCE57E28E" },
        { "sshd", "02FCE57E28E: removed", POSTFIX_OTHER, "" },
        { "postfix", "02FCE57E28E: removed", POSTFIX_OTHER, "" },
        { "postfix/qmgr", "../../etc: removed", POSTFIX_OTHER, "" },
        { "postfix/qmgr", "NOQUEUE: removed", POSTFIX_OTHER, "" },
        { "postfix/qmgr", "", POSTFIX_OTHER, "" },
        { "postfix/qmgr", "02FCE57E28E: from=<a@b>, size=9999999999999999999999, nrcpt=3 (queue active)", POSTFIX_OTHER, "02FCE57E28E" },
        { "postfix/qmgr", "02FCE57E28E: from=<a@b>, size=-5, nrcpt=3 (queue active)", POSTFIX_OTHER, "02FCE57E28E" },
        { "postfix/smtp", "02FCE57E28E: to=<a@b>, relay=x", POSTFIX_OTHER, "02FCE57E28E" },
        { "postfix/smtp", "02FCE57E28E: to=<\"a@b>, relay=x, delay=1, delays=1, dsn=2.0.0, status=sent (x)", POSTFIX_OTHER, "02FCE57E28E" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        postfix_line l = parse(cases[i].ident, cases[i].text);
        assert_int_equal(l.kind, cases[i].kind);
        assert_string_equal(l.queue_id, cases[i].id);
    }
}

static void a_delivery(void **state)
{
    postfix_line l = parse("postfix/lmtp", "85FF857E295: to=<a@example.test>, orig_to=<b@example.test>, relay=mail.example.test[10.77.0.10]:7025, "
                           "conn_use=2, delay=0.07, delays=0.01/0/0/0.06, dsn=2.0.0, status=sent (250 2.0.0 <a@example.test> stored)");
    assert_int_equal(l.kind, POSTFIX_DELIVERY);
    is(l.program, "lmtp");
    is(l.recipient, "a@example.test");
    is(l.relay, "mail.example.test[10.77.0.10]:7025");
    is(l.delay, "0.07");
    is(l.status, "sent");
    is(l.text, "250 2.0.0 <a@example.test> stored");
    l = parse("postfix/smtp", "1279857E29C: to=<x@y>, relay=127.0.0.1[127.0.0.1]:10024, delay=0.33, delays=0/0.01/0.01/0.31, dsn=2.0.0, "
              "status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5E8D757E2AE)");
    assert_string_equal(l.other_id, "5E8D757E2AE");
    l = parse("postfix/smtp", "5E8D757E2AE: to=<y@z>, relay=none, delay=0, delays=0/0/0/0, dsn=4.4.1, status=deferred (cut off by");
    is(l.status, "deferred");
    is(l.text, "cut off by");
}

/* Text of the network inside a field must not pass for another field. */
static void hostile_fields(void **state)
{
    postfix_line l = parse("postfix/lmtp", "85FF857E295: to=<\"a>, relay=evil, delay=1, delays=1, dsn=2.0.0, status=sent (\\\"\"@example.test>, "
                           "relay=none, delay=2, delays=0/0/0/2, dsn=5.1.1, status=bounced (no)");
    assert_int_equal(l.kind, POSTFIX_DELIVERY);
    is(l.status, "bounced");
    is(l.relay, "none");
    l = parse("postfix/smtp", "85FF857E295: to=<a@b>, relay=none, delay=2, delays=0/0/0/2, dsn=4.0.0, "
              "status=deferred (host x said: 450 >, relay=y, dsn=2.0.0, status=sent (250 ok))");
    is(l.status, "deferred");
    is(l.dsn, "4.0.0");
    l = parse("postfix/cleanup", "85FF857E295: message-id=<x>, status=sent (250), relay=none");
    assert_int_equal(l.kind, POSTFIX_MESSAGE_ID);
    is(l.message_id, "<x>, status=sent (250), relay=none");
    l = parse("postfix/qmgr", "85FF857E295: from=<\"a>, size=1, nrcpt=99 (queue active)\"@b>, size=20, nrcpt=2 (queue active)");
    assert_int_equal(l.kind, POSTFIX_ACTIVE);
    assert_int_equal(l.size, 20);
    assert_int_equal(l.recipients, 2);
    l = parse("postfix/qmgr", "85FF857E295: from=<a@b>, size=1, nrcpt=99 (queue active)\nX: from=<a@b>, size=20, nrcpt=2 (queue active)");
    assert_int_equal(l.kind, POSTFIX_OTHER);
}

static void rejects(void **state)
{
    postfix_line l = parse("postfix/smtpd", "NOQUEUE: reject: RCPT from h[10.77.0.1]: 550 5.1.1 <nobody@example.test>: Recipient address rejected: "
                           "User unknown; from=<out@outside.test> to=<nobody@example.test> proto=ESMTP helo=<x; from=<fake@x> to=<fake@y>>");
    assert_int_equal(l.kind, POSTFIX_REJECT);
    is(l.client, "h[10.77.0.1]");
    is(l.status, "550");
    is(l.dsn, "5.1.1");
    is(l.text, "Recipient address rejected: User unknown");
    is(l.sender, "out@outside.test");
    is(l.recipient, "nobody@example.test");
    l = parse("postfix/smtpd", "NOQUEUE: reject: CONNECT from h[1.2.3.4]: 421 4.7.0 Error: too many connections; proto=SMTP");
    assert_int_equal(l.kind, POSTFIX_REJECT);
    assert_int_equal(l.recipient.len, 0);
    l = parse("postfix/cleanup", "85FF857E295: milter-reject: END-OF-MESSAGE from h[1.2.3.4]: 5.7.1 Command rejected; from=<a@b> to=<c@d> proto=ESMTP");
    assert_int_equal(l.kind, POSTFIX_REJECT);
    l = parse("postfix/cleanup", "85FF857E295: reject: header Subject: from h[1]: to=<x> from h[1.2.3.4]; from=<a@b>: 5.7.1 no");
    assert_int_equal(l.kind, POSTFIX_REJECT);
}

static void doors(void **state)
{
    postfix_line l = parse("postfix/amavisd/smtpd", "8175F57E292: client=localhost[127.0.0.1], orig_queue_id=0AEA657E295, orig_client=g[10.77.0.1]");
    is(l.service, "amavisd");
    assert_string_equal(l.other_id, "0AEA657E295");
    l = parse("postfix/submission/smtpd", "8175F57E292: client=a[1.2.3.4], sasl_method=PLAIN, sasl_username=u@x");
    is(l.user, "u@x");
    is(l.client, "a[1.2.3.4]");
}

static void verdicts(void **state)
{
    static const struct { const char *text; amavis_verdict verdict; bool passed; const char *id, *as; } cases[] = {
        { "(00141-01) Passed CLEAN {RelayedInbound}, [10.77.0.1]:54472 <out@outside.test> -> <a@example.test>,<b@example.test>, "
          "Queue-ID: 02FCE57E28E, Message-ID: <three@lab>, mail_id: RvdsdNkvsmrJ, Hits: 2.14, size: 295, queued_as: 85FF857E295, 557 ms",
          VERDICT_CLEAN, true, "02FCE57E28E", "85FF857E295" },
        { "(00143-01) Blocked SPAM {DiscardedInbound}, [10.77.0.1]:54490 <out@outside.test> -> <a@example.test>, Queue-ID: 0886057E292, "
          "Message-ID: <gtube@lab>, mail_id: 9D-StEIEY6gU, Hits: 1002.14, size: 382, 455 ms", VERDICT_SPAM, false, "0886057E292", "" },
        { "(00143-01) Passed SPAMMY {RelayedTaggedInbound}, <a@b> -> <c@d>, Hits: 5.1, size: 1, 1 ms", VERDICT_SPAM, true, "", "" },
        { "(00142-01) Blocked INFECTED (Eicar-Test-Signature.UNOFFICIAL) {DiscardedInbound,Quarantined}, [1.2.3.4]:1 <o@o> -> <a@e>, "
          "quarantine: q, Queue-ID: 04BB757E290, Message-ID: <e@l>, mail_id: b, Hits: -, size: 382, 266 ms", VERDICT_VIRUS, false, "04BB757E290", "" },
        { "(1-1) Blocked BANNED (.exe,Passed CLEAN {}, <x> -> <y>) {Discarded}, <a@b> -> <c@d>, Hits: -, size: 1, 1 ms", VERDICT_BANNED, false, "", "" },
        { "(1-1) Blocked MTA-BLOCKED {TempFailedInbound}, <a@b> -> <c@d>, 1 ms", VERDICT_FAILED, false, "", "" },
        { "(1-1) Passed BAD-HEADER-3 {RelayedInbound}, <a@b> -> <c@d>, 1 ms", VERDICT_OTHER, true, "", "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        amavis_line l = amavis_parse(span_of(cases[i].text));
        assert_int_equal(l.kind, AMAVIS_VERDICT);
        assert_int_equal(l.verdict, cases[i].verdict);
        assert_int_equal(l.passed, cases[i].passed);
        assert_string_equal(l.queue_id, cases[i].id);
        assert_string_equal(l.queued_as, cases[i].as);
    }
    assert_int_equal(amavis_parse(span_of("(1-1) Checking: x <Passed CLEAN> -> <a@b>")).kind, AMAVIS_OTHER);
    assert_int_equal(amavis_parse(span_of("Passed CLEAN {}")).kind, AMAVIS_OTHER);
    amavis_line more = amavis_parse(span_of("(1-1) ...<z@y>, Queue-ID: 04BB757E290, Message-ID: <e@l>, queued_as: 5E8D757E2AE, 1 ms"));
    assert_int_equal(more.kind, AMAVIS_MORE);
    assert_string_equal(more.queued_as, "5E8D757E2AE");
}

static entry *an_entry(const char *const *fields)
{
    entry *e = entry_new();
    for (; *fields; fields++)
        entry_set(e, *fields, strlen(*fields));
    entry_finish(e, 1795544762627398);
    return e;
}

static void written_lines(void **state)
{
    static const char *const fields[] = { "MESSAGE=a\nNov 24 fake[1]: b\x1b[2J \xff \xc3\xa4", "SYSLOG_IDENTIFIER=postfix/lmtp", "_HOSTNAME=mail",
                                          "_PID=7", "PRIORITY=4", "ACCOUNT=a@b", "CLIENT_IP=1.2.3.4", NULL };
    entry *e = an_entry(fields);
    g_autoptr(GString) out = g_string_new(NULL);
    line_syslog(out, e);
    assert_non_null(strstr(out->str, " mail postfix/lmtp[7]: a#012Nov 24 fake[1]: b#033[2J \xef\xbf\xbd \xc3\xa4\n"));
    assert_ptr_equal(strchr(out->str, '\n'), out->str + out->len - 1);
    g_string_truncate(out, 0);
    line_audit(out, e);
    assert_non_null(strstr(out->str, ",627 WARN  [postfix/lmtp-7] [name=a@b;ip=1.2.3.4;] security - a#012"));
    entry_free(e);
}

static void very_long_text_is_cut(void **state)
{
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autofree char *message = g_strconcat("MESSAGE=", text, NULL);
    const char *const fields[] = { message, "SYSLOG_IDENTIFIER=x", NULL };
    entry *e = an_entry(fields);
    g_autoptr(GString) out = g_string_new(NULL);
    line_syslog(out, e);
    assert_true(out->len < LINE_TEXT_MAX + 200);
    assert_true(g_str_has_suffix(out->str, "...\n"));
    entry_free(e);
}

static unsigned file_number(const char *name)
{
    size_t n;
    const route_file *files = route_files(&n);
    for (size_t i = 0; i < n; i++)
        if (g_str_equal(files[i].name, name))
            return (unsigned) i;
    return 99;
}

static void routes(void **state)
{
    static const struct { const char *fields[6]; const char *files; } cases[] = {
        { { "SYSLOG_FACILITY=2", "_UID=1000" }, "zimbra.log" },
        { { "SYSLOG_FACILITY=16" }, "zimbra.log" },
        { { "SYSLOG_FACILITY=17" }, "zimbra-stats.log" },
        { { "_SYSTEMD_UNIT=zimbra-postfix.service" }, "zimbra.log" },
        { { "_SYSTEMD_UNIT=zimbra-mailbox-shard@0.service", "PRIORITY=6" }, "mailbox.log" },
        { { "_SYSTEMD_UNIT=zimbra-mailbox-shard@0.service", "PRIORITY=3" }, "mailbox.log zimbra.log" },
        { { "_SYSTEMD_UNIT=zimbra-clamd.service" }, "clamd.log zimbra.log" },
        { { "_SYSTEMD_UNIT=zimbra-auth.service", "AUDIT=login" }, "audit.log zimbra.log" },
        { { "_SYSTEMD_UNIT=user@1000.service", "AUDIT=login", "_UID=1000" }, "" },
        { { "AUDIT=change", "_UID=900" }, "audit.log" },
        { { "AUDIT=change", "_UID=1000" }, "" },
        { { "AUDIT=change" }, "" },
        { { "_SYSTEMD_UNIT=cron.service" }, "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned expected = 0;
        g_auto(GStrv) names = g_strsplit(cases[i].files, " ", -1);
        for (char **name = names; *name && **name; name++)
            expected |= 1u << file_number(*name);
        entry *e = an_entry(cases[i].fields);
        assert_int_equal(route_entry(e, false), expected);
        entry_free(e);
    }
    static const char *const store[] = { "_SYSTEMD_UNIT=zimbra-mailbox-login@1.service", NULL };
    entry *e = an_entry(store);
    assert_int_equal(route_entry(e, true), 1u << file_number("mailbox.log") | 1u << file_number("zimbra.log"));
    entry_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds), cmocka_unit_test(a_delivery), cmocka_unit_test(hostile_fields), cmocka_unit_test(rejects),
        cmocka_unit_test(doors), cmocka_unit_test(verdicts), cmocka_unit_test(written_lines),
        cmocka_unit_test(very_long_text_is_cut), cmocka_unit_test(routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
