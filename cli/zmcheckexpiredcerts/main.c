/* zmcheckexpiredcerts: looks at this host's certificates and tells those that end
 * soon (Guide ch. 12). zmalertd looks every day by itself; this is the guide's
 * monthly job and the administrator's question. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/alert/alert.h"
#include "lib/localconfig/localconfig.h"
#include "lib/tls/tls.h"

enum { EXIT_OK = 0, EXIT_EXPIRING = 1, EXIT_WRONG = 2, DAY_S = 86400, DEFAULT_DAYS = 30, MAX_DAYS = 3650 };

static const struct { const char *file, *name; } certificates[] = {
    { TLS_SERVER_CERT, "of this host" },
    { TLS_CA_CERT, "of the CA" },
};

/* The stage of the catalogue's condition, as zmalertd numbers it: both then tell a
 * stage once. 0: not within the 30 days of which alerts come. */
static int stage(gint64 left_s)
{
    static const int days[] = { 1, 7, 14, 30 };
    for (size_t i = 0; i < G_N_ELEMENTS(days); i++)
        if (left_s <= (gint64) days[i] * DAY_S)
            return (int) (G_N_ELEMENTS(days) - i);
    return 0;
}

static void tell(const char *file, const char *name, const char *when, gint64 left_s)
{
    g_autofree char *days = g_strdup_printf("%" G_GINT64_FORMAT, MAX((left_s + DAY_S - 1) / DAY_S, 0));
    g_autofree char *level = g_strdup_printf("%d", stage(left_s));
    if (stage(left_s) > 0)
        alert_raise(left_s <= 0 ? "certificate-expired" : "certificate-expiring", "FILE", file, "NAME", name,
                    "EXPIRES", when, "DAYS", days, "STAGE", level, NULL);
}

/* False when the certificate ends within DAYS or cannot be read. */
static bool check(const char *file, const char *name, gint64 days, bool email)
{
    g_autofree char *pem = NULL;
    g_autoptr(GError) error = NULL;
    gint64 expires, now = g_get_real_time() / G_USEC_PER_SEC;
    if (!g_file_get_contents(file, &pem, NULL, &error) || !tls_expiry(pem, &expires, &error)) {
        fprintf(stderr, "zmcheckexpiredcerts: %s: %s\n", file, error->message);
        return false;
    }
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(expires);
    g_autofree char *when = end ? g_date_time_format(end, "%Y-%m-%d %H:%M:%S UTC") : g_strdup("?");
    bool soon = expires - now <= days * DAY_S;
    printf("%s: the certificate %s %s on %s%s\n", file, name, expires <= now ? "expired" : "expires", when,
           soon && expires > now ? ", soon" : "");
    if (soon && email)
        tell(file, name, when, expires - now);
    return !soon;
}

static gint64 default_days(void)
{
    bool hidden = access(LOCALCONFIG_PATH, R_OK) < 0;
    g_autoptr(localconfig) lc = localconfig_load(hidden ? "/nonexistent" : NULL, NULL);     /* unreadable: the default */
    return CLAMP(lc ? localconfig_get_int(lc, "zimbra_zmcertmgr_expiration_threshold", DEFAULT_DAYS) : DEFAULT_DAYS, 0, MAX_DAYS);
}

static void print_usage(FILE *out)
{
    fprintf(out, "usage: zmcheckexpiredcerts [-days N] [-email] [-verbose]\n"
            "\t-days N  certificates that end within N days (zimbra_zmcertmgr_expiration_threshold, 30)\n"
            "\t-email   raise an alert for each, which is mailed to the administrator\n");
}

int main(int argc, char **argv)
{
    gint64 days = -1;
    bool email = false, good = true;
    for (int i = 1; i < argc; i++) {
        const char *option = g_str_has_prefix(argv[i], "--") ? argv[i] + 1 : argv[i];
        if (g_str_equal(option, "-days") && i + 1 < argc &&
            g_ascii_string_to_signed(argv[i + 1], 10, 0, MAX_DAYS, &days, NULL)) {
            i++;
        } else if (g_str_equal(option, "-email")) {
            email = true;
        } else if (g_str_equal(option, "-help") || g_str_equal(option, "-h")) {
            print_usage(stdout);
            return EXIT_OK;
        } else if (!g_str_equal(option, "-verbose")) {
            fprintf(stderr, "zmcheckexpiredcerts: %s: is no option, or wants a number from 0 to %d\n", argv[i], MAX_DAYS);
            print_usage(stderr);
            return EXIT_WRONG;
        }
    }
    if (days < 0)
        days = default_days();
    for (size_t i = 0; i < G_N_ELEMENTS(certificates); i++)
        if (g_file_test(certificates[i].file, G_FILE_TEST_EXISTS))     /* not every host has each */
            good = check(certificates[i].file, certificates[i].name, days, email) && good;
    /* An alert was raised: the job that raised it has not failed. */
    return good || email ? EXIT_OK : EXIT_EXPIRING;
}
