/* Any bytes as the values of RFC 4533 controls and messages. */
#include <stdint.h>

#include "configd/sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berval v = { .bv_val = (char *) data, .bv_len = size };
    sync_state state;
    sync_info info;
    g_autofree char *cookie = NULL, *copy = g_strndup((const char *) data, size), *csn = sync_newest_csn(copy);
    (void) sync_parse_state(&v, &state, &cookie);    /* either answer is right */
    if (sync_parse_info(&v, &info))
        sync_info_clear(&info);
    return 0;
}
