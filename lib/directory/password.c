/* Passwords: normal form, the rules of a COS, and setting one. The hash is
 * slapd's own: it gets the password by the password modify operation (RFC 3062)
 * over a protected connection and stores it with its configured scheme. */
#include "lib/directory/private.h"

#define PASSWORD_MAX 1024

char *directory_normalise_password(const char *password)
{
    return g_utf8_validate(password, -1, NULL) ? g_utf8_normalize(password, -1, G_NORMALIZE_NFC) : NULL;
}

struct counts { gint64 length, upper, lower, alpha, digit, punctuation; };

static struct counts count(const char *text)
{
    struct counts c = { 0 };
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar u = g_utf8_get_char(p);
        c.length++;
        c.upper += g_unichar_isupper(u);
        c.lower += g_unichar_islower(u);
        c.alpha += g_unichar_isalpha(u);
        c.digit += g_unichar_isdigit(u);
        c.punctuation += g_unichar_ispunct(u);
    }
    return c;
}

static bool refuse(GError **error, const char *rule, const char *attr, gint64 limit)
{
    return directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_PASSWORD",
                          "invalid password: %s (%s is %" G_GINT64_FORMAT ")", rule, attr, limit);
}

/* Every character matches the rule's own expression for one. */
static bool only_allowed(entry *account, const char *text, GError **error)
{
    const char *allowed = entry_get(account, "zimbraPasswordAllowedChars");
    g_autofree char *whole = allowed ? g_strdup_printf("\\A(?:%s)*\\z", allowed) : NULL;
    return !whole || g_regex_match_simple(whole, text, 0, 0) ||
           directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_PASSWORD",
                          "invalid password: a character is not in zimbraPasswordAllowedChars %s", allowed);
}

bool directory_check_password(entry *account, const char *password, GError **error)
{
    g_autofree char *text = directory_normalise_password(password);
    if (!text)
        return directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_PASSWORD",
                              "invalid password: not UTF-8");
    struct counts c = count(text);
    const struct { const char *attr, *rule; gint64 have; } least[] = {
        { "zimbraPasswordMinLength", "too short", c.length },
        { "zimbraPasswordMinUpperCaseChars", "not enough upper case characters", c.upper },
        { "zimbraPasswordMinLowerCaseChars", "not enough lower case characters", c.lower },
        { "zimbraPasswordMinAlphaChars", "not enough letters", c.alpha },
        { "zimbraPasswordMinNumericChars", "not enough digits", c.digit },
        { "zimbraPasswordMinPunctuationChars", "not enough punctuation characters", c.punctuation },
        { "zimbraPasswordMinDigitsOrPuncs", "not enough digits or punctuation characters", c.digit + c.punctuation },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(least); i++) {
        gint64 limit = entry_get_int(account, least[i].attr, 0);
        if (c.length && least[i].have < limit)
            return refuse(error, least[i].rule, least[i].attr, limit);
    }
    gint64 most = entry_get_int(account, "zimbraPasswordMaxLength", 0);
    if (most > 0 && c.length > most)
        return refuse(error, "too long", "zimbraPasswordMaxLength", most);
    return only_allowed(account, text, error);
}

static bool acceptable(const char *text)
{
    if (!text || !*text || strlen(text) > PASSWORD_MAX)
        return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

bool directory_set_password(directory *d, entry *account, const char *password, GError **error)
{
    g_autofree char *text = directory_normalise_password(password);
    if (!acceptable(text))
        return directory_fail(
            error, DIRECTORY_ERROR_INVALID, "account.INVALID_PASSWORD",
            "invalid password: must be UTF-8 text without control characters, at most %d bytes, and not empty",
            PASSWORD_MAX);
    if (!directory_ldap_password(d, entry_dn(account), text, error))
        return false;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%d%H%M%SZ");
    g_autoptr(modlist) m = mods_new();
    mods_add(m, LDAP_MOD_REPLACE, "zimbraPasswordModifiedTime", stamp);
    return directory_ldap_modify(d, entry_dn(account), mods_array(m), error);
}
