/* Any bytes as a message, under default and under narrow limits. Properties: any
 * split gives one summary; what is encoded decodes to the same bytes again; parts
 * lie inside the message. Any bytes as an encoded summary: refused or readable. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/mime/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GBytes *encoded(const uint8_t *data, size_t size, size_t step, const mime_limits *limits)
{
    mime_parser *p = mime_parser_new(limits);
    for (size_t at = 0; at < size; at += step)
        mime_parser_feed(p, data + at, MIN(step, size - at));
    g_autoptr(mime_summary) s = mime_parser_end(p);
    return mime_summary_encode(s);
}

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check(const uint8_t *data, size_t size, const mime_limits *limits)
{
    g_autoptr(GBytes) whole = encoded(data, size, size + 1, limits);
    static const size_t steps[] = { 1, 3, 17 };
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(GBytes) split = encoded(data, size, steps[i], limits);
        require(g_bytes_equal(whole, split));
    }
    g_autoptr(mime_summary) back = NULL;
    require(mime_summary_decode(g_bytes_get_data(whole, NULL), g_bytes_get_size(whole), &back) == 0);
    g_autoptr(GBytes) again = mime_summary_encode(back);
    require(g_bytes_equal(whole, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const mime_limits narrow = { .max_depth = 3, .max_parts = 4, .max_header_bytes = 64, .max_addresses = 2 };
    check(data, size, &mime_default_limits);
    check(data, size, &narrow);
    mime_summary *s = NULL;
    if (mime_summary_decode(data, size, &s) == 0) {
        GBytes *bytes = mime_summary_encode(s);
        g_bytes_unref(bytes);
        mime_summary_free(s);
    }
    return 0;
}
