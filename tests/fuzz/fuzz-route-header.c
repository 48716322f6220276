/* header_unescape: never longer than allowed, never a NUL inside, and escaping
 * every byte again gives the same. */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include "agents/route/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autofree char *plain = header_unescape(text, 64);
    if (!plain)
        return 0;
    g_assert(strlen(plain) <= 64);
    g_autoptr(GString) escaped = g_string_new(NULL);
    for (const char *p = plain; *p; p++)
        g_string_append_printf(escaped, "%%%02X", (unsigned char) *p);
    g_autofree char *back = header_unescape(escaped->str, 64);
    g_assert(g_strcmp0(back, plain) == 0);
    return 0;
}
