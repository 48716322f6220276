/* Operations and their payload in the redo log.
 *
 * A payload is the fields of its type in the order of the table below. Integers
 * are LEB128 (seven bits a byte, low first, at most ten bytes), signed ones in
 * zigzag form; strings and spans are a length and the bytes; lists a count and
 * the elements, uids as differences. A payload must be used up exactly. */
#include "agents/store/shard/op.h"

#include <errno.h>
#include <string.h>

typedef enum { END, U32, U64, I64, STRING, SPAN, RECORD, UIDS, COPIES } field_kind;
typedef struct { field_kind kind; const char *name; size_t offset; } field;
#define F(kind, member) { kind, #member, offsetof(op, member) }

enum { FIELDS_MAX = 9 };
static const struct { const char *name; field fields[FIELDS_MAX]; } layouts[OP_TYPES] = {
    [OP_MAILBOX] = { "mailbox", { F(STRING, account), F(STRING, name), F(U32, group), F(U32, uidvalidity) } },
    [OP_ADD] = { "add", { F(U32, folder), F(RECORD, record), F(U64, incoming), F(SPAN, summary), F(SPAN, body) } },
    [OP_FLAGS] = { "flags", { F(U32, folder), F(U64, modseq), F(U32, mode), F(U32, flags), F(U64, tags), F(I64, unseen), F(UIDS, uids) } },
    [OP_COPY] = { "copy", { F(U32, folder), F(U32, to), F(U64, modseq), F(U32, move), F(U64, bytes), F(I64, unseen), F(COPIES, copies) } },
    [OP_EXPUNGE] = { "expunge", { F(U32, folder), F(U64, modseq), F(U64, bytes), F(U32, messages), F(I64, unseen), F(UIDS, uids) } },
    [OP_FOLDER] = { "folder", { F(U32, folder), F(STRING, name), F(U64, modseq), F(U32, special_use), F(U32, subscribed),
                                F(U32, noselect), F(U32, uidvalidity) } },
    [OP_FOLDER_DELETE] = { "folder-delete", { F(U32, folder), F(U64, modseq), F(U32, noselect), F(U64, bytes), F(U32, messages) } },
    [OP_FOLDER_RENAME] = { "folder-rename", { F(U32, folder), F(U64, modseq), F(STRING, name) } },
    [OP_SUBSCRIBE] = { "subscribe", { F(U32, folder), F(U32, subscribed) } },
    [OP_TAG] = { "tag", { F(U32, flags), F(STRING, name) } },
    [OP_CHECKPOINT] = { "checkpoint", { F(U64, bytes) } },
};

const char *op_type_name(op_type type)
{
    return type > 0 && type < OP_TYPES ? layouts[type].name : "unknown";
}

op *op_new(op_type type)
{
    op *o = g_new0(op, 1);
    o->type = type;
    return o;
}

void op_free(op *o)
{
    if (!o)
        return;
    g_free(o->uids);
    g_free(o->copies);
    g_free(o->name);
    g_free(o->account);
    g_free(o->summary_owned);
    g_free(o);
}

size_t op_memory(const op *o)
{
    return sizeof *o + o->summary.len + o->n_uids * sizeof *o->uids + o->n_copies * sizeof *o->copies + 64;
}

void op_own_summary(op *o)
{
    o->summary_owned = g_memdup2(o->summary.data, o->summary.len);
    o->summary.data = o->summary_owned;
}

void op_set_uids(op *o, const uint32_t *uids, size_t n)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(uid_range));
    for (size_t i = 0; i < n; i++) {
        uid_range *last = ranges->len ? &g_array_index(ranges, uid_range, ranges->len - 1) : NULL;
        if (last && uids[i] == last->last + 1)
            last->last = uids[i];
        else
            g_array_append_vals(ranges, &(uid_range) { uids[i], uids[i] }, 1);
    }
    o->n_uids = ranges->len;
    o->uids = (uid_range *) (void *) g_array_free(g_steal_pointer(&ranges), FALSE);
}

/* ---- writing ---- */

static void put_int(GByteArray *out, uint64_t v)
{
    uint8_t b[10];
    guint n = 0;
    for (; v >= 0x80; v >>= 7)
        b[n++] = (uint8_t) (v | 0x80);
    b[n++] = (uint8_t) v;
    g_byte_array_append(out, b, n);
}

static void put_signed(GByteArray *out, int64_t v)
{
    put_int(out, ((uint64_t) v << 1) ^ (uint64_t) (v >> 63));
}

static void put_span(GByteArray *out, const void *data, size_t len)
{
    put_int(out, len);
    if (len)
        g_byte_array_append(out, data, (guint) len);
}

static void put_record(GByteArray *out, const message_record *r)
{
    put_int(out, r->uid);
    put_int(out, r->item);
    put_int(out, r->flags);
    put_int(out, (uint64_t) r->tags_hi << 32 | r->tags_lo);
    put_int(out, r->size);
    put_int(out, r->modseq);
    put_signed(out, r->date);
}

static void put_uids(GByteArray *out, const op *o)
{
    uint32_t before = 0;
    put_int(out, o->n_uids);
    for (size_t i = 0; i < o->n_uids; i++) {
        put_int(out, o->uids[i].first - before);
        put_int(out, o->uids[i].last - o->uids[i].first);
        before = o->uids[i].last;
    }
}

static void put_copies(GByteArray *out, const op *o)
{
    put_int(out, o->n_copies);
    for (size_t i = 0; i < o->n_copies; i++) {
        put_int(out, o->copies[i].uid);
        put_int(out, o->copies[i].item);
        put_record(out, &o->copies[i].record);
    }
}

static void put_field(GByteArray *out, const op *o, const field *f)
{
    const char *at = (const char *) o + f->offset;
    switch (f->kind) {
    case U32: put_int(out, *(const uint32_t *) (const void *) at); break;
    case U64: put_int(out, *(const uint64_t *) (const void *) at); break;
    case I64: put_signed(out, *(const int64_t *) (const void *) at); break;
    case STRING: {
        const char *s = *(char *const *) (const void *) at;
        put_span(out, s, s ? strlen(s) : 0);
        break;
    }
    case SPAN: {
        const op_span *s = (const void *) at;
        put_span(out, s->data, s->len);
        break;
    }
    case RECORD: put_record(out, (const void *) at); break;
    case UIDS: put_uids(out, o); break;
    case COPIES: put_copies(out, o); break;
    case END: break;
    }
}

void op_encode(const op *o, GByteArray *out)
{
    for (const field *f = layouts[o->type].fields; f->kind != END; f++)
        put_field(out, o, f);
}

/* ---- reading ---- */

typedef struct { const uint8_t *p, *end; bool bad; } cursor;

static uint64_t get_int(cursor *c, uint64_t max)
{
    uint64_t v = 0;
    for (unsigned shift = 0; c->p < c->end && shift < 64; shift += 7) {
        uint8_t b = *c->p++;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t) (b & 0x7f) << shift;
        if (!(b & 0x80)) {
            if (v > max)
                break;
            return v;
        }
    }
    c->bad = true;
    return 0;
}

static int64_t get_signed(cursor *c)
{
    uint64_t v = get_int(c, UINT64_MAX);
    return (int64_t) (v >> 1) ^ -(int64_t) (v & 1);
}

static op_span get_span(cursor *c)
{
    size_t len = get_int(c, (uint64_t) (c->end - c->p));
    if (len > (size_t) (c->end - c->p)) {
        c->bad = true;
        len = 0;
    }
    op_span s = { c->p, len };
    c->p += len;
    return s;
}

static char *get_string(cursor *c)
{
    op_span s = get_span(c);
    if (s.len && memchr(s.data, 0, s.len))
        c->bad = true;
    return g_strndup(s.data, s.len);
}

static message_record get_record(cursor *c)
{
    message_record r = { 0 };
    r.uid = (uint32_t) get_int(c, UINT32_MAX);
    r.item = (uint32_t) get_int(c, UINT32_MAX);
    r.flags = (uint32_t) get_int(c, UINT32_MAX);
    uint64_t tags = get_int(c, UINT64_MAX);
    r.tags_lo = (uint32_t) tags;
    r.tags_hi = (uint32_t) (tags >> 32);
    r.size = (uint32_t) get_int(c, UINT32_MAX);
    r.modseq = get_int(c, UINT64_MAX);
    r.date = get_signed(c);
    if (r.uid == 0)
        c->bad = true;
    return r;
}

/* A count of elements of at least MIN bytes each, so that memory stays in
 * proportion to the payload. */
static size_t get_count(cursor *c, size_t min)
{
    return get_int(c, (uint64_t) (c->end - c->p) / min);
}

static void get_uids(cursor *c, op *o)
{
    o->n_uids = get_count(c, 2);
    o->uids = g_new0(uid_range, o->n_uids);
    uint64_t before = 0;
    for (size_t i = 0; i < o->n_uids && !c->bad; i++) {
        uint64_t first = before + get_int(c, UINT32_MAX);
        uint64_t last = first + get_int(c, UINT32_MAX);
        if (first <= before || last > UINT32_MAX)
            c->bad = true;
        o->uids[i] = (uid_range) { (uint32_t) first, (uint32_t) last };
        before = last;
    }
}

static void get_copies(cursor *c, op *o)
{
    o->n_copies = get_count(c, 9);
    o->copies = g_new0(op_copy, o->n_copies);
    for (size_t i = 0; i < o->n_copies && !c->bad; i++) {
        op_copy *k = &o->copies[i];
        k->uid = (uint32_t) get_int(c, UINT32_MAX);
        k->item = (uint32_t) get_int(c, UINT32_MAX);
        k->record = get_record(c);
        if (k->uid == 0 || (i && (k->uid <= k[-1].uid || k->record.uid <= k[-1].record.uid)))
            c->bad = true;
    }
}

static void get_field(cursor *c, op *o, const field *f)
{
    char *at = (char *) o + f->offset;
    switch (f->kind) {
    case U32: *(uint32_t *) (void *) at = (uint32_t) get_int(c, UINT32_MAX); break;
    case U64: *(uint64_t *) (void *) at = get_int(c, UINT64_MAX); break;
    case I64: *(int64_t *) (void *) at = get_signed(c); break;
    case STRING: *(char **) (void *) at = get_string(c); break;
    case SPAN: *(op_span *) (void *) at = get_span(c); break;
    case RECORD: *(message_record *) (void *) at = get_record(c); break;
    case UIDS: get_uids(c, o); break;
    case COPIES: get_copies(c, o); break;
    case END: break;
    }
}

int op_decode(op_type type, const void *bytes, size_t len, op **ret)
{
    if (type <= 0 || type >= OP_TYPES)
        return -EBADMSG;
    cursor c = { bytes, (const uint8_t *) bytes + len, false };
    op *o = op_new(type);
    for (const field *f = layouts[type].fields; f->kind != END && !c.bad; f++)
        get_field(&c, o, f);
    if (c.bad || c.p != c.end) {
        op_free(o);
        return -EBADMSG;
    }
    *ret = o;
    return 0;
}

/* ---- for people ---- */

static void describe_record(GString *out, const message_record *r)
{
    g_string_append_printf(out, "uid=%u item=%u flags=%#x tags=%#" G_GINT64_MODIFIER "x size=%u modseq=%" G_GUINT64_FORMAT " date=%" G_GINT64_FORMAT,
                           r->uid, r->item, r->flags, (guint64) r->tags_hi << 32 | r->tags_lo, r->size, r->modseq, r->date);
}

static void describe_uids(GString *out, const op *o)
{
    for (size_t i = 0; i < o->n_uids; i++)
        g_string_append_printf(out, "%s%u:%u", i ? "," : "", o->uids[i].first, o->uids[i].last);
}

static void describe_copies(GString *out, const op *o)
{
    for (size_t i = 0; i < o->n_copies; i++) {
        g_string_append_printf(out, "%s%u/%u->{", i ? "," : "", o->copies[i].uid, o->copies[i].item);
        describe_record(out, &o->copies[i].record);
        g_string_append_c(out, '}');
    }
}

static void describe_field(GString *out, const op *o, const field *f)
{
    const char *at = (const char *) o + f->offset;
    g_string_append_printf(out, " %s=", f->name);
    switch (f->kind) {
    case U32: g_string_append_printf(out, "%u", *(const uint32_t *) (const void *) at); break;
    case U64: g_string_append_printf(out, "%" G_GUINT64_FORMAT, *(const uint64_t *) (const void *) at); break;
    case I64: g_string_append_printf(out, "%" G_GINT64_FORMAT, *(const int64_t *) (const void *) at); break;
    case STRING: {
        g_autofree char *escaped = g_strescape(*(char *const *) (const void *) at, NULL);
        g_string_append_printf(out, "\"%s\"", escaped);
        break;
    }
    case SPAN: g_string_append_printf(out, "%zu bytes", ((const op_span *) (const void *) at)->len); break;
    case RECORD: describe_record(out, (const void *) at); break;
    case UIDS: describe_uids(out, o); break;
    case COPIES: describe_copies(out, o); break;
    case END: break;
    }
}

void op_describe(const op *o, GString *out)
{
    g_string_append(out, layouts[o->type].name);
    for (const field *f = layouts[o->type].fields; f->kind != END; f++)
        describe_field(out, o, f);
}
