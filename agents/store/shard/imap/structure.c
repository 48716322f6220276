/* ENVELOPE, BODY and BODYSTRUCTURE of a summary (RFC 9051 §7.5.2). */
#include "agents/store/shard/imap/fetch.h"

/* ---- envelope ---- */

static void put_addresses(GString *out, const GPtrArray *list)
{
    if (!list || list->len == 0) {
        g_string_append(out, "NIL");
        return;
    }
    g_string_append_c(out, '(');
    for (guint i = 0; i < list->len; i++) {
        const mime_address *a = g_ptr_array_index(list, i);
        const char *const fields[] = { a->name, a->route, a->mailbox, a->host };
        for (size_t k = 0; k < G_N_ELEMENTS(fields); k++) {
            g_string_append_c(out, k ? ' ' : '(');
            imap_put_nstring(out, fields[k]);
        }
        g_string_append_c(out, ')');
    }
    g_string_append_c(out, ')');
}

static const GPtrArray *or_from(const mime_envelope *e, const GPtrArray *list)
{
    return list && list->len > 0 ? list : e->from;
}

void put_envelope(GString *out, const mime_envelope *e)
{
    const GPtrArray *const lists[] = { e->from, or_from(e, e->sender), or_from(e, e->reply_to), e->to, e->cc, e->bcc };
    g_string_append_c(out, '(');
    imap_put_nstring(out, e->date);
    g_string_append_c(out, ' ');
    imap_put_nstring(out, e->subject);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_string_append_c(out, ' ');
        put_addresses(out, lists[i]);
    }
    g_string_append_c(out, ' ');
    imap_put_nstring(out, e->in_reply_to);
    g_string_append_c(out, ' ');
    imap_put_nstring(out, e->message_id);
    g_string_append_c(out, ')');
}

/* ---- structure ---- */

static void put_params(GString *out, const GPtrArray *params)
{
    if (!params || params->len < 2) {
        g_string_append(out, "NIL");
        return;
    }
    for (guint i = 0; i + 1 < params->len; i += 2) {
        g_string_append_c(out, i ? ' ' : '(');
        imap_put_quoted(out, g_ptr_array_index(params, i));
        g_string_append_c(out, ' ');
        imap_put_quoted(out, g_ptr_array_index(params, i + 1));
    }
    g_string_append_c(out, ')');
}

static void put_disposition(GString *out, const mime_part *p)
{
    if (!p->disposition) {
        g_string_append(out, " NIL");
        return;
    }
    g_string_append(out, " (");
    imap_put_quoted(out, p->disposition);
    g_string_append_c(out, ' ');
    put_params(out, p->disposition_params);
    g_string_append_c(out, ')');
}

/* Content-Language is a list of tags (RFC 3282). */
static void put_language(GString *out, const char *language)
{
    g_auto(GStrv) tags = g_strsplit_set(language ? language : "", ", \t", -1);
    bool any = false;
    for (char **tag = tags; *tag; tag++) {
        if (!**tag)
            continue;
        g_string_append_c(out, any ? ' ' : '(');
        imap_put_quoted(out, *tag);
        any = true;
    }
    g_string_append(out, any ? ")" : "NIL");
}

/* disposition, language, location: what both kinds of body end with */
static void put_tail(GString *out, const mime_part *p)
{
    put_disposition(out, p);
    g_string_append_c(out, ' ');
    put_language(out, p->language);
    g_string_append_c(out, ' ');
    imap_put_nstring(out, p->location);
}

static void put_multipart(GString *out, const mime_part *p, bool extended)
{
    if (!p->children || p->children->len == 0)   /* the grammar asks for one part at least */
        g_string_append(out, extended ? "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL)" : "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0)");
    for (guint i = 0; p->children && i < p->children->len; i++)
        put_structure(out, g_ptr_array_index(p->children, i), extended);
    g_string_append_c(out, ' ');
    imap_put_quoted(out, p->subtype);
    if (extended) {
        g_string_append_c(out, ' ');
        put_params(out, p->params);
        put_tail(out, p);
    }
}

static void put_single(GString *out, const mime_part *p, bool extended)
{
    bool message = p->envelope && p->children && p->children->len == 1;
    bool opaque = !message && g_str_equal(p->type, "MESSAGE") && g_str_equal(p->subtype, "RFC822");
    imap_put_quoted(out, opaque ? "APPLICATION" : p->type);   /* a message too deep to be looked into */
    g_string_append_c(out, ' ');
    imap_put_quoted(out, opaque ? "OCTET-STREAM" : p->subtype);
    g_string_append_c(out, ' ');
    put_params(out, p->params);
    g_string_append_c(out, ' ');
    imap_put_nstring(out, p->id);
    g_string_append_c(out, ' ');
    imap_put_nstring(out, p->description);
    g_string_append_c(out, ' ');
    imap_put_quoted(out, p->encoding && *p->encoding ? p->encoding : "7BIT");
    g_string_append_printf(out, " %" G_GUINT64_FORMAT, p->body_len);
    if (message) {
        g_string_append_c(out, ' ');
        put_envelope(out, p->envelope);
        g_string_append_c(out, ' ');
        put_structure(out, g_ptr_array_index(p->children, 0), extended);
    }
    if (message || g_str_equal(p->type, "TEXT"))
        g_string_append_printf(out, " %u", p->lines);
    if (extended) {
        g_string_append_c(out, ' ');
        imap_put_nstring(out, p->md5);
        put_tail(out, p);
    }
}

void put_structure(GString *out, const mime_part *p, bool extended)
{
    g_string_append_c(out, '(');
    if (g_str_equal(p->type, "MULTIPART"))
        put_multipart(out, p, extended);
    else
        put_single(out, p, extended);
    g_string_append_c(out, ')');
}
