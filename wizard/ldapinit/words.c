/* The words of the LDIF templates in schema/slapd.
 *
 *   @prefix@                  where the appliance is installed
 *   @localconfig:KEY@         a setting of this host
 *   @hash:KEY@                the {ARGON2} hash of a password in localconfig
 *   @security@                value of olcSecurity
 *   @secret-attributes@       what no service identity may read, comma separated
 *   @token-key@               a fresh zimbraAuthTokenKey
 *   @base64:PATH@             a file below the prefix, in base64
 *   @file:NAME@               a file of lib/schema, without its last newline
 *
 * A lone at sign (@amavisAccount in an access rule) stands as it is. */
#include "wizard/ldapinit/ldapinit.h"

#include <sys/random.h>

#include "lib/schema/schema.h"

G_DEFINE_QUARK(mailstead-ldapinit-error, ldapinit_error)

static bool word_prefix(localconfig *lc, const char *arg, GString *out, GError **error)
{
    g_string_append(out, PREFIX);
    return true;
}

/* A value that goes into a line of LDIF: set, and one line. */
static const char *setting(localconfig *lc, const char *key, GError **error)
{
    const char *value = localconfig_get(lc, key);
    if (value && *value && !strpbrk(value, "\r\n"))
        return value;
    g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_TEMPLATE,
                "localconfig key %s %s; set it with zmlocalconfig -e", key,
                value && *value ? "has more than one line" : "has no value");
    return NULL;
}

static bool word_localconfig(localconfig *lc, const char *arg, GString *out, GError **error)
{
    const char *value = setting(lc, arg, error);
    if (value)
        g_string_append(out, value);
    return value != NULL;
}

static bool word_hash(localconfig *lc, const char *arg, GString *out, GError **error)
{
    const char *password = setting(lc, arg, error);
    g_autofree char *hash = password ? password_hash(password, error) : NULL;
    if (hash)
        g_string_append(out, hash);
    return hash != NULL;
}

/* Passwords travel encrypted whatever the setting; it can ask for more. */
static bool word_security(localconfig *lc, const char *arg, GString *out, GError **error)
{
    gint64 ssf = localconfig_get_int(lc, "ldap_common_require_tls", 0);
    g_string_append(out, "simple_bind=128");
    if (ssf > 0)
        g_string_append_printf(out, " ssf=%" G_GINT64_FORMAT, ssf);
    return true;
}

/* userPassword and DKIMKey have rules of their own. */
static bool word_secrets(localconfig *lc, const char *arg, GString *out, GError **error)
{
    size_t n;
    const attr_def *attrs = schema_attrs(&n);
    const char *comma = "";
    for (size_t i = 0; i < n; i++) {
        if (!(attrs[i].flags & ATTR_SECRET) || g_str_equal(attrs[i].name, "userPassword") ||
            g_str_equal(attrs[i].name, "DKIMKey"))
            continue;
        g_string_append_printf(out, "%s%s", comma, attrs[i].name);
        comma = ",";
    }
    return true;
}

/* Version, time of making in milliseconds, 32 random bytes. */
static bool word_token_key(localconfig *lc, const char *arg, GString *out, GError **error)
{
    unsigned char key[32];
    if (getrandom(key, sizeof key, 0) != sizeof key) {
        g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_STATE, "the kernel gives no random bytes");
        return false;
    }
    g_string_append_printf(out, "0:%" G_GINT64_FORMAT ":", g_get_real_time() / 1000);
    for (size_t i = 0; i < sizeof key; i++)
        g_string_append_printf(out, "%02x", key[i]);
    return true;
}

static bool word_base64(localconfig *lc, const char *arg, GString *out, GError **error)
{
    g_autofree char *path = g_build_filename(PREFIX, arg, NULL), *text = NULL;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, error))
        return false;
    g_autofree char *b64 = g_base64_encode((const guchar *) text, len);
    g_string_append(out, b64);
    return true;
}

static bool word_file(localconfig *lc, const char *arg, GString *out, GError **error)
{
    g_autofree char *path = g_build_filename(PREFIX, "lib/schema", arg, NULL), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    g_string_append(out, g_strchomp(text));
    return true;
}

static const struct {
    const char *word;
    bool (*fill)(localconfig *lc, const char *arg, GString *out, GError **error);
} words[] = {
    { "prefix", word_prefix }, { "localconfig", word_localconfig }, { "hash", word_hash },
    { "security", word_security }, { "secret-attributes", word_secrets },
    { "token-key", word_token_key }, { "base64", word_base64 }, { "file", word_file },
};

/* END is the closing at sign, when AT opens a word: "@word@" or "@word:argument@". */
static const char *word_end(const char *at)
{
    size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-0123456789");
    const char *end = at + 1 + len;
    if (len > 0 && *end == ':')
        end += strcspn(end, "@\n ");
    return len > 0 && *end == '@' ? end : NULL;
}

static bool fill_word(const char *text, localconfig *lc, GString *out, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_equal(words[i].word, parts[0]))
            return words[i].fill(lc, parts[1] ? parts[1] : "", out, error);
    g_set_error(error, LDAPINIT_ERROR, LDAPINIT_ERROR_TEMPLATE, "unknown word @%s@", text);
    return false;
}

char *template_fill(const char *path, localconfig *lc, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        const char *end = *p == '@' ? word_end(p) : NULL;
        if (!end) {
            g_string_append_c(out, *p);
            continue;
        }
        g_autofree char *word = g_strndup(p + 1, (gsize) (end - p - 1));
        if (!fill_word(word, lc, out, error)) {
            g_prefix_error(error, "%s: ", path);
            return NULL;
        }
        p = end;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
