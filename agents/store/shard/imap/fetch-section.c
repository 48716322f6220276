/* Where a section lies in a message (RFC 9051 §6.4.5.1), and filtered headers. */
#include "agents/store/shard/imap/fetch.h"

static bool is_multipart(const mime_part *p)
{
    return g_str_equal(p->type, "MULTIPART");
}

/* The message inside a message/rfc822 part, or NULL. */
static const mime_part *inner_message(const mime_part *p)
{
    return p->envelope && p->children && p->children->len == 1 ? g_ptr_array_index(p->children, 0) : NULL;
}

static const mime_part *child(const mime_part *p, uint32_t number)
{
    return p->children && number <= p->children->len ? g_ptr_array_index(p->children, number - 1) : NULL;
}

/* Part NUMBER of a message whose outermost part is ROOT. */
static const mime_part *part_of_message(const mime_part *root, uint32_t number)
{
    return is_multipart(root) ? child(root, number) : number == 1 ? root : NULL;
}

static const mime_part *find_part(const mime_part *root, const GArray *numbers)
{
    const mime_part *p = part_of_message(root, g_array_index(numbers, uint32_t, 0));
    for (guint i = 1; p && i < numbers->len; i++) {
        uint32_t number = g_array_index(numbers, uint32_t, i);
        const mime_part *inner = inner_message(p);
        p = is_multipart(p) ? child(p, number) : inner ? part_of_message(inner, number) : NULL;
    }
    return p;
}

/* The part whose header or body is meant: HEADER and TEXT of a part are those of
 * the message in it. */
static const mime_part *section_part(const fetch_item *item, const mime_summary *s)
{
    if (item->numbers->len == 0)
        return s->root;
    const mime_part *p = find_part(s->root, item->numbers);
    return !p || item->section == SECTION_ALL || item->section == SECTION_MIME ? p : inner_message(p);
}

bool section_range(const fetch_item *item, const mime_summary *s, uint64_t size, uint64_t *ret_offset, uint64_t *ret_len)
{
    uint64_t offset = 0, len = size;
    if (s && (item->numbers->len > 0 || item->section != SECTION_ALL)) {
        const mime_part *p = section_part(item, s);
        if (!p)
            return false;
        bool body = item->section == SECTION_ALL || item->section == SECTION_TEXT;
        offset = body ? p->body_offset : p->header_offset;
        len = body ? p->body_len : p->header_len;
    }
    if (offset > size || len > size - offset)   /* a summary that does not fit its blob */
        return false;
    *ret_offset = offset;
    *ret_len = len;
    return true;
}

/* The end of the field that starts at P: after the last line that continues it. */
static const char *field_end(const char *p, const char *end)
{
    do {
        const char *lf = memchr(p, '\n', (size_t) (end - p));
        p = lf ? lf + 1 : end;
    } while (p < end && (*p == ' ' || *p == '\t'));
    return p;
}

static bool is_named(const fetch_item *item, const char *field, const char *end)
{
    const char *colon = memchr(field, ':', (size_t) (end - field));
    size_t len = colon ? (size_t) (colon - field) : 0;
    while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\t'))
        len--;
    for (guint i = 0; len > 0 && i < item->fields->len; i++) {
        const char *name = g_ptr_array_index(item->fields, i);
        if (strlen(name) == len && g_ascii_strncasecmp(name, field, len) == 0)
            return true;
    }
    return false;
}

GString *section_filter(const fetch_item *item, const char *header, size_t len)
{
    GString *out = g_string_new(NULL);
    const char *end = header + len;
    for (const char *p = header, *next; p < end; p = next) {
        next = field_end(p, end);
        bool empty = *p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n');
        if (!empty && is_named(item, p, next) == (item->section == SECTION_FIELDS))
            g_string_append_len(out, p, next - p);
    }
    g_string_append(out, "\r\n");
    return out;
}
