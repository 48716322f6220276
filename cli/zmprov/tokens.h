/* A line of zmprov into words. */
#ifndef MAILSTEAD_CLI_ZMPROV_TOKENS_H
#define MAILSTEAD_CLI_ZMPROV_TOKENS_H

#include <glib.h>

/* Words between blanks; 'as it stands', "with \" and \\", and a backslash that
 * takes the next character literally. A line that begins with '#' has no words.
 * NULL with ERROR for an open quote or a lone backslash at the end. Caller
 * frees with g_strfreev. */
char **tokens_split(const char *line, GError **error);

#endif
