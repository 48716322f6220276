/* describe: what the schema knows of attributes. */
#include <stdio.h>

#include "cli/zmprov/handlers.h"
#include "lib/schema/schema.h"

static const char *const type_words[] = {
    [ATTR_STRING] = "string", [ATTR_ASTRING] = "astring", [ATTR_CSTRING] = "cstring", [ATTR_OSTRING] = "ostring",
    [ATTR_BINARY] = "binary", [ATTR_BOOLEAN] = "boolean", [ATTR_INTEGER] = "integer", [ATTR_LONG] = "long",
    [ATTR_PORT] = "port", [ATTR_ENUM] = "enum", [ATTR_ID] = "id", [ATTR_EMAIL] = "email", [ATTR_EMAILP] = "emailp",
    [ATTR_CS_EMAILP] = "cs_emailp", [ATTR_DURATION] = "duration", [ATTR_GENTIME] = "gentime", [ATTR_PHONE] = "phone",
    [ATTR_REGEX] = "regex", [ATTR_CERTIFICATE] = "certificate",
};

static const struct { unsigned flag; const char *word; } flag_words[] = {
    { ATTR_ACCOUNT_INFO, "accountInfo" }, { ATTR_ACCOUNT_INHERITED, "accountInherited" },
    { ATTR_DOMAIN_INHERITED, "domainInherited" }, { ATTR_SERVER_INHERITED, "serverInherited" },
    { ATTR_ACCOUNT_COS_DOMAIN_INHERITED, "accountCosDomainInherited" },
    { ATTR_DOMAIN_ADMIN_MODIFIABLE, "domainAdminModifiable" }, { ATTR_DOMAIN_INFO, "domainInfo" }, { ATTR_IDN, "idn" },
};

/* Words of the file's classes that a type of entry takes its attributes from. */
static const struct { const char *word, *classes; unsigned inherited; } entry_types[] = {
    { "account", "account,mailRecipient,amavisAccount", ATTR_ACCOUNT_INHERITED | ATTR_ACCOUNT_COS_DOMAIN_INHERITED },
    { "alias", "alias", 0 }, { "calendarResource", "calendarResource,account,mailRecipient", ATTR_ACCOUNT_INHERITED },
    { "cos", "cos", 0 }, { "dataSource", "dataSource", 0 }, { "distributionList", "distributionList,mailRecipient", 0 },
    { "domain", "domain,mailRecipient,DKIM,amavisAccount", ATTR_DOMAIN_INHERITED }, { "globalConfig", "globalConfig", 0 },
    { "group", "group", 0 }, { "identity", "identity", 0 }, { "mimeEntry", "mimeEntry", 0 },
    { "server", "server", ATTR_SERVER_INHERITED }, { "signature", "signature", 0 }, { "ucService", "ucService", 0 },
    { "xmppComponent", "xmppComponent", 0 }, { "zimletEntry", "zimletEntry", 0 },
};

static void print_line(const char *label, const char *value)
{
    printf("%18s : %s\n", label, value ? value : "");
}

static void print_values(const char *label, const char *const *values)
{
    if (!values || !*values)
        print_line(label, NULL);
    for (; values && *values; values++) {
        print_line(label, *values);
        label = "";
    }
}

static char *flags_text(unsigned flags)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(flag_words); i++)
        if (flags & flag_words[i].flag)
            g_string_append_printf(s, "%s%s", s->len ? "," : "", flag_words[i].word);
    return g_string_free(s, FALSE);
}

static void print_attr(const attr_def *a)
{
    g_autofree char *flags = flags_text(a->flags);
    printf("%s\n\n", a->name);
    print_line("type", type_words[a->type]);
    print_line("value", a->range);
    print_line("immutable", a->flags & ATTR_IMMUTABLE ? "true" : "false");
    print_line("cardinality", a->flags & ATTR_MULTI ? "multi" : "single");
    print_line("requiredIn", a->required_in);
    print_line("optionalIn", a->optional_in);
    print_line("flags", flags);
    print_values("global default", a->global_default);
    print_values("cos default", a->cos_default);
    print_line("oid", a->oid);
    print_line("requiresRestart", a->requires_restart);
    print_line("since", a->since);
    print_line("deprecatedSince", a->deprecated_since);
    printf("\n");
}

static bool in_list(const char *list, const char *classes)
{
    g_auto(GStrv) words = g_strsplit(list ? list : "", ",", -1), wanted = g_strsplit(classes, ",", -1);
    for (char **w = wanted; *w; w++)
        if (g_strv_contains((const char *const *) words, *w))
            return true;
    return false;
}

static bool print_type(const char *word, bool verbose, bool own_only, GError **error)
{
    size_t n, t = 0;
    const attr_def *attrs = schema_attrs(&n);
    while (word && t < G_N_ELEMENTS(entry_types) && g_ascii_strcasecmp(word, entry_types[t].word) != 0)
        t++;
    if (t == G_N_ELEMENTS(entry_types))
        return invalid(error, "no such type of entry: %s", word);
    for (size_t i = 0; i < n; i++) {
        bool belongs = !word || in_list(attrs[i].required_in, entry_types[t].classes) || in_list(attrs[i].optional_in, entry_types[t].classes);
        if (!belongs || (word && own_only && (attrs[i].flags & entry_types[t].inherited)))
            continue;
        if (verbose)
            print_attr(&attrs[i]);
        else
            printf("%s\n", attrs[i].name);
    }
    return true;
}

HANDLER(run_describe)
{
    bool verbose = s->verbose, own_only = false;
    const char *name = take_option(&argc, &argv, "-a");
    if (name) {
        const attr_def *a = schema_attr(name);
        if (!a)
            return invalid(error, "no such attribute: %s", name);
        print_attr(a);
        return argc == 0 || usage_error(c, error);
    }
    for (int before = -1; before != argc; ) {
        before = argc;
        verbose |= take_flag(&argc, &argv, "-v");
        own_only |= take_flag(&argc, &argv, "-ni");
    }
    return argc <= 1 ? print_type(argc ? argv[0] : NULL, verbose, own_only, error) : usage_error(c, error);
}
