/* auth_wire_decode: what decodes must encode and decode to the same again. */
#include <glib.h>
#include "lib/auth/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auth_message m, back;
    if (auth_wire_decode(data, size, &m) < 0)
        return 0;
    GByteArray *bytes = auth_wire_encode(&m);
    g_assert(bytes && auth_wire_decode(bytes->data, bytes->len, &back) == 0);
    g_assert(m.op == back.op && m.id == back.id && m.status == back.status);
    for (auth_field f = 0; f < AUTH_F_MAX; f++)
        g_assert(g_strcmp0(m.field[f], back.field[f]) == 0);
    auth_wire_free(bytes);
    return 0;
}
