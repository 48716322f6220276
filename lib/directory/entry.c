/* Entries: values by attribute, and what they inherit.
 *
 * An entry has its own values and references to the entries whose values count
 * where it has none: account -> COS -> domain -> global config, server and
 * domain -> global config. Which attribute takes which way is said by its flags
 * in lib/schema. Values are strings; those of binary attributes are base64. */
#include "lib/directory/private.h"

struct values {
    char *attr;                 /* as the schema, else the server, spells it */
    GPtrArray *texts;           /* char*, with the terminating NULL once finished */
};

struct entry {
    int refs;
    entry_kind kind;
    char *dn, *name;
    GHashTable *own;            /* attribute in lower case -> struct values */
    entry *cos, *domain, *config;
};

static const char *const none[] = { NULL };

static void values_free(void *p)
{
    struct values *v = p;
    g_ptr_array_unref(v->texts);
    g_free(v->attr);
    g_free(v);
}

entry *entry_new(const char *dn)
{
    entry *e = g_new0(entry, 1);
    e->refs = 1;
    e->kind = ENTRY_OTHER;
    e->dn = g_strdup(dn);
    e->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, values_free);
    return e;
}

entry *entry_ref(entry *e)
{
    e->refs++;
    return e;
}

void entry_unref(entry *e)
{
    if (!e || --e->refs > 0)
        return;
    entry_unref(e->cos);
    entry_unref(e->domain);
    entry_unref(e->config);
    g_hash_table_unref(e->own);
    g_free(e->dn);
    g_free(e->name);
    g_free(e);
}

void entry_add_value(entry *e, const char *attr, const char *text)
{
    const attr_def *def = schema_attr(attr);
    const char *name = def ? def->name : attr;
    g_autofree char *key = g_ascii_strdown(name, -1);
    struct values *v = g_hash_table_lookup(e->own, key);
    if (!v) {
        v = g_new0(struct values, 1);
        v->attr = g_strdup(name);
        v->texts = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(e->own, g_steal_pointer(&key), v);
    }
    g_ptr_array_add(v->texts, g_strdup(text));
}

static const struct { const char *object_class; entry_kind kind; } classes[] = {
    { "zimbraGlobalConfig", ENTRY_GLOBAL_CONFIG }, { "zimbraServer", ENTRY_SERVER },
    { "zimbraDomain", ENTRY_DOMAIN }, { "zimbraCOS", ENTRY_COS },
    { "zimbraCalendarResource", ENTRY_CALENDAR_RESOURCE }, { "zimbraAccount", ENTRY_ACCOUNT },
    { "zimbraAlias", ENTRY_ALIAS }, { "zimbraDistributionList", ENTRY_DISTRIBUTION_LIST },
    { "zimbraGroup", ENTRY_DYNAMIC_GROUP }, { "zimbraIdentity", ENTRY_IDENTITY },
    { "zimbraSignature", ENTRY_SIGNATURE }, { "zimbraDataSource", ENTRY_DATA_SOURCE },
};

static char *name_of(const entry *e)
{
    g_autofree char *first = directory_dn_value(e->dn);
    g_autofree char *domain = directory_dn_domain(e->dn);
    const char *stated = entry_get_own(e, "zimbraDomainName");
    switch (e->kind) {
    case ENTRY_DOMAIN:
        return g_strdup(stated ? stated : domain ? domain : first);
    case ENTRY_ACCOUNT:
    case ENTRY_CALENDAR_RESOURCE:
    case ENTRY_ALIAS:
    case ENTRY_DISTRIBUTION_LIST:
    case ENTRY_DYNAMIC_GROUP:
        return domain ? g_strconcat(first, "@", domain, NULL) : g_strdup(first);
    default:
        return g_strdup(first);
    }
}

void entry_finish(entry *e)
{
    GHashTableIter i;
    gpointer v;
    g_hash_table_iter_init(&i, e->own);
    while (g_hash_table_iter_next(&i, NULL, &v))
        g_ptr_array_add(((struct values *) v)->texts, NULL);
    for (size_t k = G_N_ELEMENTS(classes); k-- > 0; )
        if (entry_has_value(e, "objectClass", classes[k].object_class))
            e->kind = classes[k].kind;
    e->name = name_of(e);
}

void entry_set_parents(entry *e, entry *cos, entry *domain, entry *config)
{
    e->cos = cos ? entry_ref(cos) : NULL;
    e->domain = domain ? entry_ref(domain) : NULL;
    e->config = config ? entry_ref(config) : NULL;
}

entry *entry_cos(const entry *e)
{
    return e->cos;
}

entry *entry_config(const entry *e)
{
    return e->config;
}

static bool is_binary(const attr_def *def, const struct berval *value)
{
    return (def && (def->type == ATTR_BINARY || def->type == ATTR_CERTIFICATE)) ||
           memchr(value->bv_val, 0, value->bv_len) || !g_utf8_validate(value->bv_val, (gssize) value->bv_len, NULL);
}

entry *entry_from_message(LDAP *ld, LDAPMessage *message)
{
    char *dn = ldap_get_dn(ld, message);
    entry *e = entry_new(dn ? dn : "");
    ldap_memfree(dn);
    BerElement *ber = NULL;
    for (char *attr = ldap_first_attribute(ld, message, &ber); attr; attr = ldap_next_attribute(ld, message, ber)) {
        char *option = strchr(attr, ';');
        if (option)
            *option = 0;
        const attr_def *def = schema_attr(attr);
        struct berval **values = ldap_get_values_len(ld, message, attr);
        for (int i = 0; values && values[i]; i++) {
            bool binary = is_binary(def, values[i]);
            g_autofree char *text = binary ? g_base64_encode((guchar *) values[i]->bv_val, values[i]->bv_len)
                                           : g_strndup(values[i]->bv_val, values[i]->bv_len);
            entry_add_value(e, attr, text);
        }
        ldap_value_free_len(values);
        ldap_memfree(attr);
    }
    if (ber)
        ber_free(ber, 0);
    entry_finish(e);
    return e;
}

const char *entry_dn(const entry *e)
{
    return e->dn;
}

const char *entry_name(const entry *e)
{
    return e->name;
}

entry_kind entry_get_kind(const entry *e)
{
    return e->kind;
}

const char *entry_id(const entry *e)
{
    return entry_get_own(e, "zimbraId");
}

static const struct values *own_values(const entry *e, const char *attr)
{
    const attr_def *def = schema_attr(attr);
    g_autofree char *key = g_ascii_strdown(def ? def->name : attr, -1);
    return g_hash_table_lookup(e->own, key);
}

const char *const *entry_get_all_own(const entry *e, const char *attr)
{
    const struct values *v = own_values(e, attr);
    return v ? (const char *const *) v->texts->pdata : none;
}

/* Whether an entry of KIND takes attributes with FLAGS from the parent that
 * each function below names. */
static bool from_cos(unsigned flags)
{
    return flags & (ATTR_ACCOUNT_INHERITED | ATTR_ACCOUNT_COS_DOMAIN_INHERITED);
}

static bool from_config(entry_kind kind, unsigned flags)
{
    switch (kind) {
    case ENTRY_SERVER:
        return flags & ATTR_SERVER_INHERITED;
    case ENTRY_DOMAIN:
        return flags & ATTR_DOMAIN_INHERITED;
    default:
        return false;
    }
}

static bool is_account(const entry *e)
{
    return e->kind == ENTRY_ACCOUNT || e->kind == ENTRY_CALENDAR_RESOURCE;
}

const char *const *entry_get_all(const entry *e, const char *attr)
{
    const char *const *own = entry_get_all_own(e, attr);
    const attr_def *def = schema_attr(attr);
    if (*own || !def)
        return own;
    if (is_account(e)) {
        const char *const *from = e->cos && from_cos(def->flags) ? entry_get_all_own(e->cos, attr) : none;
        if (!*from && e->domain && (def->flags & ATTR_ACCOUNT_COS_DOMAIN_INHERITED))
            from = entry_get_all(e->domain, attr);
        return from;
    }
    return e->config && from_config(e->kind, def->flags) ? entry_get_all_own(e->config, attr) : none;
}

const char *entry_get_own(const entry *e, const char *attr)
{
    return entry_get_all_own(e, attr)[0];
}

const char *entry_get(const entry *e, const char *attr)
{
    return entry_get_all(e, attr)[0];
}

bool entry_get_bool(const entry *e, const char *attr, bool fallback)
{
    const char *value = entry_get(e, attr);
    if (value && g_ascii_strcasecmp(value, "TRUE") == 0)
        return true;
    if (value && g_ascii_strcasecmp(value, "FALSE") == 0)
        return false;
    return fallback;
}

gint64 entry_get_int(const entry *e, const char *attr, gint64 fallback)
{
    const char *value = entry_get(e, attr);
    gint64 n = fallback;
    if (value && !g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &n, NULL))
        return fallback;
    return n;
}

bool entry_has_value(const entry *e, const char *attr, const char *value)
{
    for (const char *const *v = entry_get_all(e, attr); *v; v++)
        if (g_ascii_strcasecmp(*v, value) == 0)
            return true;
    return false;
}

static void collect(const entry *from, const entry *to, GHashTable *names)
{
    GHashTableIter i;
    gpointer key, v;
    g_hash_table_iter_init(&i, from->own);
    while (g_hash_table_iter_next(&i, &key, &v)) {
        const char *attr = ((struct values *) v)->attr;
        if (!g_hash_table_contains(names, key) && (from == to || *entry_get_all(to, attr)))
            g_hash_table_insert(names, key, (char *) attr);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

const char **entry_attrs(const entry *e, bool inherited)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    collect(e, e, names);
    const entry *const parents[] = { e->cos, e->domain, e->domain ? e->domain->config : NULL, e->config };
    for (size_t i = 0; inherited && i < G_N_ELEMENTS(parents); i++)
        if (parents[i])
            collect(parents[i], e, names);
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter i;
    gpointer attr;
    g_hash_table_iter_init(&i, names);
    while (g_hash_table_iter_next(&i, NULL, &attr))
        g_ptr_array_add(list, attr);
    qsort(list->pdata, list->len, sizeof *list->pdata, by_text);
    g_ptr_array_add(list, NULL);
    return (const char **) g_ptr_array_free(list, FALSE);
}
