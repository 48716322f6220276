/* Any text as a template, with values that hold every awkward character. What
 * renders must contain no control character that the template did not write. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const *lookup(template_source source, const char *key, void *data)
{
    static const char *const yes[] = { "TRUE", NULL };
    static const char *const number[] = { "33", NULL };
    static const char *const list[] = { "a b", "c'\"\\;{}$#", "x\ny", NULL };
    static const char *const none[] = { NULL };
    switch (key[0] % 6) {
    case 0: return yes;
    case 1: return number;
    case 2: return list;
    case 3: return none;
    case 4: return number;
    default: return NULL;
    }
}

static void ignore_key(template_source source, const char *key, void *data)
{
    if (!*key)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *source = g_strndup((const char *) data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(template) t = template_parse("fuzz", source, &error);
    if (!t) {
        if (!error || !strstr(error->message, "fuzz"))
            abort();
        return 0;
    }
    template_each_key(t, ignore_key, NULL);
    g_autofree char *out = template_render(t, lookup, NULL, &error);
    if (!out == !error)
        abort();
    if (out && strstr(out, "x\ny") && !strstr(source, "x"))
        abort();
    return 0;
}
