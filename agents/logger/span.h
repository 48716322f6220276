/* A piece of a log line: pointer and length, nothing copied. The functions take
 * from the front and never read past the end. */
#ifndef MAILSTEAD_LOGGER_SPAN_H
#define MAILSTEAD_LOGGER_SPAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *text;
    size_t len;
} span;

span span_of(const char *text);                              /* NULL: empty */
bool span_is(span s, const char *literal);
bool span_starts(span s, const char *literal);
bool span_ends(span s, const char *literal);
/* Drops LITERAL from the front; false: it does not stand there. */
bool span_skip(span *s, const char *literal);
/* What stands before the first DELIMITER goes to TAKEN, both leave S; false: there is none. */
bool span_take(span *s, const char *delimiter, span *taken);
/* <address> in the external form of RFC 5321: a quoted local part may hold '>'
 * and anything else. TAKEN is what stands between the brackets. */
bool span_take_address(span *s, span *taken);
/* Place of the last LITERAL in S, or -1. */
gssize span_last(span s, const char *literal);
/* All of S is a decimal number of at most 18 digits. */
bool span_number(span s, gint64 *number);
/* Valid UTF-8 without control characters, at most MAX bytes; caller frees. */
char *span_dup(span s, size_t max);

#endif
