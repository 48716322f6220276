/* What nginx's mail proxy says and is told in HTTP headers (its auth_http
 * protocol). Pure: texts in, texts out. */
#ifndef MAILSTEAD_AGENTS_ROUTE_HEADER_H
#define MAILSTEAD_AGENTS_ROUTE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* Undoes nginx's escaping (%XX) of user and password. NULL when malformed, with a
 * NUL inside, or longer than MAX. Caller frees. */
char *header_unescape(const char *text, size_t max);

typedef struct header_words header_words;
/* The answers to a client of PROTOCOL, RFC 5530 and RFC 2449/3206 codes in front;
 * NULL for a protocol that is not proxied. */
const header_words *header_words_of(const char *protocol);
const char *header_denied(const header_words *w);
const char *header_unavailable(const header_words *w);
const char *header_limited(const header_words *w);

/* TEXT can stand in a header line: printable ASCII. */
bool header_is_plain(const char *text);

#endif
