/* See certificates.h. Each stage is told once; a certificate that is replaced by a
 * longer one is an all-clear. */
#include "agents/alerts/certificates.h"

#include "lib/journal/journal.h"
#include "lib/tls/tls.h"

enum { DAY_S = 86400 };

static const struct { const char *file, *name; } watched[] = {
    { TLS_SERVER_CERT, "of this host" },
    { TLS_CA_CERT, "of the CA" },
};

struct certificates {
    manager *m;
    sd_event_source *timer;
};

int certificates_stage(gint64 expires_s, gint64 now_s)
{
    static const int days[] = { 1, 7, 14, 30 };
    gint64 left = expires_s - now_s;
    if (left <= 0)
        return CERTIFICATES_EXPIRED;
    for (size_t i = 0; i < G_N_ELEMENTS(days); i++)
        if (left <= (gint64) days[i] * DAY_S)
            return (int) (G_N_ELEMENTS(days) - i);
    return 0;
}

static void tell(certificates *c, const char *file, const char *name, gint64 expires, gint64 now)
{
    g_autofree char *condition = g_strdup_printf("certificate %s", file);
    int before = manager_level(c->m, condition), stage = certificates_stage(expires, now);
    if (stage == before)
        return;
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(expires);
    g_autofree char *when = end ? g_date_time_format(end, "%Y-%m-%d %H:%M:%S UTC") : g_strdup("?");
    g_autofree char *days = g_strdup_printf("%" G_GINT64_FORMAT, MAX((expires - now + DAY_S - 1) / DAY_S, 0));
    g_autofree char *level = g_strdup_printf("%d", stage);
    /* A longer one may still be short: then it is told as such, at its own stage. */
    const char *id = stage == 0 ? "certificate-ok" : stage == CERTIFICATES_EXPIRED ? "certificate-expired" : "certificate-expiring";
    manager_raise(c->m, id, "FILE", file, "NAME", name, "EXPIRES", when, "DAYS", days, "STAGE", level, NULL);
}

void certificates_check(certificates *c)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    for (size_t i = 0; i < G_N_ELEMENTS(watched); i++) {
        g_autofree char *pem = NULL;
        g_autoptr(GError) error = NULL;
        gint64 expires;
        if (!g_file_test(watched[i].file, G_FILE_TEST_EXISTS))
            continue;           /* not every host has each */
        if (g_file_get_contents(watched[i].file, &pem, NULL, &error) && tls_expiry(pem, &expires, &error))
            tell(c, watched[i].file, watched[i].name, expires, now);
        else
            journal_error("certificate %s cannot be checked: %s", watched[i].file, error->message);
    }
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    certificates_check(data);
    int r = sd_event_source_set_time_relative(s, DAY_S * UINT64_C(1000000));
    return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

certificates *certificates_new(manager *m)
{
    certificates *c = g_new0(certificates, 1);
    c->m = m;
    int r = sd_event_add_time(manager_event(m), &c->timer, CLOCK_MONOTONIC, 0, 0, on_timer, c);
    g_assert(r >= 0);
    return c;
}

void certificates_free(certificates *c)
{
    if (!c)
        return;
    sd_event_source_disable_unref(c->timer);
    g_free(c);
}
