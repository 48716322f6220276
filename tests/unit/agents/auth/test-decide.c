/* The decisions against a directory in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agents/auth/decide.h"
#include "lib/ticket/ticket.h"
#include "tests/unit/agents/auth/fake-directory.h"

#define ANNA "anna@example.test"

typedef struct {
    decider *d;
    keys *keys;
    freshness fresh;
    entry *anna, *domain, *config;
} fixture;

static int setup(void **state)
{
    fixture *f = g_new0(fixture, 1);
    fake_reset();
    f->config = fake_add(ENTRY_GLOBAL_CONFIG, "config", NULL, "zimbraAuthTokenKey", "0:1:secret", NULL);
    f->domain = fake_add(ENTRY_DOMAIN, "example.test", "domain-id", NULL);
    fake_add(ENTRY_SERVER, "mail.test", "server-id", "zimbraImapBindPort", "7143", NULL);
    f->anna = fake_add(ENTRY_ACCOUNT, ANNA, "anna-id", "userPassword", "sesame", "zimbraMailHost", "mail.test",
                       "zimbraMailAlias", "ann@example.test", "zimbraMailQuota", "1000", NULL);
    fake_add(ENTRY_ACCOUNT, "zimbra", "system-id", "userPassword", "sesame", NULL);
    fake_add(ENTRY_ACCOUNT, "bert@example.test", "bert-id", "userPassword", "sesame", NULL);
    f->keys = keys_new("mail.test");
    f->d = decider_new(NULL, f->keys, &f->fresh);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    decider_free(f->d);
    keys_free(f->keys);
    g_free(f);
    fake_reset();
    return 0;
}

static answer *login_as(fixture *f, auth_op op, const char *protocol, const char *user, const char *password)
{
    g_autoptr(question) q = question_new(op);
    q->protocol = g_strdup(protocol);
    q->user = g_strdup(user);
    q->password = g_strdup(password);
    q->client_ip = g_strdup("192.0.2.1");
    return decide(f->d, q);
}

static auth_status status_of(fixture *f, const char *user, const char *password)
{
    g_autoptr(answer) a = login_as(f, AUTH_OP_LOGIN, "imap", user, password);
    return a->status;
}

static void logins(void **state)
{
    fixture *f = *state;
    static const struct { const char *protocol, *user, *password; auth_status status; const char *reason; } cases[] = {
        { "imap", ANNA, "sesame", AUTH_OK, NULL },
        { "smtp", "ANN@example.test", "sesame", AUTH_OK, NULL },
        { "imap", ANNA, "wrong", AUTH_DENIED, "invalid password" },
        { "imap", "nobody@example.test", "sesame", AUTH_DENIED, "no such account" },
        { "imap", ANNA, "", AUTH_DENIED, "empty password" },
        { "imap", "", "sesame", AUTH_DENIED, "malformed user name" },
        { "imap", "an na@example.test", "sesame", AUTH_DENIED, "malformed user name" },
        { "imap", "\xff@example.test", "sesame", AUTH_DENIED, "malformed user name" },
        { "gopher", ANNA, "sesame", AUTH_DENIED, "unknown protocol" },
        { "imap", "zimbra", "sesame", AUTH_DENIED, "an identity of a service, not a mail account" },
        { "imap", ANNA, "zt1.sesame", AUTH_DENIED, "invalid password" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(answer) a = login_as(f, AUTH_OP_LOGIN, cases[i].protocol, cases[i].user, cases[i].password);
        assert_int_equal(a->status, cases[i].status);
        assert_int_equal(g_strcmp0(a->reason, cases[i].reason), 0);
        assert_int_equal(a->keep, cases[i].status == AUTH_OK);
    }
    g_autoptr(answer) a = login_as(f, AUTH_OP_LOGIN, "imap", ANNA, "sesame");
    assert_string_equal(a->account_id, "anna-id");
    assert_string_equal(a->name, ANNA);
    assert_int_equal(a->quota_bytes, 1000);
    assert_string_equal(a->account_dn, "uid=" ANNA);
    assert_string_equal(a->domain_dn, "uid=example.test");
}

static void status_and_switches_forbid(void **state)
{
    fixture *f = *state;
    static const struct { bool domain; const char *attr, *value; } cases[] = {
        { false, "zimbraAccountStatus", "locked" }, { false, "zimbraAccountStatus", "lockout" },
        { true, "zimbraDomainStatus", "closed" }, { false, "zimbraImapEnabled", "FALSE" },
        { true, "zimbraAuthMech", "ldap" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        entry *e = cases[i].domain ? f->domain : f->anna;
        unsigned binds = fake_binds();
        fake_set(e, cases[i].attr, cases[i].value);
        assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_DENIED);
        assert_int_equal(fake_binds(), binds);   /* refused before the password is looked at */
        fake_set(e, cases[i].attr, NULL);
    }
    fake_set(f->domain, "zimbraAuthMech", "zimbra");
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_OK);
}

static void passwords_are_composed(void **state)
{
    fixture *f = *state;
    fake_set(f->anna, "userPassword", "p\xc3\xa4ss");
    assert_int_equal(status_of(f, ANNA, "pa\xcc\x88ss"), AUTH_OK);
    assert_int_equal(status_of(f, ANNA, "p\xc3\xa4ss"), AUTH_OK);
    fake_set(f->anna, "userPassword", "p\xe4ss");           /* stored as Latin-1 once */
    assert_int_equal(status_of(f, ANNA, "p\xe4ss"), AUTH_OK);
}

static void outage_is_temporary(void **state)
{
    fixture *f = *state;
    fake_outage(true);
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_TEMPFAIL);
    assert_int_equal(status_of(f, "nobody@example.test", "sesame"), AUTH_TEMPFAIL);
    fake_outage(false);
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_OK);
    fake_outage(true);
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_TEMPFAIL);
}

static void tickets(void **state)
{
    fixture *f = *state;
    g_autoptr(answer) a = login_as(f, AUTH_OP_TICKET, "imap", "ann@example.test", "sesame");
    assert_int_equal(a->status, AUTH_OK);
    assert_true(ticket_is(a->ticket));
    assert_int_equal(a->imap_port, 7143);
    assert_int_equal(a->pop3_port, 7110);
    assert_non_null(a->route_key);
    assert_int_equal(status_of(f, "bert@example.test", a->ticket), AUTH_DENIED);   /* and is used up by that */
    g_autoptr(answer) b = login_as(f, AUTH_OP_TICKET, "imap", ANNA, "sesame");
    unsigned binds = fake_binds();
    g_autoptr(answer) redeemed = login_as(f, AUTH_OP_LOGIN, "imap", ANNA, b->ticket);
    assert_int_equal(redeemed->status, AUTH_OK);
    assert_int_equal(redeemed->proof, PROOF_TICKET);
    assert_false(redeemed->keep);
    assert_int_equal(fake_binds(), binds);
    assert_int_equal(status_of(f, ANNA, b->ticket), AUTH_DENIED);
    fake_set(f->anna, "zimbraMailHost", "nowhere.test");
    g_autoptr(answer) lost = login_as(f, AUTH_OP_TICKET, "imap", ANNA, "sesame");
    assert_int_equal(lost->status, AUTH_TEMPFAIL);
    assert_null(lost->ticket);
}

static void token_key_is_made_when_there_is_none(void **state)
{
    fixture *f = *state;
    fake_set(f->config, "zimbraAuthTokenKey", NULL);
    g_autoptr(answer) a = login_as(f, AUTH_OP_TICKET, "imap", ANNA, "sesame");
    assert_int_equal(a->status, AUTH_OK);
    const char *made = entry_get(f->config, "zimbraAuthTokenKey");
    assert_non_null(made);
    assert_true(strlen(made) <= 128);
    assert_int_equal(status_of(f, ANNA, a->ticket), AUTH_OK);
}

static void too_many_failures_lock(void **state)
{
    fixture *f = *state;
    fake_set(f->anna, "zimbraPasswordLockoutEnabled", "TRUE");
    fake_set(f->anna, "zimbraPasswordLockoutMaxFailures", "2");
    assert_int_equal(status_of(f, ANNA, "wrong"), AUTH_DENIED);
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_OK);
    assert_null(entry_get(f->anna, "zimbraPasswordLockoutFailureTime"));
    assert_int_equal(status_of(f, ANNA, "wrong"), AUTH_DENIED);
    assert_int_equal(status_of(f, ANNA, "wrong"), AUTH_DENIED);
    assert_string_equal(entry_get(f->anna, "zimbraAccountStatus"), "lockout");
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_DENIED);
    fake_set(f->anna, "zimbraPasswordLockoutLockedTime", "20200101000000Z");   /* long over */
    assert_int_equal(status_of(f, ANNA, "sesame"), AUTH_OK);
    assert_string_equal(entry_get(f->anna, "zimbraAccountStatus"), "active");
}

static answer *ask(fixture *f, auth_op op, const char *address, const char *sender)
{
    g_autoptr(question) q = question_new(op);
    q->address = g_strdup(address);
    q->sender = g_strdup(sender);
    return decide(f->d, q);
}

static void recipients(void **state)
{
    fixture *f = *state;
    fake_add(ENTRY_DISTRIBUTION_LIST, "list@example.test", "list-id", NULL);
    g_autoptr(answer) anna = ask(f, AUTH_OP_RESOLVE, "ann@example.test", "");
    assert_int_equal(anna->status, AUTH_OK);
    assert_string_equal(anna->account_id, "anna-id");
    static const char *const nobody[] = { "list@example.test", "no@example.test", "anna", "", "a b@example.test" };
    for (size_t i = 0; i < G_N_ELEMENTS(nobody); i++) {
        g_autoptr(answer) a = ask(f, AUTH_OP_RESOLVE, nobody[i], "");
        assert_int_equal(a->status, AUTH_NO_SUCH);
    }
    fake_outage(true);
    g_autoptr(answer) a = ask(f, AUTH_OP_RESOLVE, "no@example.test", "");
    assert_int_equal(a->status, AUTH_TEMPFAIL);
}

static void senders_to_lists(void **state)
{
    fixture *f = *state;
    entry *list = fake_add(ENTRY_DISTRIBUTION_LIST, "list@example.test", "list-id", NULL);
    static const struct { const char *list_ace, *domain_ace, *sender; bool may, keep; } cases[] = {
        { NULL, NULL, "x@y.test", true, true },
        { "anna-id usr viewDistList", NULL, "x@y.test", true, true },
        { "anna-id usr sendToDistList", NULL, ANNA, true, false },
        { "anna-id usr sendToDistList", NULL, "ann@example.test", true, false },
        { "anna-id usr sendToDistList", NULL, "bert@example.test", false, false },
        { "anna-id usr sendToDistList", NULL, "", false, false },
        { NULL, "anna-id usr sendToDistList", ANNA, true, false },
        { NULL, "anna-id usr sendToDistList", "bert@example.test", false, false },
        { "bert-id usr sendToDistList", "anna-id usr sendToDistList", ANNA, true, false },
        { "anna-id usr -sendToDistList", "domain-id dom sendToDistList", ANNA, false, false },
        { "domain-id dom sendToDistList", NULL, "bert@example.test", true, false },
        { "domain-id dom sendToDistList", NULL, "none@example.test", false, false },
        { "x all sendToDistList", NULL, "x@y.test", false, false },
        { "x pub sendToDistList", NULL, "x@y.test", true, false },
        { "staff-id grp sendToDistList", NULL, ANNA, true, false },
        { "staff-id grp sendToDistList", NULL, "bert@example.test", false, false },
        { "x@y.test gst sendToDistList", NULL, "X@y.test", true, false },
    };
    fake_member(ANNA, "staff-id");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        fake_set(list, "zimbraACE", cases[i].list_ace);
        fake_set(f->domain, "zimbraACE", cases[i].domain_ace);
        g_autoptr(answer) a = ask(f, AUTH_OP_MAY_SEND, "list@example.test", cases[i].sender);
        assert_int_equal(a->status, cases[i].may ? AUTH_OK : AUTH_DENIED);
        assert_int_equal(a->keep, cases[i].keep);
        assert_string_equal(a->list, "list@example.test");
    }
    g_autoptr(answer) account = ask(f, AUTH_OP_MAY_SEND, ANNA, "x@y.test");
    assert_int_equal(account->status, AUTH_OK);
    assert_null(account->list);
    g_autoptr(answer) nobody = ask(f, AUTH_OP_MAY_SEND, "none@far.test", "x@y.test");
    assert_int_equal(nobody->status, AUTH_OK);
    fake_outage(true);
    g_autoptr(answer) away = ask(f, AUTH_OP_MAY_SEND, "list@example.test", ANNA);
    assert_int_equal(away->status, AUTH_TEMPFAIL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(logins), T(status_and_switches_forbid), T(passwords_are_composed), T(outage_is_temporary), T(tickets),
        T(token_key_is_made_when_there_is_none), T(too_many_failures_lock), T(recipients), T(senders_to_lists),
    };
    int failed = cmocka_run_group_tests_name("zmauthd-decide", tests, NULL, NULL);
    return failed;
}
