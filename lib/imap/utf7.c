/* Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3) and UTF-8. Only the
 * canonical encoding decodes, so that one name has one form. */
#include "lib/imap/imap.h"

static const char base64[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_direct(gunichar ch)
{
    return ch >= 0x20 && ch <= 0x7e;
}

static void put_shifted(GString *out, const gunichar *ch, size_t n)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    g_string_append_c(out, '&');
    for (size_t i = 0; i < n; i++) {
        gunichar pair = ch[i] - 0x10000;
        uint16_t units[2] = { (uint16_t) (ch[i] < 0x10000 ? ch[i] : 0xd800 + (pair >> 10)), (uint16_t) (0xdc00 + (pair & 0x3ff)) };
        for (unsigned u = 0; u < (ch[i] < 0x10000 ? 1 : 2); u++) {
            bits = (bits << 16) | units[u];
            for (n_bits += 16; n_bits >= 6; n_bits -= 6)
                g_string_append_c(out, base64[(bits >> (n_bits - 6)) & 63]);
            bits &= (1U << n_bits) - 1;
        }
    }
    if (n_bits > 0)
        g_string_append_c(out, base64[(bits << (6 - n_bits)) & 63]);
    g_string_append_c(out, '-');
}

char *imap_utf7_encode(const char *utf8)
{
    glong n;
    g_autofree gunichar *ch = g_utf8_to_ucs4_fast(utf8, -1, &n);
    GString *out = g_string_new(NULL);
    for (glong i = 0; i < n; ) {
        if (ch[i] == '&')
            g_string_append(out, "&-");
        else if (is_direct(ch[i]))
            g_string_append_c(out, (char) ch[i]);
        if (ch[i] == '&' || is_direct(ch[i])) {
            i++;
            continue;
        }
        glong end = i;
        while (end < n && !is_direct(ch[end]))
            end++;
        put_shifted(out, ch + i, (size_t) (end - i));
        i = end;
    }
    return g_string_free(out, FALSE);
}

/* One shifted run, P after '&'; returns the place after '-', or NULL. */
static const char *take_shifted(const char *p, GArray *units)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (; *p && *p != '-'; p++) {
        const char *at = strchr(base64, *p);
        if (!at)
            return NULL;
        bits = (bits << 6) | (uint32_t) (at - base64);
        n_bits += 6;
        if (n_bits >= 16) {
            uint16_t unit = (uint16_t) (bits >> (n_bits - 16));
            g_array_append_val(units, unit);
            n_bits -= 16;
            bits &= (1U << n_bits) - 1;
        }
    }
    return *p == '-' ? p + 1 : NULL;
}

char *imap_utf7_decode(const char *utf7)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = utf7; *p; ) {
        if (*p != '&') {
            g_string_append_c(out, *p++);
        } else if (p[1] == '-') {
            g_string_append_c(out, '&');
            p += 2;
        } else {
            g_autoptr(GArray) units = g_array_new(FALSE, FALSE, sizeof(uint16_t));
            p = take_shifted(p + 1, units);
            g_autofree char *run = p ? g_utf16_to_utf8((const gunichar2 *) (const void *) units->data, units->len, NULL, NULL, NULL) : NULL;
            if (!run)
                return NULL;
            g_string_append(out, run);
        }
    }
    if (!g_utf8_validate(out->str, (gssize) out->len, NULL))
        return NULL;
    g_autofree char *again = imap_utf7_encode(out->str);
    return g_str_equal(again, utf7) ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
