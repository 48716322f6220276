/* The last line is "-- 12 Kbytes in 3 Requests." or "Mail queue is empty". */
#include "cli/monitor/queue.h"

#include <string.h>

bool queue_parse(const char *last_line, guint64 *ret_kbytes, guint64 *ret_messages)
{
    guint64 kbytes, messages;
    if (g_str_equal(last_line, "Mail queue is empty")) {
        *ret_kbytes = *ret_messages = 0;
        return true;
    }
    g_auto(GStrv) w = g_strsplit(last_line, " ", -1);
    if (g_strv_length(w) != 6 || !g_str_equal(w[0], "--") || !g_str_equal(w[2], "Kbytes") || !g_str_equal(w[3], "in") ||
        !g_str_has_prefix(w[5], "Request") || !g_ascii_string_to_unsigned(w[1], 10, 0, G_MAXUINT64, &kbytes, NULL) ||
        !g_ascii_string_to_unsigned(w[4], 10, 0, G_MAXUINT64, &messages, NULL))
        return false;
    *ret_kbytes = kbytes;
    *ret_messages = messages;
    return true;
}
