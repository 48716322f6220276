/* Cuts commands out of a byte stream. A line that ends in {n} or {n+} announces a
 * literal (RFC 9051 §4.3, RFC 7888): what happens to it is the caller's choice.
 *
 * States: in a line; in a buffered literal; skipping a literal; skipping to the
 * end of a line. Skipping remembers the line's tail, because skipped lines may
 * announce more non-synchronising literals. A bare LF ends a line as CRLF does. */
#include "lib/imap/imap.h"

#include <errno.h>

enum { LINE, BUFFER_LITERAL, SKIP_LITERAL, SKIP_LINE, CHOICE };

void imap_reader_init(imap_reader *r, const imap_limits *limits)
{
    *r = (imap_reader) { .command = g_byte_array_sized_new(128), .limits = *limits, .state = LINE };
}

void imap_reader_done(imap_reader *r)
{
    if (r->command)
        g_byte_array_unref(r->command);
    r->command = NULL;
}

void imap_reader_next(imap_reader *r)
{
    if (r->command->len > 4096) {   /* an idle connection keeps no large buffer */
        g_byte_array_unref(r->command);
        r->command = g_byte_array_sized_new(128);
    }
    g_byte_array_set_size(r->command, 0);
    r->line_start = 0;
    r->state = LINE;
    r->report = false;
    r->tail_len = 0;
}

/* Does a line end in a literal's announcement? */
static bool announces_literal(const char *line, size_t len, uint64_t *ret_size, bool *ret_plus)
{
    if (len < 3 || line[len - 1] != '}')
        return false;
    size_t end = len - 1;
    bool plus = line[end - 1] == '+';
    if (plus)
        end--;
    size_t start = end;
    while (start > 0 && g_ascii_isdigit(line[start - 1]))
        start--;
    if (start == end || start == 0 || line[start - 1] != '{' || end - start > 19)
        return false;
    uint64_t size = 0;
    for (size_t i = start; i < end; i++)
        size = size * 10 + (uint64_t) (line[i] - '0');
    *ret_size = size;
    *ret_plus = plus;
    return true;
}

static int skip_literal(imap_reader *r)
{
    if (r->literal_size > r->limits.max_skip)
        return -EMSGSIZE;
    r->left = r->literal_size;
    r->tail_len = 0;
    r->state = r->left > 0 ? SKIP_LITERAL : SKIP_LINE;
    return 0;
}

void imap_reader_literal(imap_reader *r, imap_literal_choice choice)
{
    g_assert(r->state == CHOICE);
    if (choice == IMAP_BUFFER) {
        g_assert(r->literal_size <= r->limits.max_command);   /* the caller checks; then a longer line is TOO_LONG */
        r->left = r->literal_size;
        r->line_start = r->command->len + r->literal_size;
        r->state = r->left > 0 ? BUFFER_LITERAL : LINE;
    } else if (choice == IMAP_STREAM || !r->literal_plus) {
        imap_reader_next(r);
    } else if (skip_literal(r) < 0) {
        r->state = SKIP_LITERAL;    /* the next feed fails */
        r->left = UINT64_MAX;
    }
}

/* The end of a line that is being skipped. */
static int end_skipped_line(imap_reader *r)
{
    bool report = r->report;
    if (r->tail_len > 0 && r->tail[r->tail_len - 1] == '\r')
        r->tail_len--;
    if (announces_literal(r->tail, r->tail_len, &r->literal_size, &r->literal_plus) && r->literal_plus)
        return skip_literal(r);
    if (report) {
        r->state = LINE;
        return IMAP_TOO_LONG;
    }
    imap_reader_next(r);
    return IMAP_MORE;
}

static void keep_tail(imap_reader *r, const char *p, size_t n)
{
    if (n > sizeof r->tail) {
        p += n - sizeof r->tail;
        n = sizeof r->tail;
    }
    size_t keep = MIN(r->tail_len, sizeof r->tail - n);
    memmove(r->tail, r->tail + r->tail_len - keep, keep);
    memcpy(r->tail + keep, p, n);
    r->tail_len = keep + n;
}

static int feed_skipped_line(imap_reader *r, const char *p, size_t len, size_t *used)
{
    const char *lf = memchr(p, '\n', len);
    size_t n = lf ? (size_t) (lf - p) : len;
    keep_tail(r, p, n);
    *used += lf ? n + 1 : n;
    return lf ? end_skipped_line(r) : IMAP_MORE;
}

/* A line is complete in .command (its CR stripped). */
static int end_line(imap_reader *r)
{
    GByteArray *b = r->command;
    if (b->len > r->line_start && b->data[b->len - 1] == '\r')
        g_byte_array_set_size(b, b->len - 1);
    const char *line = (const char *) b->data + r->line_start;
    if (!announces_literal(line, b->len - r->line_start, &r->literal_size, &r->literal_plus))
        return IMAP_COMMAND;
    g_byte_array_append(b, (const guint8 *) "\r\n", 2);
    r->state = CHOICE;
    return IMAP_LITERAL;
}

static int feed_line(imap_reader *r, const char *p, size_t len, size_t *used)
{
    const char *lf = memchr(p, '\n', len);
    size_t n = lf ? (size_t) (lf - p) : len;
    if (r->command->len + n > r->limits.max_command) {
        size_t room = r->limits.max_command > r->command->len ? r->limits.max_command - r->command->len : 0;
        r->tail_len = 0;
        keep_tail(r, (const char *) r->command->data + r->line_start, r->command->len - r->line_start);
        g_byte_array_append(r->command, (const guint8 *) p, (guint) MIN(room, n));
        r->report = true;
        r->state = SKIP_LINE;
        return feed_skipped_line(r, p, len, used);
    }
    g_byte_array_append(r->command, (const guint8 *) p, (guint) n);
    *used += lf ? n + 1 : n;
    return lf ? end_line(r) : IMAP_MORE;
}

static void feed_literal(imap_reader *r, const char *p, size_t len, size_t *used)
{
    size_t n = (size_t) MIN((uint64_t) len, r->left);
    if (r->state == BUFFER_LITERAL)
        g_byte_array_append(r->command, (const guint8 *) p, (guint) n);
    r->left -= n;
    *used += n;
    if (r->left == 0)
        r->state = r->state == BUFFER_LITERAL ? LINE : SKIP_LINE;
}

int imap_reader_feed(imap_reader *r, const void *bytes, size_t len, size_t *ret_used)
{
    const char *p = bytes;
    size_t used = 0;
    int event = IMAP_MORE;
    g_assert(r->state != CHOICE);
    while (used < len && event == IMAP_MORE) {
        switch (r->state) {
        case LINE:
            event = feed_line(r, p + used, len - used, &used);
            break;
        case SKIP_LINE:
            event = feed_skipped_line(r, p + used, len - used, &used);
            break;
        default:
            if (r->left == UINT64_MAX)
                return -EMSGSIZE;
            feed_literal(r, p + used, len - used, &used);
        }
    }
    if (event >= 0)
        *ret_used = used;
    return event;
}
