/* What memcached gives back is nobody's word: without the signature it is no route. */
#include <glib.h>
#include <stdint.h>
#include "agents/route/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_assert(!route_address("route:proto=imap;user=a", text, 7143, "mail.test", "key"));
    return 0;
}
