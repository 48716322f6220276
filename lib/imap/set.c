/* Sequence sets (RFC 9051 §9, sequence-set) and their resolution. */
#include "lib/imap/imap.h"

static bool seq_number(imap_cursor *c, uint32_t *ret)
{
    if (imap_take(c, '*')) {
        *ret = IMAP_STAR;
        return true;
    }
    return imap_number(c, ret) && *ret != 0;
}

GArray *imap_set(imap_cursor *c)
{
    g_autoptr(GArray) set = g_array_new(FALSE, FALSE, sizeof(imap_range));
    do {
        imap_range range;
        if (set->len >= IMAP_SET_MAX || !seq_number(c, &range.from))
            return NULL;
        range.to = range.from;
        if (imap_take(c, ':') && !seq_number(c, &range.to))
            return NULL;
        g_array_append_val(set, range);
    } while (imap_take(c, ','));
    return g_steal_pointer(&set);
}

static gint by_from(gconstpointer a, gconstpointer b)
{
    const imap_range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

void imap_set_resolve(GArray *set, uint32_t max)
{
    guint n = 0;
    for (guint i = 0; i < set->len; i++) {
        imap_range range = g_array_index(set, imap_range, i);
        if (max == 0 && (range.from == IMAP_STAR || range.to == IMAP_STAR))
            continue;
        range.from = range.from == IMAP_STAR ? max : range.from;
        range.to = range.to == IMAP_STAR ? max : range.to;
        if (range.from > range.to)
            range = (imap_range) { range.to, range.from };
        g_array_index(set, imap_range, n++) = range;
    }
    g_array_set_size(set, n);
    g_array_sort(set, by_from);
    n = 0;
    for (guint i = 0; i < set->len; i++) {
        imap_range range = g_array_index(set, imap_range, i);
        imap_range *last = n > 0 ? &g_array_index(set, imap_range, n - 1) : NULL;
        if (last && (last->to == UINT32_MAX || range.from <= last->to + 1))
            last->to = MAX(last->to, range.to);
        else
            g_array_index(set, imap_range, n++) = range;
    }
    g_array_set_size(set, n);
}

bool imap_set_contains(const GArray *resolved, uint32_t value)
{
    guint low = 0, high = resolved->len;
    while (low < high) {
        guint mid = low + (high - low) / 2;
        const imap_range *range = &g_array_index(resolved, imap_range, mid);
        if (value < range->from)
            high = mid;
        else if (value > range->to)
            low = mid + 1;
        else
            return true;
    }
    return false;
}

void imap_put_set(GString *out, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && numbers[end] == numbers[end - 1] + 1; end++)
            ;
        g_string_append_printf(out, i > 0 ? ",%u" : "%u", numbers[i]);
        if (end - i > 1)
            g_string_append_printf(out, ":%u", numbers[end - 1]);
    }
}
