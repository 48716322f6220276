/* nginx's auth_http texts: see header.h. nginx escapes space, "%" and control
 * bytes of user and password as %XX (8-bit bytes stay as they are), and puts "NO " or "-ERR " in front of
 * the Auth-Status that it passes on to the client. */
#include "agents/route/header.h"

#include <glib.h>
#include <string.h>

struct header_words { const char *protocol, *denied, *unavailable, *limited; };

static const header_words table[] = {
    { "imap", "[AUTHENTICATIONFAILED] invalid user name or password",
              "[UNAVAILABLE] temporary failure, try again later",
              "[LIMIT] too many logins, try again later" },
    { "pop3", "[AUTH] invalid user name or password",
              "[SYS/TEMP] temporary failure, try again later",
              "[LOGIN-DELAY] too many logins, try again later" },
};

const header_words *header_words_of(const char *protocol)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(protocol, table[i].protocol) == 0)
            return &table[i];
    return NULL;
}

const char *header_denied(const header_words *w)
{
    return w->denied;
}

const char *header_unavailable(const header_words *w)
{
    return w->unavailable;
}

const char *header_limited(const header_words *w)
{
    return w->limited;
}

char *header_unescape(const char *text, size_t max)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        char c = *p;
        if (c == '%') {
            if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
                return NULL;
            c = (char) (g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
            p += 2;
        }
        if (c == 0 || out->len == max)
            return NULL;
        g_string_append_c(out, c);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

bool header_is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}
