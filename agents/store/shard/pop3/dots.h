/* A message as POP3's multi-line answer (RFC 1939 §3): a dot before lines that
 * start with one, a line end at the end; TOP's cut after so many body lines. Any
 * split of the input gives one result. */
#ifndef MAILSTEAD_STORE_POP3_DOTS_H
#define MAILSTEAD_STORE_POP3_DOTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool mid_line;         /* something of the line was written */
    bool only_cr;          /* all of it is a CR */
    bool in_body;
    uint32_t lines_left;   /* of the body; UINT32_MAX: all */
    char last;
} dot_stuffer;

void dots_begin(dot_stuffer *d, uint32_t body_lines);
/* False: no more is wanted. */
bool dots_put(dot_stuffer *d, GString *out, const char *bytes, size_t len);
void dots_end(dot_stuffer *d, GString *out);

#endif
