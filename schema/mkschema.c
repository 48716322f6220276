/* mkschema FOLDER OUT: writes the LDAP schema, the default entries and the C
 * tables from the declarations in FOLDER. Runs at build. */
#include "schema/declarations.h"

static bool save(const char *folder, const char *file, const GString *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    return g_file_set_contents(path, text->str, (gssize) text->len, error);
}

static bool write_parts(const declarations *d, const char *out, GError **error)
{
    static const char *const parts[] = { "zimbra", "amavis", "opendkim" };
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *file = g_strconcat(parts[i], ".ldif", NULL);
        if (!write_schema_ldif(d, parts[i], text, error) || !save(out, file, text, error))
            return false;
    }
    return true;
}

static bool write_entries(const declarations *d, const char *out, GError **error)
{
    static const struct { const char *file; void (*write)(const declarations *, GString *); } entries[] = {
        { "globalconfig.ldif", write_global_config },
        { "cos-default.ldif", write_default_cos },
        { "cos-defaultexternal.ldif", write_external_cos },
        { "alias-table.inc", write_alias_table },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        entries[i].write(d, text);
        if (!save(out, entries[i].file, text, error))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: mkschema FOLDER OUT\n");
        return 2;
    }
    g_autoptr(declarations) d = declarations_read(argv[1], &error);
    g_autoptr(GString) table = g_string_new(NULL);
    if (!d || !write_parts(d, argv[2], &error) || !write_entries(d, argv[2], &error) ||
        !write_attr_table(d, table, &error) || !save(argv[2], "attr-table.inc", table, &error)) {
        fprintf(stderr, "mkschema: %s\n", error->message);
        return 1;
    }
    return 0;
}
