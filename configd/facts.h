/* The values templates see, as one table of (source, key) -> values. A table is
 * filled once and then only read; what changed between two is a set of ids
 * ("VAR:zimbraX"). */
#ifndef MAILSTEAD_CONFIGD_FACTS_H
#define MAILSTEAD_CONFIGD_FACTS_H

#include <glib.h>
#include <stdbool.h>
#include "lib/template/template.h"

typedef struct facts facts;

facts *facts_new(void);
/* A table that starts with BASE's values (borrowed values are copied). */
facts *facts_copy(const facts *base);
void facts_free(facts *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(facts, facts_free)

/* Replaces. VALUES is copied. */
void facts_set(facts *f, template_source source, const char *key, const char *const *values);
void facts_set_one(facts *f, template_source source, const char *key, const char *value);
/* Adds one value. */
void facts_add(facts *f, template_source source, const char *key, const char *value);
const char *const *facts_get(const facts *f, template_source source, const char *key);
/* First value, or FALLBACK. */
const char *facts_first(const facts *f, template_source source, const char *key, const char *fallback);
bool facts_is_true(const facts *f, template_source source, const char *key);

/* "VAR:key"; caller frees. And back: false when ID is none. */
char *facts_id(template_source source, const char *key);
bool facts_parse_id(const char *id, template_source *ret_source, const char **ret_key);

/* The ids whose values differ; FROM NULL: all of TO. Free with g_hash_table_unref. */
GHashTable *facts_diff(const facts *from, const facts *to);

/* Text form, one value a line: "VAR key value", "SERVICE name". Backslash,
 * newline and carriage return in a value are \\, \n, \r. WANTED (may be NULL): only these ids. */
char *facts_print(const facts *f, GHashTable *wanted);
facts *facts_parse(const char *name, const char *text, GError **error);

#endif
