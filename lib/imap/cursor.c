/* Reads a command's arguments, one function per production of RFC 9051 §9. */
#include "lib/imap/imap.h"

static bool is_atom_char(char ch)
{
    return ch > 0x20 && ch < 0x7f && !strchr("(){%*\"\\]", ch);
}

bool imap_at_end(const imap_cursor *c)
{
    return c->p == c->end;
}

bool imap_next_is(const imap_cursor *c, char ch)
{
    return c->p < c->end && *c->p == ch;
}

bool imap_take(imap_cursor *c, char ch)
{
    if (!imap_next_is(c, ch))
        return false;
    c->p++;
    return true;
}

bool imap_take_word(imap_cursor *c, const char *word)
{
    size_t len = strlen(word);
    if ((size_t) (c->end - c->p) < len || g_ascii_strncasecmp(c->p, word, len) != 0)
        return false;
    if (c->p + len < c->end && is_atom_char(c->p[len]) && c->p[len] != '[')
        return false;
    c->p += len;
    return true;
}

static const char *take_while(imap_cursor *c, bool (*accept)(char))
{
    const char *start = c->p;
    while (c->p < c->end && accept(*c->p))
        c->p++;
    return c->p > start ? g_string_chunk_insert_len(c->strings, start, c->p - start) : NULL;
}

static bool is_tag_char(char ch)
{
    return ch != '+' && (is_atom_char(ch) || ch == ']');
}

static bool is_astring_char(char ch)
{
    return is_atom_char(ch) || ch == ']';
}

static bool is_list_char(char ch)
{
    return is_astring_char(ch) || ch == '%' || ch == '*';
}

const char *imap_tag(imap_cursor *c)
{
    return take_while(c, is_tag_char);
}

const char *imap_atom(imap_cursor *c)
{
    return take_while(c, is_atom_char);
}

static const char *quoted(imap_cursor *c)
{
    g_autoptr(GString) s = g_string_new(NULL);
    for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
        if (*c->p == '\\' && (++c->p == c->end || (*c->p != '"' && *c->p != '\\')))
            return NULL;
        if (*c->p == 0 || *c->p == '\r' || *c->p == '\n')
            return NULL;
        g_string_append_c(s, *c->p);
    }
    return imap_take(c, '"') ? g_string_chunk_insert_len(c->strings, s->str, (gssize) s->len) : NULL;
}

static const char *literal(imap_cursor *c)
{
    uint64_t size;
    c->p++;
    if (!imap_number64(c, &size))
        return NULL;
    (void) imap_take(c, '+');   /* LITERAL+ or not is the reader's business */
    if (!imap_take(c, '}') || !imap_take(c, '\r') || !imap_take(c, '\n') || size > (uint64_t) (c->end - c->p))
        return NULL;
    const char *start = c->p;
    c->p += size;
    return memchr(start, 0, size) ? NULL : g_string_chunk_insert_len(c->strings, start, (gssize) size);
}

const char *imap_string(imap_cursor *c)
{
    return imap_next_is(c, '"') ? quoted(c) : imap_next_is(c, '{') ? literal(c) : NULL;
}

const char *imap_astring(imap_cursor *c)
{
    return imap_next_is(c, '"') || imap_next_is(c, '{') ? imap_string(c) : take_while(c, is_astring_char);
}

bool imap_nstring(imap_cursor *c, const char **ret)
{
    if (imap_take_word(c, "NIL")) {
        *ret = NULL;
        return true;
    }
    const char *s = imap_string(c);
    if (s)
        *ret = s;
    return s != NULL;
}

const char *imap_list_mailbox(imap_cursor *c)
{
    return imap_next_is(c, '"') || imap_next_is(c, '{') ? imap_string(c) : take_while(c, is_list_char);
}

char *imap_mailbox(imap_cursor *c)
{
    const char *name = imap_astring(c);
    return name ? imap_utf7_decode(name) : NULL;
}

const char *imap_flag(imap_cursor *c)
{
    if (!imap_next_is(c, '\\'))
        return imap_atom(c);
    const char *start = c->p++;
    const char *name = imap_atom(c);
    return name ? g_string_chunk_insert_len(c->strings, start, c->p - start) : NULL;
}

bool imap_number64(imap_cursor *c, uint64_t *ret)
{
    uint64_t v = 0;
    const char *start = c->p;
    for (; c->p < c->end && g_ascii_isdigit(*c->p); c->p++) {
        if (v > (INT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t) (*c->p - '0');
    }
    if (c->p == start)
        return false;
    *ret = v;
    return true;
}

bool imap_number(imap_cursor *c, uint32_t *ret)
{
    uint64_t v;
    if (!imap_number64(c, &v) || v > UINT32_MAX)
        return false;
    *ret = (uint32_t) v;
    return true;
}
