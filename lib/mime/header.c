/* Header fields of one part: a table says which field goes where and how it is
 * read; the rest of a header is not interpreted. The first field of a name holds,
 * except that address fields of one name are joined (RFC 5322 §3.6 allows one of
 * each; senders that repeat To: mean both). */
#include "lib/mime/internal.h"

#include <stddef.h>

typedef enum { BODY_TEXT, BODY_TOKEN, BODY_ADDRESSES, BODY_DATE, BODY_TYPE, BODY_DISPOSITION } body_kind;

static const struct field {
    const char *name;
    body_kind kind;
    bool in_envelope;
    size_t offset;
} fields[] = {
    { "Bcc",                       BODY_ADDRESSES,   true,  offsetof(mime_envelope, bcc) },
    { "Cc",                        BODY_ADDRESSES,   true,  offsetof(mime_envelope, cc) },
    { "Content-Description",       BODY_TEXT,        false, offsetof(mime_part, description) },
    { "Content-Disposition",       BODY_DISPOSITION, false, offsetof(mime_part, disposition) },
    { "Content-ID",                BODY_TEXT,        false, offsetof(mime_part, id) },
    { "Content-Language",          BODY_TEXT,        false, offsetof(mime_part, language) },
    { "Content-Location",          BODY_TEXT,        false, offsetof(mime_part, location) },
    { "Content-MD5",               BODY_TEXT,        false, offsetof(mime_part, md5) },
    { "Content-Transfer-Encoding", BODY_TOKEN,       false, offsetof(mime_part, encoding) },
    { "Content-Type",              BODY_TYPE,        false, offsetof(mime_part, type) },
    { "Date",                      BODY_DATE,        true,  offsetof(mime_envelope, date) },
    { "From",                      BODY_ADDRESSES,   true,  offsetof(mime_envelope, from) },
    { "In-Reply-To",               BODY_TEXT,        true,  offsetof(mime_envelope, in_reply_to) },
    { "Message-ID",                BODY_TEXT,        true,  offsetof(mime_envelope, message_id) },
    { "Reply-To",                  BODY_ADDRESSES,   true,  offsetof(mime_envelope, reply_to) },
    { "Sender",                    BODY_ADDRESSES,   true,  offsetof(mime_envelope, sender) },
    { "Subject",                   BODY_TEXT,        true,  offsetof(mime_envelope, subject) },
    { "To",                        BODY_ADDRESSES,   true,  offsetof(mime_envelope, to) },
};

const char *mime_param(const GPtrArray *params, const char *name)
{
    for (guint i = 0; i + 1 < params->len; i += 2)
        if (g_ascii_strcasecmp(params->pdata[i], name) == 0)
            return params->pdata[i + 1];
    return NULL;
}

/* A token, read liberally: up to white space or a character of STOP. */
static char *token(scan *s, const char *stop)
{
    scan_cfws(s, NULL);
    const char *start = s->p;
    while (!scan_done(s) && !g_ascii_isspace(*s->p) && (*s->p == 0 || !strchr(stop, *s->p)))
        s->p++;
    return s->p > start ? g_strndup(start, (gsize) (s->p - start)) : NULL;
}

static char *param_value(scan *s)
{
    scan_cfws(s, NULL);
    if (!scan_is(s, '"'))
        return token(s, ";");
    g_autoptr(GString) value = g_string_new(NULL);
    scan_quoted(s, value);
    return g_strndup(value->str, value->len);
}

/* RFC 2045 §5.1: *(";" attribute "=" value). What does not read as such is skipped. */
static void params(scan *s, GPtrArray *list)
{
    while (!scan_done(s)) {
        if (*s->p == '"') {
            scan_quoted(s, NULL);
            continue;
        }
        if (*s->p++ != ';')
            continue;
        g_autofree char *name = token(s, "=;(\"");
        scan_cfws(s, NULL);
        if (!name || !scan_is(s, '='))
            continue;
        s->p++;
        char *value = param_value(s);
        g_ptr_array_add(list, g_steal_pointer(&name));
        g_ptr_array_add(list, value ? value : g_strdup(""));
    }
}

static void content_type(const char *body, size_t len, mime_part *part)
{
    scan s = { body, body + len };
    g_autofree char *type = token(&s, "/;(\"=");
    scan_cfws(&s, NULL);
    if (!type || !scan_is(&s, '/'))
        return;                           /* RFC 2045 §5.2: as if it were absent */
    s.p++;
    g_autofree char *subtype = token(&s, "/;(\"=");
    if (!subtype)
        return;
    part->type = g_ascii_strup(type, -1);
    part->subtype = g_ascii_strup(subtype, -1);
    params(&s, part->params);
}

static void set_string(char **slot, const char *body, size_t len)
{
    if (!*slot)
        *slot = g_strndup(body, len);
}

static void set_token(char **slot, const char *body, size_t len)
{
    scan s = { body, body + len };
    if (!*slot)
        *slot = token(&s, ";(");
}

static void apply(const struct field *f, const char *body, size_t len, const mime_limits *limits,
                  mime_part *part, mime_envelope *envelope, int64_t *date)
{
    if (f->in_envelope && !envelope)
        return;
    char *base = f->in_envelope ? (char *) envelope : (char *) part;
    void *slot = base + f->offset;
    switch (f->kind) {
    case BODY_DATE:
        if (date && !envelope->date)
            *date = mime_date_parse(body, len);
        set_string(slot, body, len);
        break;
    case BODY_TEXT:
        set_string(slot, body, len);
        break;
    case BODY_TOKEN:
        set_token(slot, body, len);
        break;
    case BODY_ADDRESSES:
        mime_addresses_parse(body, len, limits->max_addresses, *(GPtrArray **) slot);
        break;
    case BODY_TYPE:
        if (!part->type)
            content_type(body, len, part);
        break;
    case BODY_DISPOSITION:
        if (!part->disposition) {
            set_token(slot, body, len);
            scan s = { body, body + len };
            params(&s, part->disposition_params);
        }
        break;
    }
}

static const struct field *find_field(const char *name, size_t len)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (strlen(fields[i].name) == len && g_ascii_strncasecmp(fields[i].name, name, len) == 0)
            return &fields[i];
    return NULL;
}

/* Unfolds (RFC 5322 §2.2.3) into OUT and trims. A NUL, which no string of IMAP
 * can carry, becomes 0x80. */
static void unfold(const char *body, size_t len, GString *out)
{
    g_string_truncate(out, 0);
    for (size_t i = 0; i < len; i++) {
        bool line_end = body[i] == '\n' || (body[i] == '\r' && i + 1 < len && body[i + 1] == '\n');
        if (!line_end && (out->len || !g_ascii_isspace(body[i])))
            g_string_append_c(out, body[i] ? body[i] : '\x80');
    }
    while (out->len && g_ascii_isspace(out->str[out->len - 1]))
        g_string_truncate(out, out->len - 1);
}

/* Length of the field at BLOCK: its line and the continuation lines after it. */
static size_t field_length(const char *block, size_t len)
{
    size_t n = 0;
    do {
        const char *nl = memchr(block + n, '\n', len - n);
        n = nl ? (size_t) (nl - block) + 1 : len;
    } while (n < len && (block[n] == ' ' || block[n] == '\t'));
    return n;
}

void mime_header_parse(const char *block, size_t len, const mime_limits *limits,
                       mime_part *part, mime_envelope *envelope, int64_t *date)
{
    g_autoptr(GString) body = g_string_new(NULL);
    for (size_t n; len > 0; block += n, len -= n) {
        n = field_length(block, len);
        const char *colon = memchr(block, ':', n);
        if (!colon)
            continue;
        size_t name_len = (size_t) (colon - block);
        while (name_len && (block[name_len - 1] == ' ' || block[name_len - 1] == '\t'))
            name_len--;
        const struct field *f = find_field(block, name_len);
        if (!f)
            continue;
        unfold(colon + 1, n - (size_t) (colon + 1 - block), body);
        apply(f, body->str, body->len, limits, part, envelope, date);
    }
}
