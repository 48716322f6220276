/* The declarations of schema/ as mkschema's parts see them. */
#ifndef MAILSTEAD_SCHEMA_DECLARATIONS_H
#define MAILSTEAD_SCHEMA_DECLARATIONS_H

#include <glib.h>
#include <stdbool.h>

/* Arc of the interface this schema keeps; attributes below .2.1, classes .2.2. */
#define ATTRIBUTE_ARC "1.3.6.1.4.1.19348.2.1"

/* One row of attributes.tsv. */
typedef struct {
    char *name;
    char *oid;              /* dotted; NULL: a standard schema defines it */
    char *type;
    char *range;            /* NULL none */
    bool multi;
    char **required;        /* places (objectclasses.tsv) */
    char **optional;
    char **inherits;
    char **flags;
    char *restart;          /* NULL none */
    char **global_default;  /* NULL none */
    char **cos_default;
    char **external_default;
    char *since;            /* NULL: always there */
    char *deprecated;       /* NULL: in use */
} attr_decl;

/* One row of objectclasses.tsv. */
typedef struct {
    char *name;
    char *oid;
    char *superior;
    char *place;            /* the word attributes.tsv uses for it */
    bool auxiliary;
} class_decl;

/* One row of aliases.tsv: another spelling that is accepted on input. */
typedef struct { char *alias, *name; } alias_decl;

typedef struct {
    GPtrArray *attrs;       /* attr_decl, in name order (ASCII, case-insensitive) */
    GPtrArray *classes;     /* class_decl, superiors first */
    GPtrArray *aliases;     /* alias_decl, in order of alias */
} declarations;

/* Reads and cross-checks the three files of FOLDER. */
declarations *declarations_read(const char *folder, GError **error);
void declarations_free(declarations *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(declarations, declarations_free)

/* Which Debian-independent schema file an OID belongs to: "zimbra", "amavis",
 * "opendkim". */
const char *declarations_part(const char *oid);

/* Writers: one output each, appended to OUT. */
bool write_schema_ldif(const declarations *d, const char *part, GString *out, GError **error);
void write_global_config(const declarations *d, GString *out);
void write_default_cos(const declarations *d, GString *out);
void write_external_cos(const declarations *d, GString *out);
bool write_attr_table(const declarations *d, GString *out, GError **error);
void write_alias_table(const declarations *d, GString *out);

#endif
