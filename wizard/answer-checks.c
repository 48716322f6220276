/* Checks of single answers. They read (a certificate, a zone file) but change
 * nothing, and leave rules between answers to answers.c. */
#include "wizard/answer-checks.h"

#include <arpa/inet.h>
#include <glib.h>
#include <unistd.h>

#include "lib/service/service.h"
#include "lib/tls/tls.h"

#define LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define ZONES "/usr/share/zoneinfo"

enum { NAME_MAX_LEN = 253, PASSWORD_MIN = 6, PASSWORD_MAX = 64 };

static bool is_domain(const char *value)
{
    return strlen(value) <= NAME_MAX_LEN &&
           g_regex_match_simple("^" LABEL "(\\." LABEL ")+$", value, G_REGEX_DOLLAR_ENDONLY, 0);
}

char *check_host_name(const char *value)
{
    return is_domain(value) ? NULL : g_strdup("a full host name, as in mail.example.com");
}

char *check_domain_name(const char *value)
{
    return is_domain(value) ? NULL : g_strdup("a domain, as in example.com");
}

char *check_address(const char *value)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool good = inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1;
    return good ? NULL : g_strdup("an IPv4 or IPv6 address");
}

static char *service_names(void)
{
    size_t n;
    const service_def *table = service_table(&n);
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        if (!table[i].always)
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", table[i].name);
    return g_string_free(g_steal_pointer(&names), FALSE);
}

char *check_services(const char *value)
{
    g_auto(GStrv) names = g_strsplit(value, ",", -1);
    for (char **name = names; *name; name++) {
        const service_def *service = service_find(g_strstrip(*name));
        if (!service || service->always) {
            g_autofree char *allowed = service_names();
            return g_strdup_printf("names parted by commas out of %s; \"%s\" is none of them", allowed, *name);
        }
    }
    return *names ? NULL : g_strdup("at least one service");
}

char *check_directory_url(const char *value)
{
    return g_regex_match_simple("^ldaps?://" LABEL "(\\." LABEL ")+(:[0-9]{1,5})?/?$", value, G_REGEX_DOLLAR_ENDONLY, 0)
           ? NULL : g_strdup("ldap:// or ldaps:// and a full host name, as in ldap://ldap.example.com");
}

char *check_readable_file(const char *value)
{
    return g_path_is_absolute(value) && access(value, R_OK) == 0 && g_file_test(value, G_FILE_TEST_IS_REGULAR)
           ? NULL : g_strdup("the full path of a file that can be read");
}

char *check_ca_file(const char *value)
{
    char *problem = check_readable_file(value);
    g_autofree char *pem = NULL;
    gint64 end;
    if (problem)
        return problem;
    if (!g_file_get_contents(value, &pem, NULL, NULL) || !tls_expiry(pem, &end, NULL))
        return g_strdup("a file with a certificate in PEM form (ssl/zimbra/ca/ca.pem of the directory's host)");
    return end * G_USEC_PER_SEC > g_get_real_time() ? NULL : g_strdup("a certificate that has not expired");
}

char *check_mail_address(const char *value)
{
    const char *at = strchr(value, '@');
    bool local = at && g_regex_match_simple("^[A-Za-z0-9._+-]{1,64}@", value, 0, 0) && *value != '.';
    return local && is_domain(at + 1) ? NULL : g_strdup("an address, as in admin@example.com");
}

char *check_password(const char *value)
{
    glong len = g_utf8_validate(value, -1, NULL) ? g_utf8_strlen(value, -1) : 0;
    for (const char *p = value; *p; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            len = 0;
    return len >= PASSWORD_MIN && len <= PASSWORD_MAX ? NULL
           : g_strdup_printf("%d to %d characters of UTF-8, none of them a control character", PASSWORD_MIN, PASSWORD_MAX);
}

char *check_secret(const char *value)
{
    return *value && g_str_is_ascii(value) ? NULL : g_strdup("the password as it stands in localconfig.xml");
}

char *check_time_zone(const char *value)
{
    g_autofree char *path = g_build_filename(ZONES, value, NULL);
    bool good = g_regex_match_simple("^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", value, G_REGEX_DOLLAR_ENDONLY, 0) &&
                g_file_test(path, G_FILE_TEST_IS_REGULAR);
    return good ? NULL : g_strdup("a zone of " ZONES ", as in Europe/Berlin or UTC");
}
