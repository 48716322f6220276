/* The compact form of a summary.
 *
 * Byte 0: version (1). Then varints (7 bits a byte, low group first) and strings
 * (varint length + 1, bytes; 0 stands for NULL) in this order:
 *   size, zigzag date, flags (1 has_8bit, 2 has_nul), envelope, root part.
 * envelope: 4 strings, 6 lists (varint count, then 4 strings an address).
 * part: 9 strings, 2 lists of strings (varint count), header_offset, header_len,
 *   body_offset, body_len, lines, tag: bit 0 an envelope follows, bit 1 children
 *   follow (varint count, parts).
 * Offsets are absolute, so that a part can be used without those around it.
 *
 * A summary above MIME_SUMMARY_MAX is written again with less: first without the
 * parts below the root, then with short strings and few addresses as well. */
#include "lib/mime/internal.h"

#include <errno.h>

#define VERSION 1
enum { FLAG_8BIT = 1, FLAG_NUL = 2 };
enum { TAG_ENVELOPE = 1, TAG_CHILDREN = 2 };

struct cut { bool descend; guint list_max; size_t string_max; };
static const struct cut cuts[] = {
    { true, G_MAXUINT, SIZE_MAX },
    { false, G_MAXUINT, SIZE_MAX },
    { false, 64, 128 },               /* 8 lists of 64 entries of 4 strings: below the maximum */
};

/* ---- writing ---- */

typedef struct { GByteArray *out; struct cut cut; } writer;

static void put_number(writer *w, uint64_t n)
{
    guint8 bytes[10];
    guint len = 0;
    for (; n >= 0x80; n >>= 7)
        bytes[len++] = (guint8) (n | 0x80);
    bytes[len++] = (guint8) n;
    g_byte_array_append(w->out, bytes, len);
}

static void put_string(writer *w, const char *s)
{
    size_t len = s ? strlen(s) : 0;
    len = MIN(len, w->cut.string_max);
    put_number(w, s ? len + 1 : 0);
    g_byte_array_append(w->out, (const guint8 *) (s ? s : ""), (guint) len);
}

static void put_strings(writer *w, const GPtrArray *list)
{
    guint n = MIN(list->len, w->cut.list_max);
    put_number(w, n);
    for (guint i = 0; i < n; i++)
        put_string(w, list->pdata[i]);
}

static void put_addresses(writer *w, const GPtrArray *list)
{
    guint n = MIN(list->len, w->cut.list_max);
    put_number(w, n);
    for (guint i = 0; i < n; i++) {
        const mime_address *a = list->pdata[i];
        put_string(w, a->name);
        put_string(w, a->route);
        put_string(w, a->mailbox);
        put_string(w, a->host);
    }
}

static void put_envelope(writer *w, const mime_envelope *e)
{
    put_string(w, e->date);
    put_string(w, e->subject);
    put_string(w, e->in_reply_to);
    put_string(w, e->message_id);
    const GPtrArray *lists[] = { e->from, e->sender, e->reply_to, e->to, e->cc, e->bcc };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        put_addresses(w, lists[i]);
}

static void put_part(writer *w, const mime_part *part)
{
    bool opaque = part->children && !w->cut.descend;
    const char *strings[] = { opaque ? "APPLICATION" : part->type, opaque ? "OCTET-STREAM" : part->subtype,
                              part->id, part->description, part->encoding, part->md5, part->disposition,
                              part->language, part->location };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        put_string(w, strings[i]);
    put_strings(w, part->params);
    put_strings(w, part->disposition_params);
    const uint64_t numbers[] = { part->header_offset, part->header_len, part->body_offset, part->body_len, part->lines };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        put_number(w, numbers[i]);
    if (opaque || !part->children) {
        put_number(w, 0);
        return;
    }
    put_number(w, TAG_CHILDREN | (part->envelope ? TAG_ENVELOPE : 0));
    if (part->envelope)
        put_envelope(w, part->envelope);
    put_number(w, part->children->len);
    for (guint i = 0; i < part->children->len; i++)
        put_part(w, part->children->pdata[i]);
}

static GByteArray *encode(const mime_summary *s, struct cut cut)
{
    writer w = { g_byte_array_new(), cut };
    put_number(&w, VERSION);
    put_number(&w, s->size);
    put_number(&w, ((uint64_t) s->date << 1) ^ (uint64_t) (s->date < 0 ? -1 : 0));
    put_number(&w, (s->has_8bit ? FLAG_8BIT : 0) | (s->has_nul ? FLAG_NUL : 0));
    put_envelope(&w, &s->envelope);
    put_part(&w, s->root);
    return w.out;
}

GBytes *mime_summary_encode(const mime_summary *s)
{
    GByteArray *out = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
        g_clear_pointer(&out, g_byte_array_unref);
        out = encode(s, cuts[i]);
        if (out->len <= MIME_SUMMARY_MAX)
            break;
    }
    return g_byte_array_free_to_bytes(out);
}

/* ---- reading: any fault sets BAD, after which every value reads as zero ---- */

typedef struct { const guint8 *p, *end; bool bad; unsigned depth; uint64_t size; } reader;

static uint64_t get_number(reader *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0; !r->bad && shift < 64 && r->p < r->end; shift += 7) {
        guint8 b = *r->p++;
        if (shift == 63 && b > 1)
            break;
        n |= (uint64_t) (b & 0x7f) << shift;
        if (!(b & 0x80))
            return n;
    }
    r->bad = true;
    return 0;
}

static char *get_string(reader *r)
{
    uint64_t n = get_number(r);
    if (n == 0)
        return NULL;
    n--;
    if (n > (uint64_t) (r->end - r->p) || memchr(r->p, 0, n)) {
        r->bad = true;
        return NULL;
    }
    char *s = g_strndup((const char *) r->p, n);
    r->p += n;
    return s;
}

/* A count of elements that take at least one byte each. */
static guint get_count(reader *r)
{
    uint64_t n = get_number(r);
    if (n > (uint64_t) (r->end - r->p))
        r->bad = true;
    return r->bad ? 0 : (guint) n;
}

static void get_strings(reader *r, GPtrArray *list)
{
    guint n = get_count(r);
    for (guint i = 0; i < n && !r->bad; i++) {
        char *s = get_string(r);
        g_ptr_array_add(list, s ? s : g_strdup(""));
    }
    r->bad |= list->len % 2 != 0;
}

static void get_addresses(reader *r, GPtrArray *list)
{
    guint n = get_count(r);
    for (guint i = 0; i < n && !r->bad; i++) {
        char *name = get_string(r), *route = get_string(r), *mailbox = get_string(r), *host = get_string(r);
        g_ptr_array_add(list, mime_address_new(name, route, mailbox, host));
    }
}

static void get_envelope(reader *r, mime_envelope *e)
{
    e->date = get_string(r);
    e->subject = get_string(r);
    e->in_reply_to = get_string(r);
    e->message_id = get_string(r);
    GPtrArray *lists[] = { e->from, e->sender, e->reply_to, e->to, e->cc, e->bcc };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        get_addresses(r, lists[i]);
}

static mime_part *get_part(reader *r);

static void get_children(reader *r, mime_part *part)
{
    guint n = get_count(r);
    part->children = g_ptr_array_new_with_free_func((GDestroyNotify) mime_part_free);
    for (guint i = 0; i < n && !r->bad; i++)
        g_ptr_array_add(part->children, get_part(r));
    r->bad |= part->envelope && n != 1;
}

static bool inside(uint64_t offset, uint64_t len, uint64_t size)
{
    return offset <= size && len <= size - offset;
}

static mime_part *get_part(reader *r)
{
    mime_part *part = mime_part_new();
    char **strings[] = { &part->type, &part->subtype, &part->id, &part->description, &part->encoding,
                         &part->md5, &part->disposition, &part->language, &part->location };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = get_string(r);
    get_strings(r, part->params);
    get_strings(r, part->disposition_params);
    part->header_offset = get_number(r);
    part->header_len = get_number(r);
    part->body_offset = get_number(r);
    part->body_len = get_number(r);
    uint64_t lines = get_number(r), tag = get_number(r);
    part->lines = (uint32_t) lines;
    r->bad |= !inside(part->header_offset, part->header_len, r->size) ||
              !inside(part->body_offset, part->body_len, r->size) || lines > UINT32_MAX || tag > (TAG_ENVELOPE | TAG_CHILDREN) || tag == TAG_ENVELOPE ||
              !part->type || !part->subtype || r->depth >= MIME_DEPTH_CAP;
    r->depth++;
    if (!r->bad && (tag & TAG_ENVELOPE)) {
        part->envelope = mime_envelope_new();
        get_envelope(r, part->envelope);
    }
    if (!r->bad && (tag & TAG_CHILDREN))
        get_children(r, part);
    r->depth--;
    return part;
}

int mime_summary_decode(const void *bytes, size_t len, mime_summary **ret)
{
    reader r = { .p = bytes, .end = (const guint8 *) bytes + len };
    if (get_number(&r) != VERSION)
        return -EBADMSG;
    g_autoptr(mime_summary) s = mime_summary_new();
    s->size = r.size = get_number(&r);
    uint64_t date = get_number(&r), flags = get_number(&r);
    s->date = (int64_t) (date >> 1) ^ -(int64_t) (date & 1);
    s->has_8bit = flags & FLAG_8BIT;
    s->has_nul = flags & FLAG_NUL;
    get_envelope(&r, &s->envelope);
    s->root = get_part(&r);
    if (r.bad || r.p != r.end || flags > (FLAG_8BIT | FLAG_NUL))
        return -EBADMSG;
    *ret = g_steal_pointer(&s);
    return 0;
}
