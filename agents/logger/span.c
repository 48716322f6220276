/* See span.h. */
#include "agents/logger/span.h"

#include <string.h>

span span_of(const char *text)
{
    return (span) { text ? text : "", text ? strlen(text) : 0 };
}

bool span_is(span s, const char *literal)
{
    return s.len == strlen(literal) && memcmp(s.text, literal, s.len) == 0;
}

bool span_starts(span s, const char *literal)
{
    size_t n = strlen(literal);
    return s.len >= n && memcmp(s.text, literal, n) == 0;
}

bool span_ends(span s, const char *literal)
{
    size_t n = strlen(literal);
    return s.len >= n && memcmp(s.text + s.len - n, literal, n) == 0;
}

static void drop(span *s, size_t n)
{
    s->text += n;
    s->len -= n;
}

bool span_skip(span *s, const char *literal)
{
    if (!span_starts(*s, literal))
        return false;
    drop(s, strlen(literal));
    return true;
}

bool span_take(span *s, const char *delimiter, span *taken)
{
    const char *at = s->len ? memmem(s->text, s->len, delimiter, strlen(delimiter)) : NULL;
    if (!at)
        return false;
    *taken = (span) { s->text, (size_t) (at - s->text) };
    drop(s, taken->len + strlen(delimiter));
    return true;
}

bool span_take_address(span *s, span *taken)
{
    size_t i = 1;
    bool quoted = false;
    if (s->len < 2 || s->text[0] != '<')
        return false;
    for (; i < s->len && (quoted || s->text[i] != '>'); i++) {
        if (quoted && s->text[i] == '\\')
            i++;
        else if (s->text[i] == '"')
            quoted = !quoted;
    }
    if (i >= s->len)
        return false;
    *taken = (span) { s->text + 1, i - 1 };
    drop(s, i + 1);
    return true;
}

gssize span_last(span s, const char *literal)
{
    size_t n = strlen(literal);
    for (size_t i = s.len >= n ? s.len - n + 1 : 0; i-- > 0; )
        if (memcmp(s.text + i, literal, n) == 0)
            return (gssize) i;
    return -1;
}

bool span_number(span s, gint64 *number)
{
    gint64 n = 0;
    if (s.len == 0 || s.len > 18)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!g_ascii_isdigit(s.text[i]))
            return false;
        n = n * 10 + (s.text[i] - '0');
    }
    *number = n;
    return true;
}

char *span_dup(span s, size_t max)
{
    g_autofree char *text = g_utf8_make_valid(s.text ? s.text : "", (gssize) MIN(s.len, max));
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gsize n = (gsize) (g_utf8_next_char(p) - p);
        if (out->len + n > max)
            break;
        if (g_unichar_iscntrl(c))
            g_string_append_c(out, '?');
        else
            g_string_append_len(out, p, (gssize) n);
    }
    return g_string_free(out, FALSE);
}
