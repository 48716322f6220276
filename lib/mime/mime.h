/* A message parsed once into a summary: header fields that IMAP's ENVELOPE needs
 * and the MIME structure with byte offsets (RFC 5322, RFC 2045-2047, RFC 9051
 * §2.3.5, §7.5.2). Bytes in, struct out: no sockets, storage or logs. Any split
 * of the input gives one result; limits are arguments and exceeding them never
 * fails a message, it only stops the descent (the rest is one opaque part). */
#ifndef MAILSTEAD_MIME_H
#define MAILSTEAD_MIME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned max_depth;         /* nesting of multiparts and message/rfc822 */
    unsigned max_parts;
    unsigned max_header_bytes;  /* per part; what exceeds is not interpreted */
    unsigned max_addresses;     /* per field */
} mime_limits;
extern const mime_limits mime_default_limits;

/* As RFC 9051 address; host NULL: group marker (mailbox NULL as well: its end). What
 * a bad address lacks reads MISSING_MAILBOX and MISSING_DOMAIN. */
typedef struct { char *name, *route, *mailbox, *host; } mime_address;

typedef struct {
    char *date, *subject, *in_reply_to, *message_id;   /* raw field bodies, unfolded; NULL: absent */
    GPtrArray *from, *sender, *reply_to, *to, *cc, *bcc; /* of mime_address; empty: absent, never NULL */
} mime_envelope;

typedef struct mime_part mime_part;
struct mime_part {
    char *type, *subtype;           /* upper-case, default TEXT/PLAIN; where a limit
                                     * stopped the descent APPLICATION/OCTET-STREAM */
    GPtrArray *params;              /* char* name, value, name, value… */
    char *id, *description, *encoding, *md5, *disposition, *language, *location;
    GPtrArray *disposition_params;
    uint64_t header_offset, header_len;   /* in the message; header_len includes the empty line */
    uint64_t body_offset, body_len;
    uint32_t lines;                       /* of the body */
    GPtrArray *children;                  /* of mime_part: MULTIPART's parts (none: empty, not NULL), or the
                                           * one of MESSAGE/RFC822 and MESSAGE/GLOBAL; NULL otherwise */
    mime_envelope *envelope;              /* of message/rfc822: that message's */
};

typedef struct {
    mime_envelope envelope;
    mime_part *root;
    uint64_t size;            /* bytes as stored (CRLF) */
    int64_t date;             /* Date field as Unix time, 0 when absent or bad */
    bool has_8bit, has_nul;
} mime_summary;

typedef struct mime_parser mime_parser;
mime_parser *mime_parser_new(const mime_limits *limits);
void mime_parser_feed(mime_parser *p, const void *bytes, size_t len);
mime_summary *mime_parser_end(mime_parser *p);       /* frees the parser */
void mime_summary_free(mime_summary *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(mime_summary, mime_summary_free)

/* Compact form for the item table and the wire; versioned, at most
 * MIME_SUMMARY_MAX bytes (a larger one is cut to its top part). */
#define MIME_SUMMARY_MAX (256 * 1024)
GBytes *mime_summary_encode(const mime_summary *s);
int mime_summary_decode(const void *bytes, size_t len, mime_summary **ret);   /* -EBADMSG */

#endif
