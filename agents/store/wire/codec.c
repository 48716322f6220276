/* Encoding and decoding of the store's messages. Each type is a table of fields;
 * one pair of functions walks it. Bytes in, struct out: no sockets here.
 *
 * Datagram: version u8, type u8, flags u16 (bit 0: the payload is in the last
 * descriptor), id u32, payload length u32, payload. Payload: the fields in table
 * order, host byte order (both ends are this host): u32, u64, string (u32 length,
 * bytes, NUL), bytes (u32 length, bytes), list (u32 count, elements). */
#include "agents/store/wire/wire.h"
#include "agents/store/wire/codec.h"

#include <errno.h>
#include <unistd.h>

typedef enum { FIELD_U32, FIELD_U64, FIELD_STRING, FIELD_BYTES, FIELD_LIST } field_kind;

typedef struct field field;
struct field {
    field_kind kind;
    size_t offset;          /* list: of the pointer */
    size_t limit;           /* bytes or elements */
    size_t count_offset;    /* list: of the size_t count */
    const field *element;   /* list */
    size_t n_element, element_size;
};

#define U32(s, m)       { .kind = FIELD_U32, .offset = offsetof(s, m) }
#define U64(s, m)       { .kind = FIELD_U64, .offset = offsetof(s, m) }
#define STRING(s, m, l) { .kind = FIELD_STRING, .offset = offsetof(s, m), .limit = (l) }
#define BYTES(s, m, l)  { .kind = FIELD_BYTES, .offset = offsetof(s, m), .limit = (l) }
#define LIST(s, m, l, e, t) { .kind = FIELD_LIST, .offset = offsetof(s, m), .limit = (l), .count_offset = offsetof(s, n_##m), \
                              .element = (e), .n_element = G_N_ELEMENTS(e), .element_size = sizeof(t) }

enum { ID_MAX = 128, NAME_MAX_BYTES = 512, ADDRESS_MAX = 1024, TEXT_MAX = 1024, PATH_MAX_BYTES = 1024,
       UNREAD_MAX = 32 * 1024, BODY_MAX = 32 * 1024, SUMMARY_MAX = 256 * 1024 };

static const field handoff_fields[] = {
    U32(wire_handoff, protocol), U32(wire_handoff, tls), U64(wire_handoff, quota_bytes),
    STRING(wire_handoff, account_id, ID_MAX), STRING(wire_handoff, name, NAME_MAX_BYTES),
    STRING(wire_handoff, client, NAME_MAX_BYTES), STRING(wire_handoff, tag, ID_MAX),
    BYTES(wire_handoff, unread, UNREAD_MAX),
};
static const field lmtp_fields[] = { STRING(wire_lmtp, client, NAME_MAX_BYTES) };
static const field rcpt_check_fields[] = {
    STRING(wire_rcpt_check, account_id, ID_MAX), STRING(wire_rcpt_check, name, NAME_MAX_BYTES),
    U64(wire_rcpt_check, quota_bytes), U64(wire_rcpt_check, size), U32(wire_rcpt_check, want_spool),
};
static const field rcpt_verdict_fields[] = { U32(wire_rcpt_verdict, status), STRING(wire_rcpt_verdict, text, TEXT_MAX) };
static const field recipient_fields[] = {
    STRING(wire_recipient, account_id, ID_MAX), STRING(wire_recipient, name, NAME_MAX_BYTES),
    U64(wire_recipient, quota_bytes), U32(wire_recipient, folder),
};
static const field deliver_fields[] = {
    STRING(wire_deliver, sender, ADDRESS_MAX), STRING(wire_deliver, client, NAME_MAX_BYTES),
    STRING(wire_deliver, message_id, TEXT_MAX), STRING(wire_deliver, incoming, PATH_MAX_BYTES),
    U64(wire_deliver, date), U64(wire_deliver, size), BYTES(wire_deliver, body, BODY_MAX),
    BYTES(wire_deliver, summary, SUMMARY_MAX),
    LIST(wire_deliver, recipients, WIRE_LIST_MAX, recipient_fields, wire_recipient),
};
static const field result_fields[] = { U32(wire_result, status), U32(wire_result, uid), STRING(wire_result, text, TEXT_MAX) };
static const field delivered_fields[] = {
    STRING(wire_delivered, incoming, PATH_MAX_BYTES), LIST(wire_delivered, results, WIRE_LIST_MAX, result_fields, wire_result),
};
static const field parse_fields[] = { U64(wire_parse, size) };
static const field parsed_fields[] = { U32(wire_parsed, status), BYTES(wire_parsed, summary, SUMMARY_MAX) };

static const struct { const field *fields; size_t n; } types[] = {
    [WIRE_HANDOFF] = { handoff_fields, G_N_ELEMENTS(handoff_fields) },
    [WIRE_LMTP] = { lmtp_fields, G_N_ELEMENTS(lmtp_fields) },
    [WIRE_RCPT_CHECK] = { rcpt_check_fields, G_N_ELEMENTS(rcpt_check_fields) },
    [WIRE_RCPT_VERDICT] = { rcpt_verdict_fields, G_N_ELEMENTS(rcpt_verdict_fields) },
    [WIRE_DELIVER] = { deliver_fields, G_N_ELEMENTS(deliver_fields) },
    [WIRE_DELIVERED] = { delivered_fields, G_N_ELEMENTS(delivered_fields) },
    [WIRE_PARSE] = { parse_fields, G_N_ELEMENTS(parse_fields) },
    [WIRE_PARSED] = { parsed_fields, G_N_ELEMENTS(parsed_fields) },
};

static bool known_type(unsigned type)
{
    return type < G_N_ELEMENTS(types) && types[type].fields;
}

/* ---- encoding ---- */

static void put_u32(GByteArray *out, size_t value)
{
    uint32_t v = (uint32_t) value;
    g_byte_array_append(out, (const guint8 *) &v, sizeof v);
}

static bool put_fields(GByteArray *out, const field *fields, size_t n, const void *base);

static bool put_list(GByteArray *out, const field *f, const char *base)
{
    size_t count;
    const char *elements;
    memcpy(&count, base + f->count_offset, sizeof count);
    memcpy(&elements, base + f->offset, sizeof elements);
    if (count > f->limit)
        return false;
    put_u32(out, count);
    for (size_t i = 0; i < count; i++)
        if (!put_fields(out, f->element, f->n_element, elements + i * f->element_size))
            return false;
    return true;
}

static bool put_string(GByteArray *out, const field *f, const char *s)
{
    size_t len = s ? strlen(s) : 0;
    if (len > f->limit)
        return false;
    put_u32(out, len);
    g_byte_array_append(out, (const guint8 *) (s ? s : ""), (guint) len + 1);
    return true;
}

static bool put_bytes(GByteArray *out, const field *f, const wire_bytes *b)
{
    if (b->len > f->limit)
        return false;
    put_u32(out, b->len);
    if (b->len > 0)
        g_byte_array_append(out, b->data, (guint) b->len);
    return true;
}

static bool put_field(GByteArray *out, const field *f, const char *base)
{
    const char *at = base + f->offset;
    switch (f->kind) {
    case FIELD_U32: g_byte_array_append(out, (const guint8 *) at, 4); return true;
    case FIELD_U64: g_byte_array_append(out, (const guint8 *) at, 8); return true;
    case FIELD_STRING: return put_string(out, f, *(const char *const *) (const void *) at);
    case FIELD_BYTES: return put_bytes(out, f, (const wire_bytes *) (const void *) at);
    case FIELD_LIST: return put_list(out, f, base);
    }
    g_assert_not_reached();
}

static bool put_fields(GByteArray *out, const field *fields, size_t n, const void *base)
{
    for (size_t i = 0; i < n; i++)
        if (!put_field(out, &fields[i], base))
            return false;
    return true;
}

GByteArray *wire_encode(const wire_message *m)
{
    g_assert(known_type(m->type));
    wire_header h = { .version = WIRE_VERSION, .type = (uint8_t) m->type, .id = m->id };
    g_autoptr(GByteArray) out = g_byte_array_sized_new(512);
    g_byte_array_append(out, (const guint8 *) &h, sizeof h);
    if (!put_fields(out, types[m->type].fields, types[m->type].n, &m->handoff) || out->len > WIRE_PAYLOAD_MAX)
        return NULL;
    uint32_t length = (uint32_t) (out->len - sizeof h);
    memcpy(out->data + offsetof(wire_header, length), &length, sizeof length);
    return g_steal_pointer(&out);
}

/* ---- decoding ---- */

typedef struct { const char *p; size_t left; GPtrArray *memory; } reader;

static bool get(reader *r, void *to, size_t n)
{
    if (r->left < n)
        return false;
    memcpy(to, r->p, n);
    r->p += n;
    r->left -= n;
    return true;
}

static bool get_span(reader *r, const field *f, size_t terminator, const char **ret, size_t *ret_len)
{
    uint32_t len;
    if (!get(r, &len, sizeof len) || len > f->limit || r->left < len + terminator)
        return false;
    *ret = r->p;
    *ret_len = len;
    r->p += len + terminator;
    r->left -= len + terminator;
    return true;
}

static bool get_string(reader *r, const field *f, char *at)
{
    const char *s;
    size_t len;
    if (!get_span(r, f, 1, &s, &len) || memchr(s, 0, len + 1) != s + len)
        return false;
    memcpy(at, &s, sizeof s);
    return true;
}

static bool get_bytes(reader *r, const field *f, char *at)
{
    const char *s;
    wire_bytes b = { 0 };
    if (!get_span(r, f, 0, &s, &b.len))
        return false;
    b.data = s;
    memcpy(at, &b, sizeof b);
    return true;
}

static bool get_fields(reader *r, const field *fields, size_t n, char *base);

static bool get_list(reader *r, const field *f, char *base)
{
    uint32_t count;
    if (!get(r, &count, sizeof count) || count > f->limit || count > r->left)
        return false;
    size_t n = count;
    char *elements = g_malloc0_n(n + 1, f->element_size);
    g_ptr_array_add(r->memory, elements);
    memcpy(base + f->offset, &elements, sizeof elements);
    memcpy(base + f->count_offset, &n, sizeof n);
    for (size_t i = 0; i < n; i++)
        if (!get_fields(r, f->element, f->n_element, elements + i * f->element_size))
            return false;
    return true;
}

static bool get_fields(reader *r, const field *fields, size_t n, char *base)
{
    for (size_t i = 0; i < n; i++) {
        const field *f = &fields[i];
        bool ok = f->kind == FIELD_U32 ? get(r, base + f->offset, 4)
                : f->kind == FIELD_U64 ? get(r, base + f->offset, 8)
                : f->kind == FIELD_STRING ? get_string(r, f, base + f->offset)
                : f->kind == FIELD_BYTES ? get_bytes(r, f, base + f->offset)
                : get_list(r, f, base);
        if (!ok)
            return false;
    }
    return true;
}

int wire_header_decode(const void *bytes, size_t len, wire_header *ret)
{
    wire_header h;
    if (len < sizeof h)
        return -EBADMSG;
    memcpy(&h, bytes, sizeof h);
    if (h.version != WIRE_VERSION)
        return -EPROTONOSUPPORT;
    if (!known_type(h.type) || h.length > WIRE_PAYLOAD_MAX)
        return -EBADMSG;
    *ret = h;
    return 0;
}

int wire_decode(const void *bytes, size_t len, wire_message *ret)
{
    wire_header h;
    int r = wire_header_decode(bytes, len, &h);
    if (r < 0)
        return r;
    if (h.length != len - sizeof h)
        return -EBADMSG;
    wire_message m = { .type = (wire_type) h.type, .id = h.id, .fds = { -1, -1 } };
    m.memory = g_ptr_array_new_with_free_func(g_free);
    char *copy = g_memdup2(bytes, len);
    g_ptr_array_add(m.memory, copy);
    reader rd = { .p = copy + sizeof h, .left = h.length, .memory = m.memory };
    if (!get_fields(&rd, types[m.type].fields, types[m.type].n, (char *) &m.handoff) || rd.left != 0) {
        wire_message_clear(&m);
        return -EBADMSG;
    }
    *ret = m;
    return 0;
}

void wire_message_clear(wire_message *m)
{
    if (m->memory) {
        for (unsigned i = 0; i < m->n_fds; i++)
            if (m->fds[i] >= 0)
                close(m->fds[i]);
        g_ptr_array_unref(m->memory);
    }
    *m = (wire_message) { .fds = { -1, -1 } };
}

int wire_take_fd(wire_message *m, unsigned i)
{
    if (i >= m->n_fds)
        return -1;
    int fd = m->fds[i];
    m->fds[i] = -1;
    return fd;
}
