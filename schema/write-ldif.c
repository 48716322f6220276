/* LDIF (RFC 2849) that slapd reads: the schema in cn=config's form (RFC 4512
 * descriptions) and the entries that carry the defaults.
 *
 * An attribute that a standard schema defines is named in classes but not
 * defined here. Lines are not folded: slapd takes any length. */
#include "schema/declarations.h"

#define SYNTAX "1.3.6.1.4.1.1466.115.121.1."

/* LDAP syntax and matching rules of each type (RFC 4517 §3.3, §4.2). */
static const struct type_rules {
    const char *type, *syntax, *equality, *ordering, *substr;
} type_rules[] = {
    { "string",      SYNTAX "15", "caseIgnoreMatch", NULL, "caseIgnoreSubstringsMatch" },
    { "astring",     SYNTAX "26", "caseIgnoreIA5Match", NULL, "caseIgnoreIA5SubstringsMatch" },
    { "cstring",     SYNTAX "15", "caseExactMatch", NULL, "caseExactSubstringsMatch" },
    { "ostring",     SYNTAX "40", "octetStringMatch", NULL, NULL },
    { "binary",      SYNTAX "40", "octetStringMatch", NULL, NULL },
    { "boolean",     SYNTAX "7",  "booleanMatch", NULL, NULL },
    { "integer",     SYNTAX "27", "integerMatch", "integerOrderingMatch", NULL },
    { "long",        SYNTAX "27", "integerMatch", "integerOrderingMatch", NULL },
    { "port",        SYNTAX "27", "integerMatch", "integerOrderingMatch", NULL },
    { "enum",        SYNTAX "15", "caseIgnoreMatch", NULL, "caseIgnoreSubstringsMatch" },
    { "id",          SYNTAX "15", "caseIgnoreMatch", NULL, "caseIgnoreSubstringsMatch" },
    { "email",       SYNTAX "26", "caseIgnoreIA5Match", NULL, "caseIgnoreIA5SubstringsMatch" },
    { "emailp",      SYNTAX "15", "caseIgnoreMatch", NULL, "caseIgnoreSubstringsMatch" },
    { "cs-emailp",   SYNTAX "15", "caseIgnoreMatch", NULL, "caseIgnoreSubstringsMatch" },
    { "duration",    SYNTAX "26", "caseIgnoreIA5Match", NULL, NULL },
    { "gentime",     SYNTAX "24", "generalizedTimeMatch", "generalizedTimeOrderingMatch", NULL },
    { "phone",       SYNTAX "50", "telephoneNumberMatch", NULL, "telephoneNumberSubstringsMatch" },
    { "regex",       SYNTAX "15", "caseIgnoreMatch", NULL, "caseIgnoreSubstringsMatch" },
    { "certificate", SYNTAX "8",  "certificateExactMatch", NULL, NULL },
};

static const struct type_rules *rules_of(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(type_rules); i++)
        if (g_str_equal(type_rules[i].type, type))
            return &type_rules[i];
    return NULL;
}

/* The schema of DKIM compares exactly: a selector's case is part of a DNS name
 * that is signed as it was published. */
static const char *equality_of(const attr_decl *a, const struct type_rules *r)
{
    return g_str_has_prefix(a->name, "DKIM") ? "caseExactIA5Match" : r->equality;
}

static bool write_attribute(const attr_decl *a, GString *out, GError **error)
{
    const struct type_rules *r = rules_of(a->type);
    if (!r) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "attributes.tsv: %s: unknown type %s",
                    a->name, a->type);
        return false;
    }
    g_string_append_printf(out, "olcAttributeTypes: ( %s NAME '%s' EQUALITY %s", a->oid, a->name,
                           equality_of(a, r));
    if (r->ordering)
        g_string_append_printf(out, " ORDERING %s", r->ordering);
    if (r->substr)
        g_string_append_printf(out, " SUBSTR %s", r->substr);
    g_string_append_printf(out, " SYNTAX %s%s )\n", r->syntax, a->multi ? "" : " SINGLE-VALUE");
    return true;
}

static void write_members(const declarations *d, const class_decl *k, bool required, GString *out)
{
    const char *before = required ? " MUST ( " : " MAY ( ", *after = "";
    for (guint i = 0; i < d->attrs->len; i++) {
        const attr_decl *a = d->attrs->pdata[i];
        char **places = required ? a->required : a->optional;
        if (!g_strv_contains((const char *const *) places, k->place))
            continue;
        g_string_append_printf(out, "%s%s", before, a->name);
        before = " $ ";
        after = " )";
    }
    g_string_append(out, after);
}

static void write_class(const declarations *d, const class_decl *k, GString *out)
{
    g_string_append_printf(out, "olcObjectClasses: ( %s NAME '%s' SUP %s %s", k->oid, k->name,
                           k->superior, k->auxiliary ? "AUXILIARY" : "STRUCTURAL");
    write_members(d, k, true, out);
    write_members(d, k, false, out);
    g_string_append(out, " )\n");
}

bool write_schema_ldif(const declarations *d, const char *part, GString *out, GError **error)
{
    g_string_append_printf(out, "dn: cn=%s,cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: %s\n",
                           part, part);
    for (guint i = 0; i < d->attrs->len; i++) {
        const attr_decl *a = d->attrs->pdata[i];
        if (a->oid && g_str_equal(declarations_part(a->oid), part) && !write_attribute(a, out, error))
            return false;
    }
    for (guint i = 0; i < d->classes->len; i++) {
        const class_decl *k = d->classes->pdata[i];
        if (g_str_equal(declarations_part(k->oid), part))
            write_class(d, k, out);
    }
    g_string_append_c(out, '\n');
    return true;
}

/* RFC 2849 SAFE-STRING, else base64. */
static void write_value(const char *attr, const char *value, GString *out)
{
    bool safe = !strchr(" :<", value[0]) && !g_str_has_suffix(value, " ");
    for (const char *p = value; *p && safe; p++)
        safe = (unsigned char) *p < 0x80 && *p != '\n' && *p != '\r';
    if (safe) {
        g_string_append_printf(out, "%s: %s\n", attr, value);
        return;
    }
    g_autofree char *b64 = g_base64_encode((const guchar *) value, strlen(value));
    g_string_append_printf(out, "%s:: %s\n", attr, b64);
}

static void write_values(const char *attr, char **values, GString *out)
{
    for (; values && *values; values++)
        if (**values)
            write_value(attr, *values, out);
}

void write_global_config(const declarations *d, GString *out)
{
    g_string_append(out, "dn: cn=config,cn=zimbra\nobjectClass: organizationalRole\n"
                         "objectClass: zimbraGlobalConfig\ncn: config\n");
    for (guint i = 0; i < d->attrs->len; i++) {
        const attr_decl *a = d->attrs->pdata[i];
        write_values(a->name, a->global_default, out);
    }
    g_string_append_c(out, '\n');
}

static void cos_head(const char *name, const char *id, GString *out)
{
    g_string_append_printf(out, "dn: cn=%s,cn=cos,cn=zimbra\nobjectClass: zimbraCOS\ncn: %s\nzimbraId: %s\n",
                           name, name, id);
}

/* The fixed ids are part of the interface: scripts and old data refer to them. */
void write_default_cos(const declarations *d, GString *out)
{
    cos_head("default", "e00428a1-0c00-11d9-836a-000d93afea2a", out);
    for (guint i = 0; i < d->attrs->len; i++) {
        const attr_decl *a = d->attrs->pdata[i];
        write_values(a->name, a->cos_default, out);
    }
    g_string_append_c(out, '\n');
}

void write_external_cos(const declarations *d, GString *out)
{
    cos_head("defaultExternal", "f27456a8-0c00-11d9-280a-286d93afea2g", out);
    for (guint i = 0; i < d->attrs->len; i++) {
        const attr_decl *a = d->attrs->pdata[i];
        write_values(a->name, a->external_default ? a->external_default : a->cos_default, out);
    }
    g_string_append_c(out, '\n');
}
