/* See varbind.h. */
#include "agents/snmp/varbind.h"

bool varbind_to_path(const oid *name, size_t n, oid_path *ret)
{
    if (n > OID_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (name[i] > G_MAXUINT32)
            return false;
        ret->id[i] = (guint32) name[i];
    }
    ret->n = (guint) n;
    return true;
}

static const u_char asn_types[] = {
    [VALUE_INTEGER] = ASN_INTEGER, [VALUE_GAUGE] = ASN_GAUGE, [VALUE_COUNTER] = ASN_COUNTER,
    [VALUE_COUNTER64] = ASN_COUNTER64, [VALUE_TICKS] = ASN_TIMETICKS, [VALUE_BYTES] = ASN_OCTET_STR,
};

static void set_value(netsnmp_variable_list *v, const instance *i)
{
    u_char type = asn_types[i->type];
    if (i->type == VALUE_BYTES) {
        gsize len;
        const void *bytes = g_bytes_get_data(i->bytes, &len);
        snmp_set_var_typed_value(v, type, bytes ? bytes : "", len);
    } else if (i->type == VALUE_COUNTER64) {
        guint64 number = (guint64) i->number;
        const struct counter64 value = { .high = number >> 32, .low = number & G_MAXUINT32 };
        snmp_set_var_typed_value(v, type, &value, sizeof value);
    } else {
        const long value = (long) i->number;
        snmp_set_var_typed_value(v, type, &value, sizeof value);
    }
}

static void set_name(netsnmp_variable_list *v, const guint32 *id, guint n)
{
    oid name[OID_MAX];
    for (guint i = 0; i < n; i++)
        name[i] = id[i];
    snmp_set_var_objid(v, name, n);
}

void varbind_set(netsnmp_variable_list *v, const instance *i)
{
    set_name(v, i->id, i->n);
    set_value(v, i);
}

static netsnmp_variable_list *trap_oid(const notification *n)
{
    static const oid name[] = { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 };      /* snmpTrapOID.0 */
    const oid value[] = { OID_MODULE, 0, n->id };
    netsnmp_variable_list *list = NULL;
    snmp_varlist_add_variable(&list, name, G_N_ELEMENTS(name), ASN_OBJECT_ID, value, sizeof value);
    g_assert(list);
    return list;
}

static netsnmp_variable_list **append_objects(netsnmp_variable_list **end, const tree *t, const char *const *names, guint32 number)
{
    const group *g = mib_group(GROUP_ALERT);
    for (; *names; names++) {
        oid_path at = { .n = 0 };
        bool fits = oid_append(&at, g->base, g->base_len) &&
                    oid_append(&at, &mib_object(GROUP_ALERT, *names)->id, 1) && oid_append(&at, &number, 1);
        const instance *i = fits ? tree_get(t, at.id, at.n) : NULL;
        if (!i)
            continue;
        *end = SNMP_MALLOC_TYPEDEF(netsnmp_variable_list);
        g_assert(*end);
        varbind_set(*end, i);
        end = &(*end)->next_variable;
    }
    return end;
}

netsnmp_variable_list *varbind_notification(const notification *n, const record *row)
{
    g_autoptr(tree) t = tree_new();
    gint64 number = 0;
    netsnmp_variable_list *list = trap_oid(n), **end = &list->next_variable;
    (void) record_number(row, "NUMBER", &number);   /* packet_parse() let no other row pass */
    mib_add(t, GROUP_ALERT, row);
    tree_sort(t);
    end = append_objects(end, t, mib_common_objects, (guint32) number);
    (void) append_objects(end, t, n->objects, (guint32) number);
    return list;
}
