/* The generated tables, for lib/schema alone. */
#ifndef MAILSTEAD_SCHEMA_TABLE_H
#define MAILSTEAD_SCHEMA_TABLE_H

#include "lib/schema/schema.h"

typedef struct { const char *alias, *name; } schema_alias;

extern const attr_def schema_table[];       /* in g_ascii_strcasecmp order of name */
extern const size_t schema_table_n;
extern const schema_alias schema_aliases[]; /* in order of alias */
extern const size_t schema_aliases_n;

#endif
