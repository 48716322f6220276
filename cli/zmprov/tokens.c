/* Quoting of command files and of the prompt, as a shell's: see tokens.h. */
#include "cli/zmprov/tokens.h"

#include <stdbool.h>

#include "lib/directory/directory.h"

#define LINE_MAX_BYTES (1024 * 1024)

static void unfinished(const char *what, GError **error)
{
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_INVALID, "unfinished line: %s", what);
}

/* A quoted part at P (behind the quote) into WORD; the place behind its end or
 * NULL. */
static const char *take_quoted(const char *p, char quote, GString *word)
{
    for (; *p && *p != quote; p++) {
        if (quote == '"' && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        g_string_append_c(word, *p);
    }
    return *p ? p + 1 : NULL;
}

static const char *take_word(const char *p, GString *word, GError **error)
{
    while (*p && !g_ascii_isspace(*p)) {
        if (*p == '\'' || *p == '"') {
            p = take_quoted(p + 1, *p, word);
            if (!p) {
                unfinished("a quote is not closed", error);
                return NULL;
            }
        } else if (*p == '\\' && !p[1]) {
            unfinished("backslash at the end", error);
            return NULL;
        } else {
            p += *p == '\\' ? 1 : 0;
            g_string_append_c(word, *p++);
        }
    }
    return p;
}

char **tokens_split(const char *line, GError **error)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    const char *p = line;
    while (g_ascii_isspace(*p))
        p++;
    if (strlen(p) > LINE_MAX_BYTES) {
        g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_INVALID, "line of more than %d bytes", LINE_MAX_BYTES);
        return NULL;
    }
    while (*p && *line != '#') {
        g_autoptr(GString) word = g_string_new(NULL);
        p = take_word(p, word, error);
        if (!p)
            return NULL;
        g_strv_builder_add(words, word->str);
        while (g_ascii_isspace(*p))
            p++;
    }
    return g_strv_builder_end(words);
}
