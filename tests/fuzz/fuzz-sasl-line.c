/* Lines of the SASL socket and what they carry. The first byte chooses. */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include "agents/auth/sasl-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autofree char *text = g_strndup((const char *) data + 1, size - 1);
    g_autofree char *user = NULL, *password = NULL;
    sasl_line l;
    switch (data[0] % 3) {
    case 0:
        if (sasl_line_parse(text, &l) == 0 && l.verb == SASL_AUTH)
            g_assert(*l.mech && l.service && l.client_ip);
        break;
    case 1:
        if (sasl_decode_text(text, &user) == 0) {
            g_autofree char *back = g_base64_encode((const guchar *) user, strlen(user));
            g_assert(strlen(back) == strlen(text));
        }
        break;
    default:
        if (sasl_decode_plain(text, &user, &password) == 0)
            g_assert(*user && password);
    }
    return 0;
}
