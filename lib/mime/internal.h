/* Private to lib/mime: the pieces the parser is made of. Input of each is one
 * bounded header block or field body; none keeps pointers into it. */
#ifndef MAILSTEAD_MIME_INTERNAL_H
#define MAILSTEAD_MIME_INTERNAL_H

#include "lib/mime/mime.h"

/* A cursor over a field body. */
typedef struct { const char *p, *end; } scan;

static inline bool scan_done(const scan *s) { return s->p >= s->end; }
static inline bool scan_is(const scan *s, char c) { return s->p < s->end && *s->p == c; }
/* Skips white space and comments; the text of the last comment goes to COMMENT
 * when that is not NULL (RFC 5322 §3.2.2, nested and quoted pairs considered). */
void scan_cfws(scan *s, GString *comment);
/* At a '"': appends the unquoted content to OUT (may be NULL), leaves S behind it. */
void scan_quoted(scan *s, GString *out);

/* Adds the addresses of BODY to LIST until it holds MAX (RFC 5322 §3.4, §4.4). */
void mime_addresses_parse(const char *body, size_t len, unsigned max, GPtrArray *list);
/* RFC 5322 §3.3, §4.3 date as Unix time, 0 when it is none. */
int64_t mime_date_parse(const char *body, size_t len);

/* Interprets a header block (complete lines) of PART. ENVELOPE and DATE are NULL
 * when the part is not the top of a message. Type and subtype stay NULL when the
 * block has no usable Content-Type. */
void mime_header_parse(const char *block, size_t len, const mime_limits *limits,
                       mime_part *part, mime_envelope *envelope, int64_t *date);
/* Value of parameter NAME (any case), or NULL. */
const char *mime_param(const GPtrArray *params, const char *name);

mime_part *mime_part_new(void);
void mime_part_free(mime_part *part);
mime_envelope *mime_envelope_new(void);
void mime_envelope_init(mime_envelope *e);
mime_summary *mime_summary_new(void);
mime_address *mime_address_new(char *name, char *route, char *mailbox, char *host);

/* Nesting that neither parser nor decoder exceeds, whatever limits say. */
#define MIME_DEPTH_CAP 100

#endif
