/* IMAP syntax. The first byte chooses how literals are treated and how the input
 * is split; properties: any split gives the same commands; a decoded name encodes
 * to itself; a quoted string reads back as itself; a set prints what it contains. */
#include "lib/imap/imap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_arguments(const char *command, size_t len)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    imap_cursor c = { .p = command, .end = command + len, .strings = strings };
    const char *s = imap_astring(&c);
    if (s) {
        g_autofree char *name = imap_utf7_decode(s);
        g_autofree char *again = name ? imap_utf7_encode(name) : NULL;
        g_assert(!name || g_str_equal(again, s));
        g_autoptr(GString) out = g_string_new(NULL);
        imap_put_quoted(out, s);
        imap_cursor q = { .p = out->str, .end = out->str + out->len, .strings = strings };
        const char *back = imap_string(&q);
        g_assert(back && g_str_equal(back, s) && imap_at_end(&q));
    }
    c = (imap_cursor) { .p = command, .end = command + len, .strings = strings };
    g_autoptr(GArray) set = imap_set(&c);
    if (set) {
        imap_set_resolve(set, 1000);
        for (guint i = 0; i < set->len; i++)
            g_assert(imap_set_contains(set, g_array_index(set, imap_range, i).from));
    }
    int64_t when;
    c = (imap_cursor) { .p = command, .end = command + len, .strings = strings };
    (void) imap_date_time(&c, &when);   /* only that it survives */
}

static char *run(const uint8_t *bytes, size_t len, size_t chunk, unsigned choice)
{
    static const imap_limits limits = { .max_command = 200, .max_skip = 1000 };
    imap_reader r;
    imap_reader_init(&r, &limits);
    GString *out = g_string_new(NULL);
    uint64_t stream = 0;
    for (size_t at = 0, used; at < len; at += used) {
        size_t n = MIN(chunk, len - at);
        if (stream > 0) {
            used = (size_t) MIN(stream, n);
            stream -= used;
            continue;
        }
        int event = imap_reader_feed(&r, bytes + at, n, &used);
        if (event < 0)
            break;
        if (event == IMAP_LITERAL) {
            unsigned how = r.literal_size > 100 ? IMAP_REFUSE : choice % 3;
            stream = how == IMAP_STREAM ? r.literal_size : 0;
            imap_reader_literal(&r, (imap_literal_choice) how);
        } else if (event != IMAP_MORE) {
            g_string_append_len(out, (const char *) r.command->data, r.command->len);
            g_string_append_c(out, '\0');
            check_arguments((const char *) r.command->data, r.command->len);
            imap_reader_next(&r);
        }
    }
    imap_reader_done(&r);
    g_string_append_printf(out, "%zu", out->len);
    return g_string_free(out, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1)
        return 0;
    g_autofree char *whole = run(bytes + 1, len - 1, len, bytes[0] & 3);
    g_autofree char *split = run(bytes + 1, len - 1, 1 + (bytes[0] >> 2), bytes[0] & 3);
    g_assert(g_str_equal(whole, split));
    return 0;
}
