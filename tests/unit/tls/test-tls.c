#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/tls/tls.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = { "mail.example.test", "10.0.0.1", "fd00::1", NULL };

typedef struct { tls_identity *ca, *host; char *ca_pem, *host_pem; } pair;

static pair make_pair(void)
{
    GError *error = NULL;
    pair p = { 0 };
    p.ca = tls_make_ca("Mailstead CA", &error);
    assert_null(error);
    p.host = tls_make_host(p.ca, names, &error);
    assert_null(error);
    p.ca_pem = tls_cert_pem(p.ca);
    p.host_pem = tls_cert_pem(p.host);
    return p;
}

static void free_pair(pair *p)
{
    tls_identity_free(p->ca);
    tls_identity_free(p->host);
    g_free(p->ca_pem);
    g_free(p->host_pem);
}

static void host_verifies_under_its_ca(void **state)
{
    static const struct { const char *host; bool good; } cases[] = {
        { NULL, true }, { "mail.example.test", true }, { "MAIL.example.test", true }, { "10.0.0.1", true },
        { "fd00::1", true }, { "other.example.test", false }, { "10.0.0.2", false },
    };
    pair p = make_pair();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_int_equal(tls_verify(p.host_pem, p.ca_pem, cases[i].host, &error), cases[i].good);
        assert_int_equal(error == NULL, cases[i].good);
    }
    free_pair(&p);
}

static void another_ca_does_not_do(void **state)
{
    pair p = make_pair(), q = make_pair();
    g_autoptr(GError) error = NULL;
    assert_false(tls_verify(p.host_pem, q.ca_pem, NULL, &error));
    assert_true(g_error_matches(error, TLS_ERROR, TLS_ERROR_VERIFY));
    /* A host's certificate signs nothing: path length 0 and CA:FALSE. */
    g_clear_error(&error);
    g_autoptr(tls_identity) third = tls_make_host(p.host, names, &error);
    g_autofree char *pem = tls_cert_pem(third);
    assert_false(tls_verify(pem, p.host_pem, NULL, &error));
    free_pair(&p);
    free_pair(&q);
}

static void lasts_as_long_as_promised(void **state)
{
    pair p = make_pair();
    gint64 ca_end, host_end, now = (gint64) time(NULL), year = 365 * 24 * 3600;
    assert_true(tls_expiry(p.ca_pem, &ca_end, NULL));
    assert_true(tls_expiry(p.host_pem, &host_end, NULL));
    assert_true(ca_end > now + 10 * year && ca_end < now + 11 * year);
    assert_true(host_end > now + 5 * year && host_end < now + 6 * year);
    free_pair(&p);
}

static void survives_pem(void **state)
{
    pair p = make_pair(), q = make_pair();
    g_autofree char *key = tls_key_pem(p.ca), *other_key = tls_key_pem(q.ca);
    g_autoptr(GError) error = NULL;
    g_autoptr(tls_identity) again = tls_from_pem(p.ca_pem, key, &error);
    assert_null(error);
    g_autoptr(tls_identity) host = tls_make_host(again, names, &error);
    g_autofree char *pem = tls_cert_pem(host);
    assert_true(tls_verify(pem, p.ca_pem, "mail.example.test", &error));
    assert_null(tls_from_pem(p.ca_pem, other_key, &error));
    assert_true(g_error_matches(error, TLS_ERROR, TLS_ERROR_PEM));
    g_clear_error(&error);
    assert_null(tls_from_pem("no certificate", key, &error));
    assert_true(g_error_matches(error, TLS_ERROR, TLS_ERROR_PEM));
    /* The directory keeps both in attributes of at most 2048 bytes. */
    assert_true(strlen(key) < 2048 && strlen(p.ca_pem) < 2048);
    free_pair(&p);
    free_pair(&q);
}

static void refuses_names_that_are_none(void **state)
{
    static const char *const bad[] = { "", "a,DNS:evil.test", "a b", "x:y", "a\nb", NULL };
    pair p = make_pair();
    for (size_t i = 0; bad[i]; i++) {
        g_autoptr(GError) error = NULL;
        const char *const list[] = { bad[i], NULL };
        assert_null(tls_make_host(p.ca, list, &error));
        assert_non_null(error);
    }
    g_autofree char *label = g_strnfill(60, 'a');
    g_autofree char *name = g_strdup_printf("%s.%s.test", label, label);
    const char *const long_name[] = { name, NULL };
    g_autoptr(tls_identity) id = tls_make_host(p.ca, long_name, NULL);
    g_autofree char *pem = tls_cert_pem(id);
    assert_true(tls_verify(pem, p.ca_pem, name, NULL));
    free_pair(&p);
}

static void writes_files_with_their_mode(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("tls-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "server.key", NULL);
    struct stat st;
    g_autofree char *text = NULL;
    assert_true(tls_write_file(path, "old", 0644, (gid_t) -1, NULL));
    assert_true(tls_write_file(path, "new", 0640, getegid(), NULL));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "new");
    (void) g_unlink(path);
    (void) g_rmdir(folder);
    g_autoptr(GError) error = NULL;
    assert_false(tls_write_file(path, "x", 0640, (gid_t) -1, &error));
    assert_true(g_error_matches(error, TLS_ERROR, TLS_ERROR_WRITE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_verifies_under_its_ca),
        cmocka_unit_test(another_ca_does_not_do),
        cmocka_unit_test(lasts_as_long_as_promised),
        cmocka_unit_test(survives_pem),
        cmocka_unit_test(refuses_names_that_are_none),
        cmocka_unit_test(writes_files_with_their_mode),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
