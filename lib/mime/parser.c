/* The incremental parser: splits input into lines and keeps a stack of the parts
 * that are open at the current line.
 *
 * A line ends at LF; a CR before it belongs to the line end. Of a body line only
 * the first LINE_KEEP bytes are kept, enough to know a boundary; header lines are
 * collected up to the limit and interpreted when the header ends. The line end
 * before a boundary belongs to the boundary (RFC 2046 §5.1.1). A boundary matches
 * as a prefix; of several the longest, then the innermost holds.
 *
 * Where a limit stops the descent the part becomes APPLICATION/OCTET-STREAM (the
 * consumer need not know why it has no children). So: MULTIPART always has
 * children (maybe none in them), MESSAGE/RFC822 and MESSAGE/GLOBAL exactly one
 * and an envelope. */
#include "lib/mime/internal.h"

#define BOUNDARY_KEEP 200
#define LINE_KEEP (2 + BOUNDARY_KEEP + 2)

const mime_limits mime_default_limits = {
    .max_depth = 32, .max_parts = 1000, .max_header_bytes = 128 * 1024, .max_addresses = 2000,
};

struct level {
    mime_part *part;
    mime_envelope *envelope;      /* NULL: not the top of a message */
    char *boundary;               /* of an open multipart */
    size_t boundary_len;
    uint64_t lines_before;        /* LFs in the message before the part's body */
};

struct mime_parser {
    mime_limits limits;
    mime_summary *summary;
    GArray *stack;                /* of struct level */
    bool in_header, frozen;       /* frozen: max_parts reached, boundaries mean nothing */
    unsigned parts;
    GString *header;              /* lines of the innermost part's header */
    size_t header_line;           /* where the current line begins in it */
    bool header_full;
    uint64_t offset;              /* bytes seen */
    uint64_t line_start, lines;   /* of the current line; LFs before it */
    unsigned previous_eol;        /* length of the line end before the current line */
    char line[LINE_KEEP];
    size_t line_kept;
    char last;                    /* byte seen last in the current line */
};

static struct level *level_at(mime_parser *p, guint i)
{
    return &g_array_index(p->stack, struct level, i);
}

static struct level *innermost(mime_parser *p)
{
    return level_at(p, p->stack->len - 1);
}

static void begin_part(mime_parser *p, uint64_t offset, GPtrArray *siblings, mime_envelope *envelope,
                       const char *type, const char *subtype)
{
    mime_part *part = mime_part_new();
    part->header_offset = offset;
    part->type = g_strdup(type);
    part->subtype = g_strdup(subtype);
    struct level level = { .part = part, .envelope = envelope };
    if (siblings)
        g_ptr_array_add(siblings, part);
    else
        p->summary->root = part;
    g_array_append_val(p->stack, level);
    p->parts++;
    p->in_header = true;
    p->header_full = false;
    p->header_line = 0;
    g_string_truncate(p->header, 0);
}

mime_parser *mime_parser_new(const mime_limits *limits)
{
    mime_parser *p = g_new0(mime_parser, 1);
    p->limits = *limits;
    p->limits.max_depth = CLAMP(p->limits.max_depth, 1, MIME_DEPTH_CAP);
    p->summary = mime_summary_new();
    p->stack = g_array_new(FALSE, FALSE, sizeof(struct level));
    p->header = g_string_new(NULL);
    begin_part(p, 0, NULL, &p->summary->envelope, "TEXT", "PLAIN");
    return p;
}

static void set_type(mime_part *part, const char *type, const char *subtype)
{
    g_free(part->type);
    g_free(part->subtype);
    part->type = g_strdup(type);
    part->subtype = g_strdup(subtype);
}

static void make_opaque(mime_part *part)
{
    set_type(part, "APPLICATION", "OCTET-STREAM");
    g_ptr_array_set_size(part->params, 0);
}

static void interpret_header(mime_parser *p, struct level *level)
{
    mime_part *part = level->part;
    g_autofree char *type = g_steal_pointer(&part->type), *subtype = g_steal_pointer(&part->subtype);
    bool top = level->envelope == &p->summary->envelope;
    mime_header_parse(p->header->str, p->header->len, &p->limits, part, level->envelope,
                      top ? &p->summary->date : NULL);
    if (!part->type)
        set_type(part, type, subtype);
    g_string_truncate(p->header, 0);
}

static void begin_multipart(mime_parser *p, struct level *level)
{
    const char *boundary = mime_param(level->part->params, "boundary");
    if (!boundary || !*boundary) {        /* nothing can part it: shown as the text it is */
        set_type(level->part, "TEXT", "PLAIN");
        return;
    }
    if (p->frozen || p->stack->len >= p->limits.max_depth) {
        make_opaque(level->part);
        return;
    }
    level->boundary = g_strndup(boundary, BOUNDARY_KEEP);
    level->boundary_len = strlen(level->boundary);
    level->part->children = g_ptr_array_new_with_free_func((GDestroyNotify) mime_part_free);
}

static void begin_message(mime_parser *p, struct level *level)
{
    if (p->frozen || p->stack->len >= p->limits.max_depth || p->parts >= p->limits.max_parts) {
        make_opaque(level->part);
        return;
    }
    mime_part *part = level->part;
    part->envelope = mime_envelope_new();
    part->children = g_ptr_array_new_with_free_func((GDestroyNotify) mime_part_free);
    begin_part(p, part->body_offset, part->children, part->envelope, "TEXT", "PLAIN");
}

static bool is_message(const mime_part *part)
{
    return g_str_equal(part->type, "MESSAGE") &&
           (g_str_equal(part->subtype, "RFC822") || g_str_equal(part->subtype, "GLOBAL"));
}

/* The header of the innermost part ends; its body begins at p->offset. LINES: LFs
 * before the body. */
static void end_header(mime_parser *p, uint64_t body_offset, uint64_t lines)
{
    struct level *level = innermost(p);
    mime_part *part = level->part;
    part->header_len = body_offset - part->header_offset;
    part->body_offset = body_offset;
    level->lines_before = lines;
    p->in_header = false;
    interpret_header(p, level);
    if (g_str_equal(part->type, "MULTIPART"))
        begin_multipart(p, level);
    else if (is_message(part))
        begin_message(p, level);
}

/* Closes the innermost part; its body ends at END with LINES LFs before that. */
static void end_part(mime_parser *p, uint64_t end, uint64_t lines)
{
    struct level *level = innermost(p);
    mime_part *part = level->part;
    if (end > part->body_offset) {
        part->body_len = end - part->body_offset;
        uint64_t n = lines - level->lines_before;
        part->lines = n > UINT32_MAX ? UINT32_MAX : (uint32_t) n;
    }
    g_free(level->boundary);
    g_array_set_size(p->stack, p->stack->len - 1);
}

/* A header that ends without an empty line may open message parts: each of those
 * has an empty header at the same place. */
static void finish_headers(mime_parser *p, uint64_t offset)
{
    while (p->in_header)
        end_header(p, offset, p->lines);
}

static void at_boundary(mime_parser *p, guint multipart, bool closing)
{
    if (p->in_header)                     /* the boundary is no line of that header */
        g_string_truncate(p->header, p->header_line);
    finish_headers(p, p->line_start);
    uint64_t end = p->line_start - p->previous_eol;
    uint64_t lines = p->lines - (p->previous_eol ? 1 : 0);
    while (p->stack->len > multipart + 1)
        end_part(p, end, lines);
    struct level *level = innermost(p);
    if (closing) {
        g_clear_pointer(&level->boundary, g_free);
        return;
    }
    bool digest = g_str_equal(level->part->subtype, "DIGEST");    /* RFC 2046 §5.1.5 */
    begin_part(p, p->offset, level->part->children, NULL,
               digest ? "MESSAGE" : "TEXT", digest ? "RFC822" : "PLAIN");
}

/* Index of the multipart whose boundary the current line is, or -1. */
static int find_boundary(mime_parser *p, bool *ret_closing)
{
    if (p->frozen || p->line_kept < 3 || p->line[0] != '-' || p->line[1] != '-')
        return -1;
    const char *text = p->line + 2;
    size_t len = p->line_kept - 2, best_len = 0;
    int best = -1;
    for (guint i = p->stack->len; i-- > 0; ) {
        const struct level *level = level_at(p, i);
        if (!level->boundary || level->boundary_len > len || level->boundary_len <= best_len ||
            memcmp(level->boundary, text, level->boundary_len) != 0)
            continue;
        best = (int) i;
        best_len = level->boundary_len;
    }
    if (best >= 0)
        *ret_closing = len >= best_len + 2 && text[best_len] == '-' && text[best_len + 1] == '-';
    return best;
}

/* The current line is complete (HAS_LF) or the last of the message. */
static void end_line(mime_parser *p, bool has_lf, unsigned eol)
{
    bool closing = false;
    int multipart = find_boundary(p, &closing);
    if (multipart >= 0 && !closing && p->parts >= p->limits.max_parts) {
        p->frozen = true;
        multipart = -1;
    }
    if (multipart >= 0)
        at_boundary(p, (guint) multipart, closing);
    else if (p->in_header && has_lf && p->offset - p->line_start == eol)
        end_header(p, p->offset, p->lines + 1);
    p->header_line = p->header->len;
    p->line_start = p->offset;
    p->lines += has_lf;
    p->previous_eol = eol;
    p->line_kept = 0;
    p->last = 0;
}

static void keep_header(mime_parser *p, const char *bytes, size_t n)
{
    if (p->header_full)
        return;
    if (p->header->len + n > p->limits.max_header_bytes) {
        g_string_truncate(p->header, p->header_line);
        p->header_full = true;
        return;
    }
    g_string_append_len(p->header, bytes, (gssize) n);
}

/* N bytes of one line; the last of them is its LF when HAS_LF. */
static void take(mime_parser *p, const char *bytes, size_t n, bool has_lf)
{
    size_t content = has_lf ? n - 1 : n;
    size_t keep = MIN(content, LINE_KEEP - p->line_kept);
    memcpy(p->line + p->line_kept, bytes, keep);
    p->line_kept += keep;
    if (p->in_header)
        keep_header(p, bytes, n);
    if (content)
        p->last = bytes[content - 1];
    p->offset += n;
    if (has_lf)
        end_line(p, true, p->last == '\r' ? 2 : 1);
}

static bool any_8bit(const unsigned char *bytes, size_t len)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < len; i++)
        seen |= bytes[i];
    return seen & 0x80;
}

void mime_parser_feed(mime_parser *p, const void *bytes, size_t len)
{
    mime_summary *s = p->summary;
    s->size += len;
    if (!s->has_8bit && any_8bit(bytes, len))
        s->has_8bit = true;
    if (!s->has_nul && len && memchr(bytes, 0, len))
        s->has_nul = true;
    for (const char *at = bytes; len > 0; ) {
        const char *nl = memchr(at, '\n', len);
        size_t n = nl ? (size_t) (nl - at) + 1 : len;
        take(p, at, n, nl != NULL);
        at += n;
        len -= n;
    }
}

mime_summary *mime_parser_end(mime_parser *p)
{
    if (p->offset > p->line_start)
        end_line(p, false, 0);
    finish_headers(p, p->offset);
    while (p->stack->len)
        end_part(p, p->offset, p->lines);
    mime_summary *s = p->summary;
    g_array_free(p->stack, TRUE);
    g_string_free(p->header, TRUE);
    g_free(p);
    return s;
}
