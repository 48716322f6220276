/* See jiffies.h. */
#include "agents/stats/collect/jiffies.h"

#include <glib.h>
#include <string.h>

bool jiffies_parse(const char *line, char *ret_name, size_t size, jiffies *ret)
{
    g_auto(GStrv) f = g_strsplit_set(line, " ", -1);
    if (!f[0] || !g_str_has_prefix(f[0], "cpu") || strlen(f[0]) >= size)
        return false;
    jiffies j = { 0 };
    size_t n = 0;
    for (size_t i = 1; f[i] && n < JIFFIES_KINDS; i++)
        if (*f[i])
            j.kind[n++] = g_ascii_strtoull(f[i], NULL, 10);
    if (n < JIFFIES_SOFTIRQ)
        return false;
    g_strlcpy(ret_name, f[0], size);
    *ret = j;
    return true;
}

bool jiffies_share(const jiffies *last, const jiffies *now, double ret[JIFFIES_KINDS])
{
    double spent[JIFFIES_KINDS], all = 0;
    for (size_t i = 0; i < JIFFIES_KINDS; i++) {
        /* iowait may go back (proc(5)) */
        spent[i] = now->kind[i] > last->kind[i] ? (double) (now->kind[i] - last->kind[i]) : 0;
        all += spent[i];
    }
    for (size_t i = 0; i < JIFFIES_KINDS && all > 0; i++)
        ret[i] = spent[i] * 100 / all;
    return all > 0;
}
