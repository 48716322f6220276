/* Names: mail addresses, domains, DNs. Text only; nothing here asks the server.
 *
 * An address is RFC 5321's dot-string and a domain; quoted local parts and
 * address literals name no object of the directory. An international domain is
 * kept in its ASCII form. */
#include "lib/directory/private.h"

#define LOCAL_PART_MAX 64
#define DOMAIN_MAX     253
#define ADDRESS_MAX    256      /* of zimbraMailDeliveryAddress */
#define LABEL_MAX      63

static bool valid_local_part(const char *s, size_t len)
{
    if (len == 0 || len > LOCAL_PART_MAX || s[0] == '.' || s[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.' && s[i + 1] == '.')
            return false;
        if (!g_ascii_isalnum(s[i]) && !strchr(".!#$%&'*+-/=?^_`{|}~", s[i]))
            return false;
    }
    return true;
}

static bool valid_domain(const char *s)
{
    if (!*s || strlen(s) > DOMAIN_MAX)
        return false;
    g_auto(GStrv) labels = g_strsplit(s, ".", -1);
    for (char **l = labels; *l; l++) {
        size_t len = strlen(*l);
        if (len == 0 || len > LABEL_MAX || (*l)[0] == '-' || (*l)[len - 1] == '-')
            return false;
        for (size_t i = 0; i < len; i++)
            if (!g_ascii_isalnum((*l)[i]) && (*l)[i] != '-')
                return false;
    }
    return true;
}

char *directory_normalise_domain(const char *domain, GError **error)
{
    g_autofree char *ascii =
        strlen(domain) <= ADDRESS_MAX && g_utf8_validate(domain, -1, NULL) ? g_hostname_to_ascii(domain) : NULL;
    if (!ascii || !valid_domain(ascii)) {
        directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                       "invalid domain name: \"%.100s\" (letters, digits and '-' between dots)", domain);
        return NULL;
    }
    return g_ascii_strdown(ascii, -1);
}

char *directory_normalise_address(const char *address, GError **error)
{
    const char *at = strrchr(address, '@');
    g_autofree char *domain = at ? directory_normalise_domain(at + 1, NULL) : NULL;
    if (!domain || !valid_local_part(address, (size_t) (at - address)) ||
        (size_t) (at - address) + 1 + strlen(domain) > ADDRESS_MAX) {
        directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                       "invalid mail address: \"%.100s\" (needed: name@domain)", address);
        return NULL;
    }
    g_autofree char *local = g_ascii_strdown(address, at - address);
    return g_strconcat(local, "@", domain, NULL);
}

void directory_split_address(const char *address, char **ret_local, const char **ret_domain)
{
    const char *at = strrchr(address, '@');
    g_assert(at);
    *ret_local = g_strndup(address, (gsize) (at - address));
    *ret_domain = at + 1;
}

bool directory_is_id(const char *text)
{
    if (strlen(text) != 36)
        return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !g_ascii_isalnum(text[i]))
            return false;
    }
    return true;
}

bool directory_valid_name(const char *name, const char *what, GError **error)
{
    bool ok = *name && strlen(name) <= 255 && g_utf8_validate(name, -1, NULL);
    for (const char *p = name; ok && *p; p++)
        ok = (unsigned char) *p >= 0x20 && *p != 0x7f && *p != '@';
    return ok || directory_fail(error, DIRECTORY_ERROR_INVALID, "service.INVALID_REQUEST",
                                "invalid name of a %s: \"%.100s\"", what, name);
}

char *directory_escape(const char *value)
{
    GString *s = g_string_new(NULL);
    for (const unsigned char *p = (const unsigned char *) value; *p; p++) {
        if (strchr("*()\\", *p) || *p < 0x20)
            g_string_append_printf(s, "\\%02x", *p);
        else
            g_string_append_c(s, (char) *p);
    }
    return g_string_free(s, FALSE);
}

char *directory_escape_dn(const char *value)
{
    GString *s = g_string_new(NULL);
    size_t len = strlen(value);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) value[i];
        bool edge = (c == ' ' && (i == 0 || i == len - 1)) || (c == '#' && i == 0);
        if (c < 0x20 || c == 0x7f)
            g_string_append_printf(s, "\\%02x", c);
        else if (edge || strchr(",+\"\\<>;=", c))
            g_string_append_printf(s, "\\%c", c);
        else
            g_string_append_c(s, (char) c);
    }
    return g_string_free(s, FALSE);
}

char *directory_domain_dn(const char *domain)
{
    g_autofree char *ascii = g_hostname_to_ascii(domain);
    g_autofree char *lower = g_ascii_strdown(ascii ? ascii : domain, -1);
    g_auto(GStrv) labels = g_strsplit(lower, ".", -1);
    GString *dn = g_string_new(NULL);
    for (char **l = labels; *l; l++) {
        g_autofree char *label = directory_escape_dn(*l);
        g_string_append_printf(dn, "%sdc=%s", dn->len ? "," : "", label);
    }
    return g_string_free(dn, FALSE);
}

char *directory_people_dn(const char *domain, const char *local)
{
    g_autofree char *uid = directory_escape_dn(local);
    g_autofree char *dn = directory_domain_dn(domain);
    return g_strdup_printf("uid=%s,ou=people,%s", uid, dn);
}

char *directory_account_dn(const char *address)
{
    const char *at = strrchr(address, '@');
    if (!at) {
        g_autofree char *uid = directory_escape_dn(address);
        return g_strdup_printf("uid=%s," ADMIN_BASE, uid);
    }
    g_autofree char *local = g_ascii_strdown(address, at - address);
    return directory_people_dn(at + 1, local);
}

/* The value of AVA as a string of ours. */
static char *ava_text(const LDAPAVA *ava)
{
    return g_strndup(ava->la_value.bv_val, ava->la_value.bv_len);
}

char *directory_dn_value(const char *dn)
{
    LDAPDN parsed = NULL;
    if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !parsed)
        return g_strdup(dn);
    char *value = parsed[0] && parsed[0][0] ? ava_text(parsed[0][0]) : g_strdup("");
    ldap_dnfree(parsed);
    return value;
}

char *directory_dn_domain(const char *dn)
{
    LDAPDN parsed = NULL;
    if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !parsed)
        return NULL;
    GString *domain = g_string_new(NULL);
    for (int i = 0; parsed[i]; i++) {
        const LDAPAVA *ava = parsed[i][0];
        if (ava->la_attr.bv_len != 2 || g_ascii_strncasecmp(ava->la_attr.bv_val, "dc", 2) != 0)
            continue;
        g_autofree char *label = ava_text(ava);
        g_string_append_printf(domain, "%s%s", domain->len ? "." : "", label);
    }
    ldap_dnfree(parsed);
    return g_string_free(domain, domain->len == 0);
}

char *directory_dn_parent(const char *dn)
{
    LDAPDN parsed = NULL;
    char *text = NULL;
    if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !parsed)
        return g_strdup("");
    if (ldap_dn2str(parsed + 1, &text, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        text = NULL;
    char *parent = g_strdup(text ? text : "");
    ldap_memfree(text);
    ldap_dnfree(parsed);
    return parent;
}
