/* Any bytes as an LMTP session: lines are parsed, DATA switches to text, the final
 * dot back. Properties: any split gives the same events; text that is stuffed
 * again and read once more is the same text. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "agents/store/intake/lmtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append(const char *bytes, size_t len, void *out)
{
    g_string_append_len(out, bytes, (gssize) len);
}

static bool take_line(lmtp_line *l, int r, GString *events)
{
    lmtp_command c;
    if (r == -EMSGSIZE) {
        g_string_append(events, "!long\n");
        return false;
    }
    lmtp_command_parse(l->text->str, l->text->len, &c);
    g_string_append_printf(events, "%d %s %s\n", (int) c.verb, c.reply ? c.reply : "", c.reply ? "" : c.path);
    return c.verb == LMTP_DATA && !c.reply;
}

static GString *session(const char *in, size_t len, size_t step)
{
    GString *events = g_string_new(NULL);
    lmtp_line l;
    lmtp_data d;
    spam_watch w = { 0 };
    bool text = false;
    lmtp_line_init(&l, 64);
    for (size_t at = 0; at < len; ) {
        size_t used, n = MIN(step, len - at);
        if (text) {
            gsize before = events->len;
            text = lmtp_data_feed(&d, in + at, n, &used, append, events) == 0;
            spam_watch_feed(&w, events->str + before, events->len - before);
            g_string_append(events, text ? "" : w.yes ? "\n<junk>\n" : "\n<end>\n");
        } else {
            int r = lmtp_line_feed(&l, in + at, n, &used);
            text = r != 0 && take_line(&l, r, events);
            if (text) {
                lmtp_data_init(&d);
                w = (spam_watch) { 0 };
            }
            if (r != 0)
                lmtp_line_next(&l);
        }
        at += used;
    }
    lmtp_line_done(&l);
    return events;
}

/* Stuffs as a client does: a dot before each line that begins with one. */
static void check_stuffing(const char *in, size_t len)
{
    g_autoptr(GString) wire = g_string_new(NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    for (size_t i = 0; i < len; i++) {
        bool start = i == 0 || (i >= 2 && in[i - 1] == '\n' && in[i - 2] == '\r');
        if (start && in[i] == '.')
            g_string_append_c(wire, '.');
        g_string_append_c(wire, in[i]);
    }
    bool ended = len == 0 || (len >= 2 && in[len - 1] == '\n' && in[len - 2] == '\r');
    g_string_append(wire, ended ? ".\r\n" : "\r\n.\r\n");
    lmtp_data d;
    lmtp_data_init(&d);
    size_t used;
    if (lmtp_data_feed(&d, wire->str, wire->len, &used, append, out) != 1 || used != wire->len)
        abort();
    if (out->len < len || memcmp(out->str, in, len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = { 1, 2, 7 };
    g_autoptr(GString) whole = session((const char *) data, size, size + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(GString) split = session((const char *) data, size, steps[i]);
        if (!g_string_equal(whole, split))
            abort();
    }
    check_stuffing((const char *) data, size);
    return 0;
}
