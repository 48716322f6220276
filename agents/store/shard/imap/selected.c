/* The selected folder as the client knows it: sequence numbers, flags, \Recent. */
#include "agents/store/shard/imap/session.h"

#include <errno.h>

static const struct { unsigned flag; const char *name; } system_flags[] = {
    { MSG_ANSWERED, "\\Answered" }, { MSG_FLAGGED, "\\Flagged" }, { MSG_DELETED, "\\Deleted" }, { MSG_SEEN, "\\Seen" },
    { MSG_DRAFT, "\\Draft" }, { MSG_FORWARDED, "$Forwarded" }, { MSG_JUNK, "$Junk" }, { MSG_NOTJUNK, "$NotJunk" },
};

void session_deselect(session *s)
{
    folder_view *v = g_steal_pointer(&s->view);
    if (v)
        folder_view_unref(v);
    g_clear_pointer(&s->recent, g_array_unref);
    s->folder = 0;
    s->recent_next = 0;
    s->known_tags = 0;
}

/* ---- numbers ---- */

static uint32_t uid_at(const folder_view *v, uint32_t index)
{
    return folder_view_at(v, index)->uid;
}

static bool numbers_exist(const GArray *set, uint32_t n)
{
    return set->len == 0 || g_array_index(set, imap_range, set->len - 1).to <= n;
}

GArray *session_indexes(session *s, imap_cursor *args)
{
    const folder_view *v = s->view;
    g_autoptr(GArray) set = imap_set(args);
    if (!set) {
        session_bad(s, "Malformed sequence set");
        return NULL;
    }
    imap_set_resolve(set, v->n == 0 ? 0 : s->uid ? uid_at(v, v->n - 1) : v->n);
    if (!s->uid && !numbers_exist(set, v->n)) {
        session_bad(s, "No message has that sequence number");
        return NULL;
    }
    GArray *indexes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < set->len; i++) {
        imap_range range = g_array_index(set, imap_range, i);
        uint32_t from = s->uid ? folder_view_lower(v, range.from) : range.from - 1;
        for (uint32_t k = from; k < v->n && (s->uid ? uid_at(v, k) <= range.to : k < range.to); k++)
            g_array_append_val(indexes, k);
    }
    return indexes;
}

GArray *session_uids(session *s, const GArray *indexes, const folder_view *latest)
{
    GArray *uids = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), indexes->len);
    for (guint i = 0; i < indexes->len; i++) {
        uint32_t uid = uid_at(s->view, g_array_index(indexes, uint32_t, i));
        if (folder_view_find(latest, uid))
            g_array_append_val(uids, uid);
    }
    return uids;
}

/* ---- \Recent ----
 * A message is recent in the first session that was told of it (RFC 3501 §2.3.2).
 * That is remembered while the shard runs; what arrived before counts as recent,
 * as the RFC asks when it cannot be known. EXAMINE looks without claiming. */

static gint64 recent_key(uint64_t mailbox_number, uint32_t folder)
{
    return (gint64) (mailbox_number << 24 ^ folder);
}

static uint32_t recent_from(imap_server *i, uint64_t mailbox_number, uint32_t folder)
{
    gint64 key = recent_key(mailbox_number, folder);
    uint32_t from = GPOINTER_TO_UINT(g_hash_table_lookup(i->recent, &key));
    return from ? from : 1;
}

void session_claim_recent(session *s, const folder_view *v)
{
    uint64_t id = mailbox_id(s->mailbox);
    uint32_t from = MAX(recent_from(s->server, id, s->folder), s->recent_next);
    s->recent_next = v->uidnext;
    if (from >= v->uidnext)
        return;
    imap_range range = { from, v->uidnext - 1 };
    imap_range *last = s->recent->len > 0 ? &g_array_index(s->recent, imap_range, s->recent->len - 1) : NULL;
    if (last && last->to + 1 == from)
        last->to = range.to;
    else
        g_array_append_val(s->recent, range);
    if (s->read_only)
        return;
    gint64 *key = g_new(gint64, 1);
    *key = recent_key(id, s->folder);
    g_hash_table_replace(s->server->recent, key, GUINT_TO_POINTER(v->uidnext));
}

bool session_is_recent(const session *s, uint32_t uid)
{
    return imap_set_contains(s->recent, uid);
}

uint32_t session_count_recent(const session *s)
{
    uint32_t n = 0;
    for (guint i = 0; i < s->recent->len; i++) {
        imap_range range = g_array_index(s->recent, imap_range, i);
        n += folder_view_lower(s->view, range.to + 1) - folder_view_lower(s->view, range.from);
    }
    return n;
}

uint32_t server_recent_of(imap_server *i, uint64_t mailbox_number, const folder_info *f)
{
    uint32_t from = recent_from(i, mailbox_number, f->id);
    return from >= f->uidnext ? 0 : MIN(f->messages, f->uidnext - from);
}

/* ---- flags ---- */

uint64_t record_tags(const message_record *m)
{
    return (uint64_t) m->tags_hi << 32 | m->tags_lo;
}

static void put_name(GString *out, const char *name)
{
    if (out->str[out->len - 1] != '(')
        g_string_append_c(out, ' ');
    g_string_append(out, name);
}

static void put_names(session *s, GString *out, unsigned flags, uint64_t tags)
{
    for (size_t i = 0; i < G_N_ELEMENTS(system_flags); i++)
        if (flags & system_flags[i].flag)
            put_name(out, system_flags[i].name);
    for (unsigned bit = 0; tags >> bit && bit < 64; bit++) {
        const char *name = tags >> bit & 1 ? mailbox_tag_name(s->mailbox, bit) : NULL;
        if (name)
            put_name(out, name);
        if (bit == 63)
            break;
    }
}

static uint64_t all_tags(const session *s)
{
    uint64_t tags = 0;
    for (unsigned bit = 0; bit < 64; bit++)
        if (mailbox_tag_name(s->mailbox, bit))
            tags |= UINT64_C(1) << bit;
    return tags;
}

void session_put_flag_lists(session *s, GString *out)
{
    s->known_tags = all_tags(s);
    g_string_append(out, "* FLAGS (");
    put_names(s, out, ~0U, s->known_tags);
    g_string_append(out, ")\r\n");
}

void session_put_permanent_flags(session *s, GString *out)
{
    g_string_append(out, "* OK [PERMANENTFLAGS (");
    if (!s->read_only) {
        put_names(s, out, ~0U, s->known_tags);
        put_name(out, "\\*");
    }
    g_string_append(out, s->read_only ? ")] No changes here\r\n" : ")] Flags are kept\r\n");
}

void session_tell_keywords(session *s, GString *out, const message_record *m)
{
    if (record_tags(m) & ~s->known_tags)
        session_put_flag_lists(s, out);
}

void session_put_flags(session *s, GString *out, const message_record *m)
{
    g_string_append(out, "FLAGS (");
    put_names(s, out, m->flags, record_tags(m));
    if (session_is_recent(s, m->uid))
        put_name(out, "\\Recent");
    g_string_append_c(out, ')');
}

void session_told(session *s, const message_record *m)
{
    told_flags t = { .uid = m->uid, .flags = m->flags, .tags = record_tags(m) };
    if (!s->told)
        s->told = g_array_new(FALSE, FALSE, sizeof t);
    g_array_append_val(s->told, t);
}

static int add_flag(session *s, const char *name, unsigned *flags, uint64_t *tags)
{
    for (size_t i = 0; i < G_N_ELEMENTS(system_flags); i++)
        if (g_ascii_strcasecmp(name, system_flags[i].name) == 0) {
            *flags |= system_flags[i].flag;
            return 0;
        }
    if (*name == '\\')   /* \Recent cannot be set; other names are not the client's to make */
        return g_ascii_strcasecmp(name, "\\Recent") == 0 ? 0 : -EBADMSG;
    int bit = mailbox_tag(s->mailbox, name, true);
    if (bit < 0)
        return bit;
    *tags |= UINT64_C(1) << bit;
    return 0;
}

int session_flag_list(session *s, imap_cursor *args, unsigned *ret_flags, uint64_t *ret_tags)
{
    bool list = imap_take(args, '(');
    unsigned flags = 0;
    uint64_t tags = 0;
    if (list && imap_take(args, ')'))
        goto done;
    do {
        const char *name = imap_flag(args);
        int r = name ? add_flag(s, name, &flags, &tags) : -EBADMSG;
        if (r < 0)
            return r;
    } while (imap_take(args, ' '));
    if (list && !imap_take(args, ')'))
        return -EBADMSG;
done:
    *ret_flags = flags;
    *ret_tags = tags;
    return 0;
}
