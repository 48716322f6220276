/* See dots.h. Any LF ends a line here, so that a bare one followed by a lone dot
 * cannot end an answer early in a careless client. */
#include "agents/store/shard/pop3/dots.h"

void dots_begin(dot_stuffer *d, uint32_t body_lines)
{
    *d = (dot_stuffer) { .lines_left = body_lines, .only_cr = true };
}

/* The line is complete: was it the header's last, or one of the body's? */
static void end_line(dot_stuffer *d, bool empty)
{
    if (d->in_body && d->lines_left != UINT32_MAX)
        d->lines_left--;
    else if (empty)
        d->in_body = true;
    d->mid_line = false;
    d->only_cr = true;
}

bool dots_put(dot_stuffer *d, GString *out, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end) {
        if (d->in_body && d->lines_left == 0)
            return false;
        const char *lf = memchr(bytes, '\n', (size_t) (end - bytes));
        const char *stop = lf ? lf + 1 : end;
        if (!d->mid_line && *bytes == '.')
            g_string_append_c(out, '.');
        g_string_append_len(out, bytes, stop - bytes);
        size_t text = (size_t) ((lf ? lf : end) - bytes);
        d->only_cr = d->only_cr && (text == 0 || (text == 1 && *bytes == '\r' && !d->mid_line));
        d->mid_line = true;
        d->last = stop[-1];
        if (lf)
            end_line(d, d->only_cr);
        bytes = stop;
    }
    return !d->in_body || d->lines_left > 0;
}

void dots_end(dot_stuffer *d, GString *out)
{
    if (d->mid_line)
        g_string_append(out, d->last == '\r' ? "\n" : "\r\n");
    g_string_append(out, ".\r\n");
}
