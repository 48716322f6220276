/* One row of a table, or one set of scalars: texts by field name. */
#ifndef MAILSTEAD_SNMP_RECORD_H
#define MAILSTEAD_SNMP_RECORD_H

#include <glib.h>
#include <stdbool.h>

typedef GHashTable record;

record *record_new(void);
record *record_ref(record *r);
void record_unref(record *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(record, record_unref)

/* NULL leaves the field without a value. */
void record_set(record *r, const char *field, const char *text);
void record_set_number(record *r, const char *field, gint64 number);
const char *record_get(const record *r, const char *field);     /* borrowed; NULL none */
/* A decimal number, rounded to a whole one. */
bool record_number(const record *r, const char *field, gint64 *ret);

#endif
