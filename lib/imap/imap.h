/* IMAP's syntax (RFC 9051 §9, RFC 3501 §9), for everything that speaks it:
 * commands cut out of a byte stream with their literals (RFC 7888), a cursor that
 * reads a command's arguments, sequence sets, dates, mailbox names in modified
 * UTF-7, and the quoting of answers. Bytes in, values out: no sockets, no state of
 * a session. Any split of the input gives one result. */
#ifndef MAILSTEAD_IMAP_H
#define MAILSTEAD_IMAP_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- reader: bytes -> commands ---- */

typedef struct {
    size_t max_command;     /* bytes of a command with its buffered literals */
    uint64_t max_skip;      /* a refused LITERAL+ above this is an error */
} imap_limits;

typedef enum {
    IMAP_MORE,              /* all input used */
    IMAP_COMMAND,           /* a whole command is in .command; then call imap_reader_next() */
    IMAP_LITERAL,           /* .literal_size bytes announced; call imap_reader_literal() */
    IMAP_TOO_LONG,          /* a command exceeded the limit and was skipped; .command has its start */
} imap_event;

typedef enum {
    IMAP_BUFFER,            /* becomes part of .command; only up to max_command bytes */
    IMAP_STREAM,            /* the caller takes the bytes itself; what follows them is the next "command" */
    IMAP_REFUSE,            /* not sent, or skipped with the rest of the command */
} imap_literal_choice;

typedef struct {
    GByteArray *command;    /* without its last CRLF; literals as {n}CRLF and bytes */
    uint64_t literal_size;
    bool literal_plus;      /* the client does not wait for a continuation */
    imap_limits limits;
    unsigned state;         /* private from here */
    uint64_t left;
    size_t line_start;
    bool report;
    char tail[32];
    size_t tail_len;
} imap_reader;

void imap_reader_init(imap_reader *r, const imap_limits *limits);
void imap_reader_done(imap_reader *r);
/* An imap_event, or -EMSGSIZE: a literal to skip is above max_skip. */
int imap_reader_feed(imap_reader *r, const void *bytes, size_t len, size_t *ret_used);
void imap_reader_literal(imap_reader *r, imap_literal_choice choice);
void imap_reader_next(imap_reader *r);

/* ---- cursor: a command -> its arguments ---- */

/* Each function takes what its name says at the cursor and moves it, or returns
 * NULL/false and leaves the cursor undefined: the command is malformed. Strings
 * are NUL-terminated copies in STRINGS (a NUL byte inside is malformed). */
typedef struct { const char *p, *end; GStringChunk *strings; } imap_cursor;

bool imap_at_end(const imap_cursor *c);
bool imap_next_is(const imap_cursor *c, char ch);
bool imap_take(imap_cursor *c, char ch);               /* exactly CH */
bool imap_take_word(imap_cursor *c, const char *word); /* an atom, in any case; the cursor stays when it differs */
const char *imap_tag(imap_cursor *c);
const char *imap_atom(imap_cursor *c);
const char *imap_string(imap_cursor *c);               /* quoted or literal */
const char *imap_astring(imap_cursor *c);
bool imap_nstring(imap_cursor *c, const char **ret);   /* NIL: *RET is NULL */
const char *imap_list_mailbox(imap_cursor *c);         /* astring with % and * */
char *imap_mailbox(imap_cursor *c);                    /* astring decoded to UTF-8; caller frees */
const char *imap_flag(imap_cursor *c);                 /* \Seen or a keyword */
bool imap_number(imap_cursor *c, uint32_t *ret);
bool imap_number64(imap_cursor *c, uint64_t *ret);
bool imap_date(imap_cursor *c, int64_t *ret);          /* 1-Feb-1994, quoted or not; 00:00 UTC */
bool imap_date_time(imap_cursor *c, int64_t *ret);     /* "17-Jul-1996 02:44:25 -0700" */

/* ---- sequence sets ---- */

#define IMAP_STAR 0
#define IMAP_SET_MAX 16384
typedef struct { uint32_t from, to; } imap_range;
GArray *imap_set(imap_cursor *c);                      /* of imap_range, as written; caller unrefs; NULL */
/* '*' becomes MAX; ranges ascending, merged. An empty folder (MAX 0): no ranges with '*'. */
void imap_set_resolve(GArray *set, uint32_t max);
bool imap_set_contains(const GArray *resolved, uint32_t value);
/* "1:3,5" of ascending numbers */
void imap_put_set(GString *out, const uint32_t *numbers, size_t n);

/* ---- answers ---- */

void imap_put_quoted(GString *out, const char *s);     /* quoted, or literal where quoting cannot hold it */
void imap_put_string(GString *out, const char *s, size_t len);
void imap_put_astring(GString *out, const char *s);    /* bare where it is an atom */
void imap_put_nstring(GString *out, const char *s);    /* NULL: NIL */
void imap_put_mailbox(GString *out, const char *name); /* UTF-8 -> modified UTF-7, quoted */
void imap_put_date_time(GString *out, int64_t t);

/* ---- mailbox names: modified UTF-7 (RFC 3501 §5.1.3) ---- */

char *imap_utf7_encode(const char *utf8);              /* caller frees */
char *imap_utf7_decode(const char *utf7);              /* NULL: not canonical; caller frees */

#endif
