/* Address lists (RFC 5322 §3.4, obsolete forms of §4.4) into RFC 9051 addresses.
 *
 * Bad input never fails: each item between commas yields at most one address with
 * what could be read of it. A missing local part or domain becomes the visible
 * word MISSING_MAILBOX or MISSING_DOMAIN, because NIL there means a group marker
 * to an IMAP client (Dovecot answers the same words). */
#include "lib/mime/internal.h"

#define NO_MAILBOX "MISSING_MAILBOX"
#define NO_DOMAIN "MISSING_DOMAIN"

void scan_quoted(scan *s, GString *out)
{
    for (s->p++; !scan_done(s) && *s->p != '"'; s->p++) {
        if (*s->p == '\\' && s->p + 1 < s->end)
            s->p++;
        if (out)
            g_string_append_c(out, *s->p);
    }
    if (!scan_done(s))
        s->p++;
}

static void scan_comment(scan *s, GString *out)
{
    if (out)
        g_string_truncate(out, 0);
    unsigned depth = 1;
    for (s->p++; !scan_done(s); s->p++) {
        if (*s->p == '\\' && s->p + 1 < s->end)
            s->p++;
        else if (*s->p == '(')
            depth++;
        else if (*s->p == ')' && --depth == 0)
            break;
        if (out)
            g_string_append_c(out, *s->p);
    }
    if (!scan_done(s))
        s->p++;
}

void scan_cfws(scan *s, GString *comment)
{
    while (!scan_done(s)) {
        if (*s->p == '(')
            scan_comment(s, comment);
        else if (g_ascii_isspace(*s->p))
            s->p++;
        else
            return;
    }
}

static const char specials[] = "()<>[]:;@,\"";

/* One word of a phrase or local part: an atom (dots included, as in the obsolete
 * phrase) or a quoted string. False when neither stands at S. */
static bool scan_word(scan *s, GString *out)
{
    if (scan_is(s, '"')) {
        scan_quoted(s, out);
        return true;
    }
    const char *start = s->p;
    while (!scan_done(s) && !g_ascii_isspace(*s->p) && (*s->p == 0 || !strchr(specials, *s->p)))
        s->p++;
    g_string_append_len(out, start, s->p - start);
    return s->p > start;
}

/* Domain: atoms and dots with white space dropped, or a literal kept as it is. */
static void scan_domain(scan *s, GString *out, GString *comment)
{
    scan_cfws(s, comment);
    if (scan_is(s, '[')) {
        const char *start = s->p;
        while (!scan_done(s) && *s->p != ']')
            s->p++;
        if (!scan_done(s))
            s->p++;
        g_string_append_len(out, start, s->p - start);
        return;
    }
    while (!scan_done(s) && *s->p != '"' && scan_word(s, out)) {
        bool dot_before = out->len && out->str[out->len - 1] == '.';
        scan_cfws(s, comment);
        if (!dot_before && !scan_is(s, '.'))
            return;
    }
}

/* Words up to a special; a space between those that white space or quotes part. */
static unsigned scan_phrase(scan *s, GString *out, GString *comment)
{
    unsigned words = 0;
    for (scan_cfws(s, comment); !scan_done(s); scan_cfws(s, comment)) {
        gsize before = out->len;
        if (words)
            g_string_append_c(out, ' ');
        if (!scan_word(s, out)) {
            g_string_truncate(out, before);
            break;
        }
        words++;
    }
    return words;
}

/* "a . b" of an obsolete local part is "a.b". */
static void squeeze_dots(GString *local)
{
    gsize n = 0;
    for (gsize i = 0; i < local->len; i++) {
        bool near_dot = (i + 1 < local->len && local->str[i + 1] == '.') || (n && local->str[n - 1] == '.');
        if (local->str[i] != ' ' || !near_dot)
            local->str[n++] = local->str[i];
    }
    g_string_truncate(local, n);
}

static char *string_or_null(const GString *s)
{
    return s->len ? g_strndup(s->str, s->len) : NULL;
}

static char *string_or(const GString *s, const char *fallback)
{
    return s->len ? g_strndup(s->str, s->len) : g_strdup(fallback);
}

/* Behind a '<': route, local part, domain, '>'. */
static mime_address *angle_address(scan *s, char *name, GString *comment)
{
    g_autoptr(GString) route = g_string_new(NULL);
    g_autoptr(GString) local = g_string_new(NULL);
    g_autoptr(GString) domain = g_string_new(NULL);
    scan_cfws(s, NULL);
    while (scan_is(s, '@') || scan_is(s, ',')) {
        g_string_append_c(route, *s->p);
        if (*s->p++ == '@')
            scan_domain(s, route, NULL);
        scan_cfws(s, NULL);
    }
    if (route->len && scan_is(s, ':')) {
        s->p++;
    } else if (route->len) {              /* "<@host>": no route but a missing local part */
        g_string_append(domain, route->str + 1);
        g_string_truncate(route, 0);
    }
    scan_phrase(s, local, comment);
    squeeze_dots(local);
    if (scan_is(s, '@')) {
        s->p++;
        g_string_truncate(domain, 0);
        scan_domain(s, domain, comment);
    }
    while (!scan_done(s) && *s->p != '>' && *s->p != ',')
        s->p++;
    if (scan_is(s, '>'))
        s->p++;
    return mime_address_new(name, string_or_null(route), string_or(local, NO_MAILBOX), string_or(domain, NO_DOMAIN));
}

/* addr-spec without angle brackets: the comment after it is the name (RFC 822 habit). */
static mime_address *bare_address(scan *s, GString *phrase, unsigned words, GString *comment)
{
    g_autoptr(GString) domain = g_string_new(NULL);
    bool at = scan_is(s, '@');
    if (at) {
        s->p++;
        scan_domain(s, domain, comment);
        scan_cfws(s, comment);
        squeeze_dots(phrase);
    }
    if (!at && words > 1)
        return mime_address_new(string_or_null(phrase), NULL, g_strdup(NO_MAILBOX), g_strdup(NO_DOMAIN));
    return mime_address_new(string_or_null(comment), NULL, string_or(phrase, NO_MAILBOX), string_or(domain, NO_DOMAIN));
}

static void skip_to_separator(scan *s)
{
    while (!scan_done(s) && *s->p != ',' && *s->p != ';') {
        if (*s->p == '"')
            scan_quoted(s, NULL);
        else if (*s->p == '(')
            scan_cfws(s, NULL);
        else
            s->p++;
    }
}

/* One item: a mailbox, or the head of a group. */
static void parse_item(scan *s, GPtrArray *list, bool *in_group)
{
    g_autoptr(GString) phrase = g_string_new(NULL);
    g_autoptr(GString) comment = g_string_new(NULL);
    unsigned words = scan_phrase(s, phrase, comment);
    if (scan_is(s, ':') && !*in_group) {
        s->p++;
        *in_group = true;
        g_ptr_array_add(list, mime_address_new(NULL, NULL, g_strndup(phrase->str, phrase->len), NULL));
        return;
    }
    if (scan_is(s, '<')) {
        s->p++;
        char *name = string_or_null(phrase);
        mime_address *a = angle_address(s, name, comment);
        scan_cfws(s, comment);
        if (!a->name)
            a->name = string_or_null(comment);
        g_ptr_array_add(list, a);
    } else if (words || scan_is(s, '@')) {
        g_ptr_array_add(list, bare_address(s, phrase, words, comment));
    }
    skip_to_separator(s);
}

void mime_addresses_parse(const char *body, size_t len, unsigned max, GPtrArray *list)
{
    scan s = { body, body + len };
    bool in_group = false;
    while (list->len < max) {
        scan_cfws(&s, NULL);
        if (scan_done(&s))
            break;
        if (scan_is(&s, ',')) {
            s.p++;
        } else if (scan_is(&s, ';')) {
            s.p++;
            if (in_group)
                g_ptr_array_add(list, mime_address_new(NULL, NULL, NULL, NULL));
            in_group = false;
        } else {
            parse_item(&s, list, &in_group);
        }
    }
    if (in_group)                         /* one above MAX at most: a group is closed */
        g_ptr_array_add(list, mime_address_new(NULL, NULL, NULL, NULL));
}
