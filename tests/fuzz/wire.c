/* Store messages: whatever decodes must encode to the same bytes. */
#include "agents/store/wire/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    wire_message m;
    if (wire_decode(bytes, len, &m) < 0)
        return 0;
    g_autoptr(GByteArray) again = wire_encode(&m);
    /* flags (bytes 2 and 3) are the connection's */
    g_assert(again && again->len == len && memcmp(again->data + 4, bytes + 4, len - 4) == 0);
    wire_message_clear(&m);
    return 0;
}
