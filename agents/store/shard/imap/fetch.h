/* Private to FETCH: its arguments as a plan, and sections of messages. */
#ifndef MAILSTEAD_STORE_IMAP_FETCH_H
#define MAILSTEAD_STORE_IMAP_FETCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/imap/imap.h"
#include "lib/mime/mime.h"

typedef enum { FETCH_FLAGS, FETCH_UID, FETCH_DATE, FETCH_SIZE, FETCH_ENVELOPE, FETCH_BODY, FETCH_BODYSTRUCTURE, FETCH_SECTION } fetch_kind;
typedef enum { SECTION_ALL, SECTION_HEADER, SECTION_FIELDS, SECTION_FIELDS_NOT, SECTION_TEXT, SECTION_MIME } section_kind;

typedef struct {
    fetch_kind kind;
    /* FETCH_SECTION */
    section_kind section;
    GArray *numbers;        /* of uint32_t: 1.2.3 */
    GPtrArray *fields;      /* of char*: HEADER.FIELDS */
    bool peek, partial;
    uint32_t start, count;
    char *label;            /* as the answer names it: BODY[1.TEXT]<0> */
} fetch_item;

typedef struct {
    GPtrArray *items;       /* of fetch_item */
    bool needs_summary, needs_blob, sets_seen, has_flags, has_uid;
} fetch_plan;

/* The arguments after the set, up to the end; NULL: malformed. */
fetch_plan *fetch_plan_parse(imap_cursor *args);
void fetch_plan_free(fetch_plan *p);
void fetch_plan_want(fetch_plan *p, fetch_kind kind);   /* adds it unless it is there */

/* Where ITEM's section lies in a message of SIZE bytes. S may be NULL for the whole
 * message. False: there is no such part (answer NIL). */
bool section_range(const fetch_item *item, const mime_summary *s, uint64_t size, uint64_t *ret_offset, uint64_t *ret_len);
/* The fields ITEM names (or all others) of HEADER, and an empty line. */
GString *section_filter(const fetch_item *item, const char *header, size_t len);

/* RFC 9051 §7.5.2 forms of a summary. */
void put_envelope(GString *out, const mime_envelope *e);
void put_structure(GString *out, const mime_part *p, bool extended);

#endif
