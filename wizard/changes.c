/* A growing list of attr_change. */
#include "wizard/changes.h"

static void clear_change(gpointer data)
{
    attr_change *change = data;
    g_free(change->attr);
    g_free(change->value);
}

changes *changes_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(attr_change));
    g_array_set_clear_func(list, clear_change);
    return list;
}

void changes_add(changes *c, const char *attr, const char *value)
{
    if (!value)
        return;
    attr_change change = { .attr = g_strdup(attr), .value = g_strdup(value) };
    g_array_append_val(c, change);
}
