/* Strings of answers: quoted where that holds them, else a literal. */
#include "lib/imap/imap.h"

enum { QUOTED_MAX = 1000 };

static bool fits_quoted(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char) s[i] < 0x20 || (unsigned char) s[i] >= 0x7f)
            return false;
    return len <= QUOTED_MAX;
}

void imap_put_string(GString *out, const char *s, size_t len)
{
    if (!fits_quoted(s, len)) {
        g_string_append_printf(out, "{%zu}\r\n", len);
        g_string_append_len(out, s, (gssize) len);
        return;
    }
    g_string_append_c(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"' || s[i] == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, s[i]);
    }
    g_string_append_c(out, '"');
}

void imap_put_quoted(GString *out, const char *s)
{
    imap_put_string(out, s, strlen(s));
}

void imap_put_astring(GString *out, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (*s && s[strspn(s, plain)] == 0)
        g_string_append(out, s);
    else
        imap_put_quoted(out, s);
}

void imap_put_nstring(GString *out, const char *s)
{
    if (s)
        imap_put_quoted(out, s);
    else
        g_string_append(out, "NIL");
}

void imap_put_mailbox(GString *out, const char *name)
{
    g_autofree char *wire = imap_utf7_encode(name);
    imap_put_quoted(out, wire);
}
