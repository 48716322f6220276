/* Changes on their way to the server: an administrator's attr_change list,
 * checked against the schema, becomes LDAP modifications; new entries get their
 * defaults here.
 *
 * Adding a value that is there and removing one that is not are no changes, so
 * a script can be run twice. */
#include "lib/directory/private.h"

struct mod {
    int op;
    const attr_def *def;        /* NULL: not in the schema's table */
    char *attr;
    GPtrArray *texts;           /* empty: the whole attribute */
};

struct modlist {
    GPtrArray *list;            /* struct mod, in order */
    GPtrArray *array;           /* LDAPMod handed out, NULL-terminated */
};

static void mod_free(void *p)
{
    struct mod *m = p;
    g_ptr_array_unref(m->texts);
    g_free(m->attr);
    g_free(m);
}

static void ldap_mod_free(void *p)
{
    LDAPMod *m = p;
    for (struct berval **v = m ? m->mod_bvalues : NULL; v && *v; v++) {
        g_free((*v)->bv_val);
        g_free(*v);
    }
    if (m)
        g_free(m->mod_bvalues);
    g_free(m);
}

modlist *mods_new(void)
{
    modlist *m = g_new0(modlist, 1);
    m->list = g_ptr_array_new_with_free_func(mod_free);
    return m;
}

void mods_free(modlist *m)
{
    if (!m)
        return;
    g_ptr_array_unref(m->list);
    if (m->array)
        g_ptr_array_unref(m->array);
    g_free(m);
}

static struct mod *mods_find(const modlist *m, int op, const char *attr)
{
    const attr_def *def = schema_attr(attr);
    for (guint i = 0; i < m->list->len; i++) {
        struct mod *mod = m->list->pdata[i];
        if ((op < 0 || mod->op == op) && g_ascii_strcasecmp(mod->attr, def ? def->name : attr) == 0)
            return mod;
    }
    return NULL;
}

void mods_add(modlist *m, int op, const char *attr, const char *value)
{
    struct mod *mod = mods_find(m, op, attr);
    if (!mod) {
        mod = g_new0(struct mod, 1);
        mod->op = op;
        mod->def = schema_attr(attr);
        mod->attr = g_strdup(mod->def ? mod->def->name : attr);
        mod->texts = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(m->list, mod);
    }
    if (value && !g_ptr_array_find_with_equal_func(mod->texts, value, g_str_equal, NULL))
        g_ptr_array_add(mod->texts, g_strdup(value));
}

bool mods_has(const modlist *m, const char *attr)
{
    return mods_find(m, -1, attr) != NULL;
}

const char *mods_value(const modlist *m, const char *attr)
{
    const struct mod *mod = mods_find(m, LDAP_MOD_REPLACE, attr);
    if (!mod)
        mod = mods_find(m, LDAP_MOD_ADD, attr);
    return mod && mod->texts->len ? mod->texts->pdata[0] : NULL;
}

bool mods_empty(const modlist *m)
{
    return m->list->len == 0;
}

static bool is_binary(const attr_def *def)
{
    return def && (def->type == ATTR_BINARY || def->type == ATTR_CERTIFICATE);
}

static struct berval *berval_of(const struct mod *mod, const char *text)
{
    struct berval *v = g_new0(struct berval, 1);
    gsize len = strlen(text);
    v->bv_val = is_binary(mod->def) ? (char *) g_base64_decode(text, &len) : g_strdup(text);
    v->bv_len = len;
    return v;
}

LDAPMod **mods_array(modlist *m)
{
    if (m->array)
        g_ptr_array_unref(m->array);
    m->array = g_ptr_array_new_with_free_func(ldap_mod_free);
    for (guint i = 0; i < m->list->len; i++) {
        const struct mod *mod = m->list->pdata[i];
        LDAPMod *l = g_new0(LDAPMod, 1);
        l->mod_op = mod->op | LDAP_MOD_BVALUES;
        l->mod_type = mod->attr;
        if (mod->texts->len)
            l->mod_bvalues = g_new0(struct berval *, mod->texts->len + 1);
        for (guint k = 0; k < mod->texts->len; k++)
            l->mod_bvalues[k] = berval_of(mod, mod->texts->pdata[k]);
        g_ptr_array_add(m->array, l);
    }
    g_ptr_array_add(m->array, NULL);
    return (LDAPMod **) m->array->pdata;
}

/* ---- an administrator's changes ---- */

static const unsigned class_of_kind[] = {
    [ENTRY_GLOBAL_CONFIG] = CLASS_GLOBAL_CONFIG, [ENTRY_SERVER] = CLASS_SERVER, [ENTRY_DOMAIN] = CLASS_DOMAIN,
    [ENTRY_COS] = CLASS_COS, [ENTRY_ACCOUNT] = CLASS_ACCOUNT, [ENTRY_ALIAS] = CLASS_ALIAS,
    [ENTRY_DISTRIBUTION_LIST] = CLASS_DISTRIBUTION_LIST, [ENTRY_DYNAMIC_GROUP] = CLASS_GROUP,
    [ENTRY_CALENDAR_RESOURCE] = CLASS_CALENDAR_RESOURCE | CLASS_ACCOUNT, [ENTRY_IDENTITY] = CLASS_IDENTITY,
    [ENTRY_SIGNATURE] = CLASS_SIGNATURE, [ENTRY_DATA_SOURCE] = CLASS_DATA_SOURCE, [ENTRY_OTHER] = CLASS_OTHER,
};

/* Attributes that have commands of their own, because more than the attribute
 * changes with them. KIND -1: of every entry. */
static const struct { const char *attr; int kind; const char *remedy; } elsewhere[] = {
    { "uid", -1, "the rename command" }, { "mail", -1, "the rename and alias commands" },
    { "zimbraMailAlias", -1, "addAccountAlias or addDistributionListAlias" },
    { "zimbraMailDeliveryAddress", -1, "the rename command" },
    { "zimbraMailForwardingAddress", ENTRY_DISTRIBUTION_LIST, "addDistributionListMember" },
    { "objectClass", -1, "an LDAP tool" },
};

static bool invalid_name(GError **error, const char *format, const char *attr, const char *other)
{
    g_autofree char *text = g_strdup_printf("%s%s%s", attr, format, other);
    return directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_NAME", "%s", text);
}

static bool check_place(const attr_def *def, entry_kind kind, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(elsewhere); i++)
        if (g_str_equal(def->name, elsewhere[i].attr) && (elsewhere[i].kind < 0 || elsewhere[i].kind == (int) kind))
            return invalid_name(error, " is not changed by itself: use ", def->name, elsewhere[i].remedy);
    if (!(def->classes & class_of_kind[kind]) && !(def->classes & CLASS_OTHER) && def->classes)
        return invalid_name(error, " is not an attribute of a ", def->name, entry_kind_word(kind));
    return true;
}

static bool invalid_value(GError **error, const char *attr, const char *why)
{
    return directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE", "%s %s", attr, why);
}

/* VALUE in its stored form. A password is set with its own command; what is
 * hashed already (a migration) may be given here. */
static char *stored_form(const attr_def *def, const char *value, GError **error)
{
    g_autoptr(GError) reason = NULL;
    char *text = NULL;
    if (g_str_equal(def->name, "userPassword") && *value && (value[0] != '{' || !strchr(value, '}'))) {
        invalid_value(error, def->name, "takes hashed values ({SSHA}…) only: use setPassword");
        return NULL;
    }
    if (!schema_check_value(def, value, &text, &reason)) {
        directory_fail(error, DIRECTORY_ERROR_INVALID, "account.INVALID_ATTR_VALUE", "%s", reason->message);
        return NULL;
    }
    return text ? text : g_strdup(value);
}

static bool same_value(const attr_def *def, const char *a, const char *b)
{
    switch (def->type) {
    case ATTR_CSTRING: case ATTR_OSTRING: case ATTR_BINARY: case ATTR_CERTIFICATE: case ATTR_CS_EMAILP:
        return g_str_equal(a, b);
    default:
        return g_ascii_strcasecmp(a, b) == 0;
    }
}

/* E's value that equals TEXT, as E spells it; NULL none. */
static const char *present(const entry *e, const attr_def *def, const char *text)
{
    for (const char *const *v = e ? entry_get_all_own(e, def->name) : NULL; v && *v; v++)
        if (same_value(def, *v, text))
            return *v;
    return NULL;
}

static bool replace_value(modlist *m, const entry *e, const attr_def *def, const char *text, GError **error)
{
    const struct mod *before = mods_find(m, LDAP_MOD_REPLACE, def->name);
    if (!*text) {
        if (before || (e && *entry_get_all_own(e, def->name)))
            mods_add(m, LDAP_MOD_REPLACE, def->name, NULL);
        return true;
    }
    if (before && before->texts->len && !(def->flags & ATTR_MULTI))
        return invalid_value(error, def->name, "has one value only, two were given");
    mods_add(m, LDAP_MOD_REPLACE, def->name, text);
    return true;
}

static bool add_value(modlist *m, const entry *e, const attr_def *def, const char *text, GError **error)
{
    if (!*text)
        return invalid_value(error, def->name, "cannot get an empty value added");
    if (present(e, def, text))
        return true;
    if (!(def->flags & ATTR_MULTI) && ((e && entry_get_own(e, def->name)) || mods_has(m, def->name)))
        return invalid_value(error, def->name, "has one value only: change it without '+'");
    mods_add(m, LDAP_MOD_ADD, def->name, text);
    return true;
}

static void remove_value(modlist *m, const entry *e, const attr_def *def, const char *text)
{
    const char *spelled = *text ? present(e, def, text) : NULL;
    if (spelled)
        mods_add(m, LDAP_MOD_DELETE, def->name, spelled);
    else if (!*text && e && *entry_get_all_own(e, def->name))
        mods_add(m, LDAP_MOD_DELETE, def->name, NULL);
}

static bool one_change(modlist *m, const entry *e, entry_kind kind, const attr_change *change, bool system,
                       GError **error)
{
    char sign = *change->attr == '+' || *change->attr == '-' ? *change->attr : 0;
    const char *name = change->attr + (sign ? 1 : 0);
    const attr_def *def = schema_attr(name);
    if (!def)
        return invalid_name(error, ": there is no attribute of this name", name, "");
    if (!system && !check_place(def, kind, error))
        return false;
    if (!system && e && (def->flags & ATTR_IMMUTABLE))
        return invalid_name(error, " cannot be changed", def->name, "");
    g_autofree char *text = NULL;
    if (sign == '-')
        text = g_strdup(change->value);
    else if (!(text = stored_form(def, change->value, error)))
        return false;
    if (sign == '-') {
        g_autofree char *normal = NULL;
        bool known = present(e, def, text) || !schema_check_value(def, text, &normal, NULL);
        remove_value(m, e, def, known ? text : normal);
        return true;
    }
    return sign == '+' ? add_value(m, e, def, text, error) : replace_value(m, e, def, text, error);
}

bool mods_of_changes(modlist *m, const entry *e, entry_kind kind, const attr_change *attrs, size_t n, bool system,
                     GError **error)
{
    for (size_t i = 0; i < n; i++)
        if (!one_change(m, e, kind, &attrs[i], system, error))
            return false;
    return true;
}

/* ---- new entries ---- */

void mods_default(modlist *m, const char *attr, const char *value)
{
    if (value && !mods_has(m, attr))
        mods_add(m, LDAP_MOD_ADD, attr, value);
}

void mods_identity(modlist *m)
{
    g_autofree char *id = g_uuid_string_random();
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%d%H%M%SZ");
    mods_default(m, "zimbraId", id);
    mods_default(m, "zimbraCreateTimestamp", stamp);
}

bool mods_classes(directory *d, modlist *m, const char *const *classes, const char *extra, GError **error)
{
    for (; *classes; classes++)
        mods_add(m, LDAP_MOD_ADD, "objectClass", *classes);
    if (!extra)
        return true;
    g_autoptr(entry) config = directory_global_config(d, error);
    if (!config)
        return false;
    for (const char *const *c = entry_get_all_own(config, extra); *c; c++)
        mods_add(m, LDAP_MOD_ADD, "objectClass", *c);
    return true;
}

entry *directory_add_entry(directory *d, const char *dn, modlist *m, GError **error)
{
    for (guint i = 0; i < m->list->len; i++)
        ((struct mod *) m->list->pdata[i])->op = LDAP_MOD_ADD;
    if (!directory_ldap_add(d, dn, mods_array(m), error))
        return NULL;
    return directory_read(d, dn, error);
}
