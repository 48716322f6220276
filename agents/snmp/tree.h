/* The instances of all objects in lexicographic order: what GET, GETNEXT and the
 * varbinds of a notification are answered from. Built once, then only read. */
#ifndef MAILSTEAD_SNMP_TREE_H
#define MAILSTEAD_SNMP_TREE_H

#include <glib.h>
#include <stdbool.h>

enum { OID_MAX = 128 };         /* RFC 2578 §3.5 */

typedef enum { VALUE_INTEGER, VALUE_GAUGE, VALUE_COUNTER, VALUE_COUNTER64, VALUE_TICKS, VALUE_BYTES } value_type;

typedef struct { guint32 id[OID_MAX]; guint n; } oid_path;

/* Appends; false when there is no room. */
bool oid_append(oid_path *o, const guint32 *ids, guint n);

typedef struct {
    guint32 *id;
    guint n;
    value_type type;
    gint64 number;              /* all types but VALUE_BYTES */
    GBytes *bytes;
} instance;

typedef struct tree tree;

tree *tree_new(void);
void tree_free(tree *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tree, tree_free)

void tree_add_number(tree *t, const oid_path *at, value_type type, gint64 number);
void tree_add_bytes(tree *t, const oid_path *at, const void *bytes, gsize len);
/* After the last add, before the first look-up. Of two at one place the first stays. */
void tree_sort(tree *t);
guint tree_size(const tree *t);

/* Borrowed; NULL: no such instance. */
const instance *tree_get(const tree *t, const guint32 *id, guint n);
/* The first one behind ID, or at it when INCLUSIVE. */
const instance *tree_next(const tree *t, const guint32 *id, guint n, bool inclusive);

#endif
