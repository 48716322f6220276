/* Checks a value by its attribute's type and range, and gives its stored form.
 *
 * One function a type, in a table; each appends the stored form to OUT or says
 * what is allowed. The rules follow the LDAP syntaxes that schema/write-ldif.c
 * gives the same types, so that what passes here slapd takes too. */
#include "lib/schema/schema.h"

#include <errno.h>

/* Bounds of attr_def.range. */
typedef struct {
    bool has_min, has_max;
    gint64 min, max;
    const char *match;
} bounds;

/* False: refused; ALLOWED has the words for "allowed: ...". */
typedef bool (*check_fn)(const attr_def *attr, const bounds *b, const char *value, GString *out,
                         GString *allowed);

static bounds parse_range(const attr_def *attr)
{
    bounds b = { 0 };
    if (!attr->range || attr->type == ATTR_ENUM)
        return b;
    const char *min = strstr(attr->range, "min="), *max = strstr(attr->range, "max=");
    const char *match = strstr(attr->range, "match=");
    if ((b.has_min = min != NULL))
        b.min = g_ascii_strtoll(min + strlen("min="), NULL, 10);
    if ((b.has_max = max != NULL))
        b.max = g_ascii_strtoll(max + strlen("max="), NULL, 10);
    b.match = match ? match + strlen("match=") : NULL;
    return b;
}

static bool within(const bounds *b, gint64 n)
{
    return (!b->has_min || n >= b->min) && (!b->has_max || n <= b->max);
}

static void say_bounds(const bounds *b, gint64 low, gint64 high, const char *what, GString *allowed)
{
    gint64 min = b->has_min ? b->min : low, max = b->has_max ? b->max : high;
    g_string_append_printf(allowed, "%s from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, what, min, max);
}

static bool within_length(const bounds *b, const char *value, GString *allowed)
{
    if (within(b, g_utf8_strlen(value, -1)))
        return true;
    g_string_append_printf(allowed, "at most %" G_GINT64_FORMAT " characters", b->max);
    return false;
}

static bool check_text(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    if (!g_utf8_validate(value, -1, NULL)) {
        g_string_append(allowed, "text in UTF-8");
        return false;
    }
    g_string_append(out, value);
    return within_length(b, value, allowed);
}

static bool check_ascii(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    if (!g_str_is_ascii(value)) {
        g_string_append(allowed, "ASCII characters");
        return false;
    }
    return check_text(attr, b, value, out, allowed);
}

static bool check_bytes(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    g_string_append(out, value);
    if (b->has_max && strlen(value) > (size_t) b->max) {
        g_string_append_printf(allowed, "at most %" G_GINT64_FORMAT " bytes", b->max);
        return false;
    }
    return true;
}

static bool check_boolean(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    bool truth = g_ascii_strcasecmp(value, "TRUE") == 0;
    if (!truth && g_ascii_strcasecmp(value, "FALSE") != 0) {
        g_string_append(allowed, "TRUE or FALSE");
        return false;
    }
    g_string_append(out, truth ? "TRUE" : "FALSE");
    return true;
}

/* A decimal number between LOW and HIGH; END gets what follows it. */
static bool parse_number(const char *value, gint64 *ret_n, const char **ret_end)
{
    const char *digits = *value == '-' ? value + 1 : value;
    if (!g_ascii_isdigit(*digits))
        return false;
    errno = 0;
    *ret_n = g_ascii_strtoll(value, (char **) ret_end, 10);
    return errno == 0;
}

static bool check_whole(const bounds *b, const char *value, gint64 low, gint64 high, const char *what,
                        GString *out, GString *allowed)
{
    gint64 n;
    const char *end;
    if (!parse_number(value, &n, &end) || *end || n < low || n > high || !within(b, n)) {
        say_bounds(b, low, high, what, allowed);
        return false;
    }
    g_string_append_printf(out, "%" G_GINT64_FORMAT, n);
    return true;
}

static bool check_integer(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    return check_whole(b, value, G_MININT32, G_MAXINT32, "a whole number", out, allowed);
}

static bool check_port(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    return check_whole(b, value, 0, G_MAXUINT16, "a port number", out, allowed);
}

/* Byte counts are written 100M as well (Guide ch. 8, createCos). */
static bool check_long(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    static const char suffixes[] = "kmg";
    gint64 n, scale = 1;
    const char *end, *suffix;
    bool good = parse_number(value, &n, &end);
    if (good && *end && !end[1] && (suffix = strchr(suffixes, g_ascii_tolower(*end))) != NULL) {
        scale = G_GINT64_CONSTANT(1) << (10 * (suffix - suffixes + 1));
        end++;
    }
    if (!good || *end || n > G_MAXINT64 / scale || n < G_MININT64 / scale || !within(b, n * scale)) {
        say_bounds(b, G_MININT64, G_MAXINT64, "a whole number (also with k, M or G for bytes)", allowed);
        return false;
    }
    g_string_append_printf(out, "%" G_GINT64_FORMAT, n * scale);
    return true;
}

static bool check_enum(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    g_auto(GStrv) words = g_strsplit(attr->range ? attr->range : "", ",", -1);
    for (char **word = words; *word; word++) {
        if (g_ascii_strcasecmp(*word, value) == 0) {
            g_string_append(out, *word);
            return true;
        }
    }
    g_autofree char *list = g_strjoinv(", ", words);
    g_string_append_printf(allowed, "one of %s", list);
    return false;
}

static bool is_address(const char *s)
{
    const char *at = strrchr(s, '@');
    if (!at || at == s || !at[1] || strpbrk(s, " \t\r\n<>,;()") || at[1] == '.' || strstr(at, ".."))
        return false;
    size_t local_len = (size_t) (at - s);
    return local_len <= 64 && strlen(at + 1) <= 255 && !memchr(s, '@', local_len);
}

static bool check_email(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    if (!is_address(value)) {
        g_string_append(allowed, "an address, user@domain");
        return false;
    }
    return check_ascii(attr, b, value, out, allowed);
}

/* "user@domain" or "Some Name <user@domain>" */
static bool is_mailbox(const char *s)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(s));
    char *open = strrchr(trimmed, '<');
    size_t len = strlen(trimmed);
    if (!open)
        return is_address(trimmed);
    if (trimmed[len - 1] != '>')
        return false;
    trimmed[len - 1] = '\0';
    return is_address(open + 1);
}

static bool check_mailbox(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    if (!is_mailbox(value)) {
        g_string_append(allowed, "an address, user@domain or Name <user@domain>");
        return false;
    }
    return check_text(attr, b, value, out, allowed);
}

static bool check_mailboxes(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    for (char **part = parts; *part; part++) {
        if (!is_mailbox(*part)) {
            g_string_append(allowed, "addresses, parted by commas");
            return false;
        }
    }
    return check_text(attr, b, value, out, allowed);
}

static bool check_duration(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    gint64 ms = schema_duration_ms(value);
    if (ms < 0 || !within(b, ms)) {
        g_string_append(allowed, "a number with unit d, h, m, s or ms, as in 15m (no unit: seconds)");
        return false;
    }
    g_string_append(out, value);
    return true;
}

/* YYYYMMDDHH[MM[SS[.f]]]Z; slapd checks the calendar again. */
static bool check_gentime(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    static const struct { int at, max; } fields[] = { { 4, 12 }, { 6, 31 }, { 8, 23 }, { 10, 59 }, { 12, 60 } };
    size_t digits = strspn(value, "0123456789");
    bool good = digits == 10 || digits == 12 || digits == 14;
    for (size_t i = 0; good && i < G_N_ELEMENTS(fields) && (size_t) fields[i].at < digits; i++)
        good = g_ascii_digit_value(value[fields[i].at]) * 10 + g_ascii_digit_value(value[fields[i].at + 1])
               <= fields[i].max;
    const char *rest = value + digits;
    if (good && *rest == '.') {
        size_t fraction = strspn(rest + 1, "0123456789");
        good = fraction > 0;
        rest += 1 + fraction;
    }
    if (!good || !g_str_equal(rest, "Z")) {
        g_string_append(allowed, "a time in UTC, YYYYMMDDHHMMSSZ");
        return false;
    }
    g_string_append(out, value);
    return true;
}

static bool check_phone(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    static const char punctuation[] = " '()+,-./:?";
    for (const char *p = value; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr(punctuation, *p)) {
            g_string_append(allowed, "letters, digits, blanks and '()+,-./:?");
            return false;
        }
    }
    return check_ascii(attr, b, value, out, allowed);
}

static bool check_regex(const attr_def *attr, const bounds *b, const char *value, GString *out, GString *allowed)
{
    if (b->match && !g_regex_match_simple(b->match, value, G_REGEX_DOLLAR_ENDONLY, 0)) {
        g_string_append_printf(allowed, "what matches %s", b->match);
        return false;
    }
    return check_text(attr, b, value, out, allowed);
}

static const check_fn checks[] = {
    [ATTR_STRING] = check_text, [ATTR_ASTRING] = check_ascii, [ATTR_CSTRING] = check_text,
    [ATTR_OSTRING] = check_bytes, [ATTR_BINARY] = check_bytes, [ATTR_BOOLEAN] = check_boolean,
    [ATTR_INTEGER] = check_integer, [ATTR_LONG] = check_long, [ATTR_PORT] = check_port,
    [ATTR_ENUM] = check_enum, [ATTR_ID] = check_text, [ATTR_EMAIL] = check_email,
    [ATTR_EMAILP] = check_mailbox, [ATTR_CS_EMAILP] = check_mailboxes,
    [ATTR_DURATION] = check_duration, [ATTR_GENTIME] = check_gentime, [ATTR_PHONE] = check_phone,
    [ATTR_REGEX] = check_regex, [ATTR_CERTIFICATE] = check_bytes,
};

bool schema_check_value(const attr_def *attr, const char *value, char **ret_normalised, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL), allowed = g_string_new(NULL);
    bounds b = parse_range(attr);
    if (*value && !checks[attr->type](attr, &b, value, out, allowed)) {
        bool show = !(attr->flags & ATTR_SECRET) && g_utf8_validate(value, -1, NULL);
        g_autofree char *shown = show ? g_strdup_printf("\"%.80s\"", value) : g_strdup("the value");
        g_autofree char *valid = g_utf8_make_valid(shown, -1);
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_VALUE, "%s: %s is not valid; allowed: %s",
                    attr->name, valid, allowed->str);
        return false;
    }
    *ret_normalised = g_string_free(g_steal_pointer(&out), FALSE);
    return true;
}
