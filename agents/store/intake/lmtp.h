/* LMTP as syntax (RFC 2033 on RFC 5321): command lines and dot-stuffed text.
 * Bytes in, structs and slices out; no sockets, no state of a session. Any split
 * of the input gives one result. */
#ifndef MAILSTEAD_INTAKE_LMTP_H
#define MAILSTEAD_INTAKE_LMTP_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- command lines ---- */

typedef struct { GString *text; size_t max; bool overlong; } lmtp_line;
void lmtp_line_init(lmtp_line *l, size_t max);
void lmtp_line_done(lmtp_line *l);
/* 1: l->text is a line (its end taken off; call lmtp_line_next() before the next
 * feed), 0: more input, -EMSGSIZE: a line above MAX ended here and is gone.
 * *RET_USED bytes were consumed. */
int lmtp_line_feed(lmtp_line *l, const char *bytes, size_t len, size_t *ret_used);
void lmtp_line_next(lmtp_line *l);

/* ---- commands ---- */

typedef enum {
    LMTP_LHLO, LMTP_MAIL, LMTP_RCPT, LMTP_DATA, LMTP_RSET, LMTP_NOOP, LMTP_QUIT, LMTP_VRFY, LMTP_HELO, LMTP_EHLO,
    LMTP_VERBS,      /* their number, and: unknown */
} lmtp_verb;

#define LMTP_PATH_MAX 512

typedef struct {
    lmtp_verb verb;
    const char *argument;        /* LHLO, VRFY: rest of the line */
    char path[LMTP_PATH_MAX];    /* MAIL, RCPT: address without <> and source route; "" for <> */
    uint64_t size;               /* MAIL SIZE=, 0: not given */
    const char *reply;           /* what is wrong, as a reply; NULL: nothing */
} lmtp_command;

/* Reads LINE (NUL-terminated, of LEN bytes) into RET, which borrows from it. */
void lmtp_command_parse(const char *line, size_t len, lmtp_command *ret);

/* ---- text after DATA ---- */

typedef struct { int state; } lmtp_data;
typedef void (*lmtp_emit)(const char *bytes, size_t len, void *data);
void lmtp_data_init(lmtp_data *d);
/* 1: the final dot was read, 0: more input. Only CR LF . CR LF ends the text and
 * only a dot after CR LF is a stuffed one: bare CR and LF are content. */
int lmtp_data_feed(lmtp_data *d, const char *bytes, size_t len, size_t *ret_used, lmtp_emit emit, void *data);

/* ---- the one header field that decides the folder ---- */

/* Watches text for the first X-Spam-Flag field of the top header (amavis puts its
 * own there and removes those of others). */
typedef struct { bool done, yes; char line[64]; size_t len; } spam_watch;
void spam_watch_feed(spam_watch *w, const char *bytes, size_t len);

#endif
