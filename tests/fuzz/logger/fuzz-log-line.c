/* Any entry becomes exactly one line of bounded length and valid UTF-8 in each form. */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include "agents/logger/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Fields are separated by a byte 0xfe. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const line_form forms[] = { line_syslog, line_mailbox, line_audit, line_plain, line_own };
    entry *e = entry_new();
    for (const uint8_t *p = data, *end = data + size; p < end; ) {
        const uint8_t *stop = memchr(p, 0xfe, (size_t) (end - p));
        size_t len = (size_t) ((stop ? stop : end) - p);
        entry_set(e, p, len);
        p += len + 1;
    }
    entry_finish(e, 1795544762627398);
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        forms[i](out, e);
        g_assert(out->len > 0 && out->len < 4 * LINE_TEXT_MAX + 16384);
        g_assert(memchr(out->str, '\n', out->len) == out->str + out->len - 1);
    }
    entry_free(e);
    return 0;
}
