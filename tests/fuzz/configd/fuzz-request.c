/* Any line as a control request. One that is taken, written anew from its parts
 * and parsed again, gives the same request. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "configd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    request r, again;
    const char *reply = NULL;
    if (!request_parse((const char *) data, size, &r, &reply)) {
        if (!g_str_has_prefix(reply, "ERROR "))
            abort();
        return 0;
    }
    g_autofree char *copy = g_strndup((const char *) data, size);
    g_autoptr(GString) line = g_string_new_len(copy, strcspn(copy, " \r"));
    for (char **a = r.args; *a; a++) {
        g_autofree char *word = request_escape(*a);
        g_string_append_printf(line, " %s", word);
    }
    if (line->len <= REQUEST_MAX_BYTES) {
        if (!request_parse(line->str, line->len, &again, &reply) || again.verb != r.verb ||
            !g_strv_equal((const char *const *) r.args, (const char *const *) again.args))
            abort();
        request_clear(&again);
    }
    request_clear(&r);
    return 0;
}
