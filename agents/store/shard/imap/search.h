/* Private to SEARCH: keys as a tree, and what they say of a message. The tree is
 * not changed after parsing, so that threads may read it. */
#ifndef MAILSTEAD_STORE_IMAP_SEARCH_H
#define MAILSTEAD_STORE_IMAP_SEARCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "agents/store/shard/mailbox.h"
#include "lib/imap/imap.h"
#include "lib/mime/mime.h"

typedef enum {
    KEY_AND, KEY_OR, KEY_NOT, KEY_ALL, KEY_FLAGS, KEY_TAG, KEY_RECENT, KEY_NUMBERS, KEY_UIDS,
    KEY_BEFORE, KEY_SINCE, KEY_SENT_BEFORE, KEY_SENT_SINCE, KEY_LARGER, KEY_SMALLER, KEY_HEADER, KEY_BODY, KEY_TEXT,
} search_kind;

typedef struct search_key search_key;
struct search_key {
    search_kind kind;
    GPtrArray *children;     /* AND, OR, NOT */
    unsigned flags;
    uint64_t tags;           /* 0 for a keyword that the mailbox does not have */
    GArray *set;             /* resolved */
    int64_t when;
    uint32_t size;
    char *name;              /* HEADER's field */
    char *needle;            /* folded */
};

/* What numbers and keywords mean: the selected folder. */
typedef struct {
    uint32_t max_number, max_uid;
    int (*tag)(const char *keyword, void *data);   /* bit, or negative */
    void *data;
} search_context;

typedef enum { SEARCH_OK, SEARCH_MALFORMED, SEARCH_BAD_CHARSET } search_status;
search_status search_parse(imap_cursor *args, const search_context *context, search_key **ret);
void search_key_free(search_key *k);

/* A message to judge. BYTES and SUMMARY NULL: not read. */
typedef struct {
    const message_record *record;
    uint32_t number;
    bool recent;
    const char *bytes; size_t len;
    const mime_summary *summary;
} search_message;

typedef enum { SEARCH_NO, SEARCH_YES, SEARCH_UNKNOWN } search_verdict;   /* UNKNOWN: the message has to be read */
search_verdict search_match(const search_key *k, const search_message *m);

/* ---- search-text.c: decoded, case-folded text ---- */
char *search_fold(const char *utf8, gssize len);
bool search_header(const search_message *m, const char *name, const char *needle);   /* NAME NULL: the whole header */
bool search_body(const search_message *m, const char *needle);

#endif
