/* See facts.h. */
#include "agents/snmp/facts.h"

facts *facts_new(void)
{
    facts *f = g_new0(facts, 1);
    for (int i = 0; i < GROUPS; i++)
        f->rows[i] = g_ptr_array_new_with_free_func((GDestroyNotify) record_unref);
    return f;
}

void facts_free(facts *f)
{
    if (!f)
        return;
    for (int i = 0; i < GROUPS; i++)
        g_ptr_array_unref(f->rows[i]);
    g_free(f);
}

void facts_add(facts *f, group_id id, record *r)
{
    g_ptr_array_add(f->rows[id], r);
}
