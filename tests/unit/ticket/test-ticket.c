#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glib.h>

#include "lib/ticket/ticket.h"

#define ID "5f0e7a3e-6f1f-4b62-9d3e-0a9b7f2f6c11"
#define NOW 1700000000

static uint8_t key[TICKET_KEY_LEN];

static int verify(const char *ticket, const char *purpose, int64_t now)
{
    g_autofree char *account = NULL;
    uint8_t nonce[TICKET_NONCE_LEN];
    return ticket_verify(key, sizeof key, ticket, purpose, now, &account, nonce, NULL);
}

static void round_trip(void **state)
{
    g_autofree char *t = ticket_issue(key, sizeof key, ID, "imap", NOW + 60);
    g_autofree char *u = ticket_issue(key, sizeof key, ID, "imap", NOW + 60);
    g_autofree char *account = NULL;
    uint8_t nonce[TICKET_NONCE_LEN];
    int64_t expires = 0;
    assert_int_equal(ticket_verify(key, sizeof key, t, "imap", NOW, &account, nonce, &expires), 0);
    assert_string_equal(account, ID);
    assert_int_equal(expires, NOW + 60);
    assert_string_not_equal(t, u);   /* another nonce */
    assert_true(ticket_is(t));
    assert_false(ticket_is("secret"));
    for (const char *p = t; *p; p++)
        assert_true(*p > ' ' && *p < 0x7f && *p != '"' && *p != '\\' && *p != '%');
}

static void expiry_and_purpose(void **state)
{
    g_autofree char *t = ticket_issue(key, sizeof key, ID, "imap", NOW + 60);
    assert_int_equal(verify(t, "imap", NOW + 60), 0);
    assert_int_equal(verify(t, "imap", NOW + 61), -ETIME);
    assert_int_equal(verify(t, "pop3", NOW), -EPERM);
    assert_int_equal(verify(t, "imap2", NOW), -EPERM);
    assert_int_equal(verify(t, "", NOW), -EPERM);
}

static void every_flipped_bit_is_noticed(void **state)
{
    g_autofree char *t = ticket_issue(key, sizeof key, ID, "imap", NOW + 60);
    for (size_t i = 0; t[i]; i++)
        for (int bit = 0; bit < 8; bit++) {
            g_autofree char *bad = g_strdup(t);
            bad[i] = (char) (bad[i] ^ 1 << bit);
            assert_int_equal(verify(bad, "imap", NOW), -EBADMSG);
        }
}

static void every_cut_and_addition_is_noticed(void **state)
{
    g_autofree char *t = ticket_issue(key, sizeof key, ID, "imap", NOW + 60);
    for (size_t n = 0; n < strlen(t); n++) {
        g_autofree char *cut = g_strndup(t, n);
        assert_int_equal(verify(cut, "imap", NOW), -EBADMSG);
    }
    g_autofree char *longer = g_strconcat(t, "A", NULL);
    assert_int_equal(verify(longer, "imap", NOW), -EBADMSG);
    g_autofree char *huge = g_strnfill(100000, 'A');
    g_autofree char *prefixed = g_strconcat(TICKET_PREFIX, huge, NULL);
    assert_int_equal(verify(prefixed, "imap", NOW), -EBADMSG);
}

static void length_limits(void **state)
{
    g_autofree char *id = g_strnfill(TICKET_ACCOUNT_MAX, 'i'), *too_long = g_strnfill(TICKET_ACCOUNT_MAX + 1, 'i');
    g_autofree char *purpose = g_strnfill(TICKET_PURPOSE_MAX, 'p'), *purpose_long = g_strnfill(TICKET_PURPOSE_MAX + 1, 'p');
    g_autofree char *t = ticket_issue(key, sizeof key, id, purpose, INT64_MAX);
    assert_non_null(t);
    assert_true(strlen(t) <= TICKET_MAX);
    assert_int_equal(verify(t, purpose, NOW), 0);
    assert_null(ticket_issue(key, sizeof key, too_long, "imap", NOW));
    assert_null(ticket_issue(key, sizeof key, ID, purpose_long, NOW));
    assert_null(ticket_issue(key, sizeof key, "", "imap", NOW));
    assert_null(ticket_issue(key, sizeof key, ID, "", NOW));
}

static void keys_differ_by_secret_and_host(void **state)
{
    uint8_t a[TICKET_KEY_LEN], b[TICKET_KEY_LEN];
    assert_int_equal(ticket_derive_key("", "host", a), -EINVAL);
    assert_int_equal(ticket_derive_key("secret", "", a), -EINVAL);
    assert_int_equal(ticket_derive_key("secret", "mail.example.com", a), 0);
    assert_int_equal(ticket_derive_key("secret", "MAIL.example.com", b), 0);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(ticket_derive_key("secret", "mail2.example.com", b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(ticket_derive_key("secreT", "mail.example.com", b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    g_autofree char *t = ticket_issue(b, sizeof b, ID, "imap", NOW + 60);
    assert_int_equal(verify(t, "imap", NOW), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(expiry_and_purpose),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_cut_and_addition_is_noticed),
        cmocka_unit_test(length_limits),
        cmocka_unit_test(keys_differ_by_secret_and_host),
    };
    (void) ticket_derive_key("unit test", "host", key);
    return cmocka_run_group_tests_name("ticket", tests, NULL, NULL);
}
