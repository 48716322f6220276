/* zmlocalconfig: what its files share. See main.c. */
#ifndef MAILSTEAD_CLI_ZMLOCALCONFIG_H
#define MAILSTEAD_CLI_ZMLOCALCONFIG_H

#include <stdio.h>

#include "lib/localconfig/localconfig.h"

typedef enum { FORMAT_PLAIN, FORMAT_XML, FORMAT_SHELL, FORMAT_EXPORT, FORMAT_NOKEY, FORMATS } show_format;

typedef struct {
    show_format format;
    bool defaults;      /* -d: built-in values */
    bool changed;       /* -n: only keys that differ */
    bool info;          /* -i: only keys meant for administrators */
    bool secrets;       /* -s */
    bool expand;        /* -x */
    bool quiet;         /* -q */
} show_options;

/* The format of WORD; FORMATS when there is none. */
show_format show_format_of(const char *word);
/* KEYS NULL-terminated, empty: all. */
bool show_keys(localconfig *lc, const show_options *o, char **keys, FILE *out, GError **error);

typedef struct {
    bool force;         /* -f */
    bool random;        /* -r: words are keys, values are made */
    bool quiet;         /* -q */
} edit_options;

/* "key=value" words (keys with RANDOM) into LC, not yet saved. */
bool edit_keys(localconfig *lc, const edit_options *o, char **words, GError **error);
bool unset_keys(localconfig *lc, const edit_options *o, char **keys, GError **error);

#endif
