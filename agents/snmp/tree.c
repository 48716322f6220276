/* See tree.h: a sorted array, searched by halving. */
#include "agents/snmp/tree.h"

#include <string.h>

struct tree {
    GPtrArray *list;            /* instance * */
};

static void instance_free(void *data)
{
    instance *i = data;
    g_clear_pointer(&i->bytes, g_bytes_unref);
    g_free(i->id);
    g_free(i);
}

bool oid_append(oid_path *o, const guint32 *ids, guint n)
{
    if (n > OID_MAX - o->n)
        return false;
    memcpy(o->id + o->n, ids, n * sizeof *ids);
    o->n += n;
    return true;
}

tree *tree_new(void)
{
    tree *t = g_new0(tree, 1);
    t->list = g_ptr_array_new_with_free_func(instance_free);
    return t;
}

void tree_free(tree *t)
{
    if (!t)
        return;
    g_ptr_array_unref(t->list);
    g_free(t);
}

static instance *add(tree *t, const oid_path *at, value_type type)
{
    instance *i = g_new0(instance, 1);
    *i = (instance) { .id = g_memdup2(at->id, at->n * sizeof *at->id), .n = at->n, .type = type };
    g_ptr_array_add(t->list, i);
    return i;
}

void tree_add_number(tree *t, const oid_path *at, value_type type, gint64 number)
{
    add(t, at, type)->number = number;
}

void tree_add_bytes(tree *t, const oid_path *at, const void *bytes, gsize len)
{
    add(t, at, VALUE_BYTES)->bytes = g_bytes_new(bytes, len);
}

static int compare(const guint32 *a, guint an, const guint32 *b, guint bn)
{
    for (guint i = 0; i < MIN(an, bn); i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return an < bn ? -1 : an > bn;
}

static int compare_instances(const void *a, const void *b)
{
    const instance *x = *(instance *const *) a, *y = *(instance *const *) b;
    return compare(x->id, x->n, y->id, y->n);
}

void tree_sort(tree *t)
{
    g_ptr_array_sort(t->list, compare_instances);
    for (guint i = t->list->len; i-- > 1; )
        if (compare_instances(&t->list->pdata[i - 1], &t->list->pdata[i]) == 0)
            g_ptr_array_remove_index(t->list, i);
}

guint tree_size(const tree *t)
{
    return t->list->len;
}

/* Of the first that is not before ID. */
static guint position(const tree *t, const guint32 *id, guint n)
{
    guint low = 0, high = t->list->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        const instance *i = t->list->pdata[middle];
        if (compare(i->id, i->n, id, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const instance *at(const tree *t, guint index)
{
    return index < t->list->len ? t->list->pdata[index] : NULL;
}

const instance *tree_get(const tree *t, const guint32 *id, guint n)
{
    const instance *i = at(t, position(t, id, n));
    return i && compare(i->id, i->n, id, n) == 0 ? i : NULL;
}

const instance *tree_next(const tree *t, const guint32 *id, guint n, bool inclusive)
{
    guint index = position(t, id, n);
    const instance *i = at(t, index);
    if (i && !inclusive && compare(i->id, i->n, id, n) == 0)
        i = at(t, index + 1);
    return i;
}
