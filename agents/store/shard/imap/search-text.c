/* A message's text as a reader sees it, for SEARCH: encoded words (RFC 2047),
 * transfer encodings (RFC 2045) and charsets decoded, then case-folded. Runs in a
 * worker thread; nothing here can fail, what cannot be decoded is searched as it
 * stands. */
#include "agents/store/shard/imap/search.h"

char *search_fold(const char *utf8, gssize len)
{
    g_autofree char *valid = g_utf8_make_valid(utf8, len);
    return g_utf8_casefold(valid, -1);
}

static char *to_utf8(const char *bytes, size_t len, const char *charset)
{
    if (charset && g_ascii_strcasecmp(charset, "UTF-8") != 0 && g_ascii_strcasecmp(charset, "US-ASCII") != 0) {
        char *converted = g_convert_with_fallback(bytes, (gssize) len, "UTF-8", charset, "?", NULL, NULL, NULL);
        if (converted)
            return converted;
    }
    return g_utf8_make_valid(bytes, (gssize) len);
}

static bool contains(const char *utf8, const char *needle)
{
    g_autofree char *folded = g_utf8_casefold(utf8, -1);
    return strstr(folded, needle) != NULL;
}

/* ---- decoding ---- */

static GString *decode_quoted(const char *p, size_t len, bool header)
{
    GString *out = g_string_sized_new(len);
    for (size_t i = 0; i < len; i++) {
        if (header && p[i] == '_') {
            g_string_append_c(out, ' ');
        } else if (p[i] != '=') {
            g_string_append_c(out, p[i]);
        } else if (i + 2 < len && g_ascii_isxdigit(p[i + 1]) && g_ascii_isxdigit(p[i + 2])) {
            g_string_append_c(out, (char) (g_ascii_xdigit_value(p[i + 1]) << 4 | g_ascii_xdigit_value(p[i + 2])));
            i += 2;
        } else if (i + 1 < len && p[i + 1] == '\n') {
            i += 1;
        } else if (i + 2 < len && p[i + 1] == '\r' && p[i + 2] == '\n') {
            i += 2;
        } else {
            g_string_append_c(out, p[i]);
        }
    }
    return out;
}

static GString *decode_base64(const char *p, size_t len)
{
    GString *out = g_string_sized_new(len / 4 * 3 + 3);
    gint state = 0;
    guint save = 0;
    g_string_set_size(out, len / 4 * 3 + 3);
    g_string_set_size(out, g_base64_decode_step(p, len, (guchar *) out->str, &state, &save));
    return out;
}

/* =?charset?B?text?= at P: its length, or 0. */
static size_t encoded_word(const char *p, GString *out)
{
    const char *charset = p + 2, *q1 = p[0] == '=' && p[1] == '?' ? strchr(charset, '?') : NULL;
    if (!q1 || q1 == charset || !q1[1] || q1[2] != '?' || !strchr("bBqQ", q1[1]))
        return 0;
    const char *text = q1 + 3, *end = strstr(text, "?=");
    if (!end || strcspn(p, " \t") < (size_t) (end - p))
        return 0;
    GString *bytes = g_ascii_tolower(q1[1]) == 'b' ? decode_base64(text, (size_t) (end - text)) : decode_quoted(text, (size_t) (end - text), true);
    g_autofree char *name = g_strndup(charset, strcspn(charset, "?*"));   /* RFC 2231: language after '*' */
    g_autofree char *utf8 = to_utf8(bytes->str, bytes->len, name);
    g_string_append(out, utf8);
    g_string_free(bytes, TRUE);
    return (size_t) (end + 2 - p);
}

/* A field's body unfolded and decoded; blanks between encoded words vanish. */
static char *decode_header(const char *body, size_t len)
{
    g_autofree char *raw = g_utf8_make_valid(body, (gssize) len);
    GString *out = g_string_sized_new(len);
    bool after_word = false;
    for (const char *p = raw; *p; ) {
        size_t blanks = strspn(p, " \t\r\n");
        GString *word = g_string_new(NULL);
        size_t used = encoded_word(p + blanks, word);
        if (blanks > 0 && !(after_word && used > 0))
            g_string_append_c(out, ' ');
        g_string_append_len(out, word->str, (gssize) word->len);
        g_string_free(word, TRUE);
        p += blanks;
        size_t plain = used > 0 ? 0 : strcspn(p, " \t\r\n");
        g_string_append_len(out, p, (gssize) plain);
        p += used + plain;
        after_word = used > 0;
    }
    return g_string_free(out, FALSE);
}

/* ---- header ---- */

static bool field_matches(const char *field, size_t len, const char *name, const char *needle)
{
    size_t name_len = name ? strlen(name) : 0;
    if (name && (len <= name_len || g_ascii_strncasecmp(field, name, name_len) != 0))
        return false;
    const char *body = field + name_len;
    if (name) {
        while (body < field + len && (*body == ' ' || *body == '\t'))
            body++;
        if (body == field + len || *body++ != ':')
            return false;
    }
    if (!*needle)
        return true;
    g_autofree char *decoded = decode_header(body, len - (size_t) (body - field));
    return contains(decoded, needle);
}

static bool header_matches(const char *header, size_t len, const char *name, const char *needle)
{
    const char *end = header + len;
    for (const char *p = header, *next; p < end; p = next) {
        next = p;
        do {
            const char *lf = memchr(next, '\n', (size_t) (end - next));
            next = lf ? lf + 1 : end;
        } while (next < end && (*next == ' ' || *next == '\t'));
        if (field_matches(p, (size_t) (next - p), name, needle))
            return true;
    }
    return false;
}

static bool range_ok(const search_message *m, uint64_t offset, uint64_t len)
{
    return offset <= m->len && len <= m->len - offset;
}

bool search_header(const search_message *m, const char *name, const char *needle)
{
    const mime_part *root = m->summary->root;
    return range_ok(m, root->header_offset, root->header_len) && header_matches(m->bytes + root->header_offset, root->header_len, name, needle);
}

/* ---- body ---- */

static const char *charset_of(const mime_part *p)
{
    for (guint i = 0; p->params && i + 1 < p->params->len; i += 2)
        if (g_ascii_strcasecmp(g_ptr_array_index(p->params, i), "charset") == 0)
            return g_ptr_array_index(p->params, i + 1);
    return NULL;
}

static bool text_contains(const search_message *m, const mime_part *p, const char *needle)
{
    const char *body = m->bytes + p->body_offset;
    const char *encoding = p->encoding ? p->encoding : "";
    GString *decoded = g_ascii_strcasecmp(encoding, "base64") == 0 ? decode_base64(body, p->body_len)
                     : g_ascii_strcasecmp(encoding, "quoted-printable") == 0 ? decode_quoted(body, p->body_len, false)
                     : g_string_new_len(body, (gssize) p->body_len);
    g_autofree char *utf8 = to_utf8(decoded->str, decoded->len, charset_of(p));
    g_string_free(decoded, TRUE);
    return contains(utf8, needle);
}

static bool part_contains(const search_message *m, const mime_part *p, const char *needle)
{
    if (!range_ok(m, p->body_offset, p->body_len))
        return false;
    for (guint i = 0; p->children && i < p->children->len; i++) {
        const mime_part *child = g_ptr_array_index(p->children, i);
        bool in_header = p->envelope && range_ok(m, child->header_offset, child->header_len) &&
                         header_matches(m->bytes + child->header_offset, child->header_len, NULL, needle);
        if (in_header || part_contains(m, child, needle))
            return true;
    }
    return g_str_equal(p->type, "TEXT") && text_contains(m, p, needle);
}

bool search_body(const search_message *m, const char *needle)
{
    return part_contains(m, m->summary->root, needle);
}
