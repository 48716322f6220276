/* The C side of the declarations: initialisers that lib/schema/table.c includes.
 * Words of the files become the enumerators of lib/schema/schema.h here. */
#include "schema/declarations.h"

typedef struct { const char *word, *code; } word_code;

static const word_code type_codes[] = {
    { "string", "ATTR_STRING" }, { "astring", "ATTR_ASTRING" }, { "cstring", "ATTR_CSTRING" },
    { "ostring", "ATTR_OSTRING" }, { "binary", "ATTR_BINARY" }, { "boolean", "ATTR_BOOLEAN" },
    { "integer", "ATTR_INTEGER" }, { "long", "ATTR_LONG" }, { "port", "ATTR_PORT" },
    { "enum", "ATTR_ENUM" }, { "id", "ATTR_ID" }, { "email", "ATTR_EMAIL" },
    { "emailp", "ATTR_EMAILP" }, { "cs-emailp", "ATTR_CS_EMAILP" }, { "duration", "ATTR_DURATION" },
    { "gentime", "ATTR_GENTIME" }, { "phone", "ATTR_PHONE" }, { "regex", "ATTR_REGEX" },
    { "certificate", "ATTR_CERTIFICATE" }, { NULL, NULL },
};

/* A class that others are made of counts for each of them. */
static const word_code place_codes[] = {
    { "account", "CLASS_ACCOUNT" }, { "cos", "CLASS_COS" }, { "domain", "CLASS_DOMAIN" },
    { "server", "CLASS_SERVER" }, { "globalConfig", "CLASS_GLOBAL_CONFIG" },
    { "distributionList", "CLASS_DISTRIBUTION_LIST" }, { "alias", "CLASS_ALIAS" },
    { "calendarResource", "CLASS_CALENDAR_RESOURCE" }, { "identity", "CLASS_IDENTITY" },
    { "signature", "CLASS_SIGNATURE" }, { "dataSource", "CLASS_DATA_SOURCE" },
    { "pop3DataSource", "CLASS_DATA_SOURCE" }, { "imapDataSource", "CLASS_DATA_SOURCE" },
    { "galDataSource", "CLASS_DATA_SOURCE" }, { "group", "CLASS_GROUP" },
    { "mailRecipient", "CLASS_ACCOUNT|CLASS_DOMAIN|CLASS_DISTRIBUTION_LIST" },
    { "amavisAccount", "CLASS_ACCOUNT|CLASS_DOMAIN" }, { "DKIM", "CLASS_DOMAIN" }, { NULL, NULL },
};

static const word_code flag_codes[] = {
    { "account", "ATTR_ACCOUNT_INHERITED" }, { "domain", "ATTR_DOMAIN_INHERITED" },
    { "server", "ATTR_SERVER_INHERITED" },
    { "account-cos-domain", "ATTR_ACCOUNT_COS_DOMAIN_INHERITED" },
    { "domain-admin", "ATTR_DOMAIN_ADMIN_MODIFIABLE" }, { "account-info", "ATTR_ACCOUNT_INFO" },
    { "domain-info", "ATTR_DOMAIN_INFO" }, { "idn", "ATTR_IDN" },
    { "immutable", "ATTR_IMMUTABLE" }, { "secret", "ATTR_SECRET" }, { NULL, NULL },
};

static const char *code_of(const word_code *codes, const char *word)
{
    for (; codes->word; codes++)
        if (g_str_equal(codes->word, word))
            return codes->code;
    return NULL;
}

static void write_text(const char *text, GString *out)
{
    if (!text) {
        g_string_append(out, "NULL");
        return;
    }
    g_autofree char *escaped = g_strescape(text, NULL);
    g_string_append_printf(out, "\"%s\"", escaped);
}

static void write_list(char **values, GString *out)
{
    if (!values) {
        g_string_append(out, "NULL");
        return;
    }
    g_string_append(out, "(const char *const[]) { ");
    for (; *values; values++) {
        write_text(*values, out);
        g_string_append(out, ", ");
    }
    g_string_append(out, "NULL }");
}

static void write_words(char **words, GString *out)
{
    g_autofree char *joined = g_strjoinv(",", words);
    write_text(*joined ? joined : NULL, out);
}

static void write_places(char **places, GString *out)
{
    g_string_append(out, "0");
    for (; *places; places++) {
        const char *code = code_of(place_codes, *places);
        g_string_append_printf(out, "|%s", code ? code : "CLASS_OTHER");
    }
}

/* An auxiliary class that an entry may lack does not make its attributes
 * required in the object. */
static void write_required(const attr_decl *a, GString *out)
{
    g_string_append(out, "0");
    for (char **place = a->required; *place; place++) {
        const char *code = code_of(place_codes, *place);
        if (!g_str_equal(*place, "DKIM") && !g_str_equal(*place, "amavisAccount"))
            g_string_append_printf(out, "|%s", code ? code : "CLASS_OTHER");
    }
}

static bool write_flags(const attr_decl *a, GString *out, GError **error)
{
    g_string_append(out, a->multi ? "ATTR_MULTI" : "0");
    if (a->deprecated)
        g_string_append(out, "|ATTR_DEPRECATED");
    if (!a->oid)
        g_string_append(out, "|ATTR_STANDARD");
    char **lists[] = { a->inherits, a->flags };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (char **word = lists[i]; *word; word++) {
            const char *code = code_of(flag_codes, *word);
            if (!code) {
                g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "attributes.tsv: %s: unknown word \"%s\"", a->name, *word);
                return false;
            }
            g_string_append_printf(out, "|%s", code);
        }
    }
    return true;
}

static bool write_row(const attr_decl *a, GString *out, GError **error)
{
    const char *type = code_of(type_codes, a->type);
    if (!type) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "attributes.tsv: %s: unknown type %s",
                    a->name, a->type);
        return false;
    }
    g_string_append(out, "{ .name = ");
    write_text(a->name, out);
    g_string_append(out, ", .oid = ");
    write_text(a->oid, out);
    g_string_append_printf(out, ", .type = %s, .range = ", type);
    write_text(a->range, out);
    g_string_append(out, ",\n  .classes = ");
    write_places(a->required, out);
    g_string_append_c(out, '|');
    write_places(a->optional, out);
    g_string_append(out, ", .required = ");
    write_required(a, out);
    g_string_append(out, ", .flags = ");
    if (!write_flags(a, out, error))
        return false;
    const struct { const char *field; char **values; } lists[] = {
        { "global_default", a->global_default }, { "cos_default", a->cos_default },
        { "external_cos_default", a->external_default },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_string_append_printf(out, ",\n  .%s = ", lists[i].field);
        write_list(lists[i].values, out);
    }
    const struct { const char *field, *text; } texts[] = {
        { "requires_restart", a->restart }, { "since", a->since }, { "deprecated_since", a->deprecated },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_string_append_printf(out, ", .%s = ", texts[i].field);
        write_text(texts[i].text, out);
    }
    g_string_append(out, ",\n  .required_in = ");
    write_words(a->required, out);
    g_string_append(out, ", .optional_in = ");
    write_words(a->optional, out);
    g_string_append(out, " },\n");
    return true;
}

bool write_attr_table(const declarations *d, GString *out, GError **error)
{
    for (guint i = 0; i < d->attrs->len; i++)
        if (!write_row(d->attrs->pdata[i], out, error))
            return false;
    return true;
}

void write_alias_table(const declarations *d, GString *out)
{
    for (guint i = 0; i < d->aliases->len; i++) {
        const alias_decl *l = d->aliases->pdata[i];
        g_string_append_printf(out, "{ \"%s\", \"%s\" },\n", l->alias, l->name);
    }
}
