/* Bytes that say they are a statistics page: refused, or every name is one that can
 * go into a CSV header and a metric as it is. */
#include <assert.h>
#include <string.h>

#include "lib/statpage/statpage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    statpage_copy c;
    if (statpage_parse(data, size, &c) < 0)
        return 0;
    assert(c.n > 0 && c.n <= STATPAGE_MAX_VALUES && c.pid > 0);
    for (size_t i = 0; i < c.n; i++) {
        const char *name = c.values[i].name;
        assert(strlen(name) <= STATPAGE_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(name));
        uint64_t v;
        assert(statpage_copy_get(&c, name, &v));
    }
    statpage_copy_clear(&c);
    return 0;
}
