/* PROXY headers: a longer input never changes the verdict on its start. */
#include <arpa/inet.h>
#include <glib.h>
#include <stdint.h>

#include "agents/store/login/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char address[PROXY_ADDRESS_MAX], again[PROXY_ADDRESS_MAX];
    size_t used = 0, used_again = 0;
    int r = proxy_header(bytes, len, address, &used);
    if (r != 1)
        return 0;
    uint8_t raw[16];
    g_assert(used <= len && proxy_header(bytes, used, again, &used_again) == 1 && used_again == used);
    g_assert(!*address || inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, raw) == 1);
    for (size_t n = 0; n < used; n++)
        g_assert(proxy_header(bytes, n, again, &used_again) == 0);
    return 0;
}
