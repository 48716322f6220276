/* Reader of attributes.tsv, objectclasses.tsv and aliases.tsv.
 *
 * Format: UTF-8, a header line, then one row a line, cells parted by tabs. A
 * cell with several values joins them with '|'; in values a literal bar is \|,
 * a backslash \\, a newline \n, a tab \t. An empty cell is "not set".
 *
 * attributes.tsv, column by column:
 *   name, oid (a number: below ATTRIBUTE_ARC; dotted: as it stands; empty: a
 *   standard schema defines it), type, range ("min=N max=N match=REGEX", or the
 *   words of an enum), values (single or multi), required and optional (places
 *   of objectclasses.tsv), inherits (account, domain, server,
 *   account-cos-domain), flags (domain-admin, account-info, domain-info, idn,
 *   immutable, secret), restart (services), global, cos and external-cos
 *   (defaults), since and deprecated (releases of the interface).
 *
 * What this file does not know: LDAP syntaxes (write-ldif.c), C (write-table.c). */
#include "schema/declarations.h"

enum {
    A_NAME, A_OID, A_TYPE, A_RANGE, A_VALUES, A_REQUIRED, A_OPTIONAL, A_INHERITS, A_FLAGS,
    A_RESTART, A_GLOBAL, A_COS, A_EXTERNAL, A_SINCE, A_DEPRECATED, A_COLUMNS
};
enum { C_NAME, C_OID, C_KIND, C_SUPERIOR, C_PLACE, C_COLUMNS };
enum { L_ALIAS, L_NAME, L_COLUMNS };

static char *cell_text(const char *cell)
{
    return *cell ? g_strdup(cell) : NULL;
}

/* Splits at unescaped bars and undoes the escapes. */
static char **cell_values(const char *cell)
{
    if (!*cell)
        return NULL;
    GPtrArray *values = g_ptr_array_new();
    GString *value = g_string_new(NULL);
    for (const char *p = cell; *p; p++) {
        if (*p == '|') {
            g_ptr_array_add(values, g_string_free(value, FALSE));
            value = g_string_new(NULL);
        } else if (*p == '\\' && p[1]) {
            p++;
            g_string_append_c(value, *p == 'n' ? '\n' : *p == 't' ? '\t' : *p);
        } else {
            g_string_append_c(value, *p);
        }
    }
    g_ptr_array_add(values, g_string_free(value, FALSE));
    g_ptr_array_add(values, NULL);
    return (char **) g_ptr_array_free(values, FALSE);
}

static char **cell_words(const char *cell)
{
    return g_strsplit(cell, ",", -1);
}

static char *full_oid(const char *cell)
{
    if (!*cell)
        return NULL;
    return strchr(cell, '.') ? g_strdup(cell) : g_strconcat(ATTRIBUTE_ARC ".", cell, NULL);
}

static gpointer read_attr(char **c)
{
    attr_decl *a = g_new0(attr_decl, 1);
    a->name = g_strdup(c[A_NAME]);
    a->oid = full_oid(c[A_OID]);
    a->type = g_strdup(c[A_TYPE]);
    a->range = cell_text(c[A_RANGE]);
    a->multi = g_str_equal(c[A_VALUES], "multi");
    a->required = cell_words(c[A_REQUIRED]);
    a->optional = cell_words(c[A_OPTIONAL]);
    a->inherits = cell_words(c[A_INHERITS]);
    a->flags = cell_words(c[A_FLAGS]);
    a->restart = cell_text(c[A_RESTART]);
    a->global_default = cell_values(c[A_GLOBAL]);
    a->cos_default = cell_values(c[A_COS]);
    a->external_default = cell_values(c[A_EXTERNAL]);
    a->since = cell_text(c[A_SINCE]);
    a->deprecated = cell_text(c[A_DEPRECATED]);
    return a;
}

static void free_attr(gpointer data)
{
    attr_decl *a = data;
    char *texts[] = { a->name, a->oid, a->type, a->range, a->restart, a->since, a->deprecated };
    char **lists[] = { a->required, a->optional, a->inherits, a->flags, a->global_default,
                       a->cos_default, a->external_default };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_strfreev(lists[i]);
    g_free(a);
}

static gpointer read_class(char **c)
{
    class_decl *k = g_new0(class_decl, 1);
    k->name = g_strdup(c[C_NAME]);
    k->oid = g_strdup(c[C_OID]);
    k->auxiliary = g_str_equal(c[C_KIND], "auxiliary");
    k->superior = g_strdup(c[C_SUPERIOR]);
    k->place = g_strdup(c[C_PLACE]);
    return k;
}

static void free_class(gpointer data)
{
    class_decl *k = data;
    g_free(k->name);
    g_free(k->oid);
    g_free(k->superior);
    g_free(k->place);
    g_free(k);
}

static gpointer read_alias(char **c)
{
    alias_decl *l = g_new0(alias_decl, 1);
    l->alias = g_strdup(c[L_ALIAS]);
    l->name = g_strdup(c[L_NAME]);
    return l;
}

static void free_alias(gpointer data)
{
    alias_decl *l = data;
    g_free(l->alias);
    g_free(l->name);
    g_free(l);
}

/* Every row of FOLDER/FILE through READ; COLUMNS cells a row. */
static GPtrArray *read_rows(const char *folder, const char *file, guint columns,
                            gpointer (*read)(char **), GDestroyNotify destroy, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(destroy);
    for (guint i = 1; lines[0] && lines[i] && *lines[i]; i++) {
        g_auto(GStrv) cells = g_strsplit(lines[i], "\t", -1);
        if (g_strv_length(cells) != columns) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s:%u: %u cells, %u are wanted",
                        path, i + 1, g_strv_length(cells), columns);
            return NULL;
        }
        g_ptr_array_add(rows, read(cells));
    }
    return g_steal_pointer(&rows);
}

static gint by_attr_name(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp((*(attr_decl *const *) a)->name, (*(attr_decl *const *) b)->name);
}

static gint by_alias(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp((*(alias_decl *const *) a)->alias, (*(alias_decl *const *) b)->alias);
}

static bool places_known(const declarations *d, const attr_decl *a, char **places, GError **error)
{
    for (; *places; places++) {
        bool known = false;
        for (guint i = 0; i < d->classes->len && !known; i++)
            known = g_str_equal(((class_decl *) d->classes->pdata[i])->place, *places);
        if (!known) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "attributes.tsv: %s stands in \"%s\", which objectclasses.tsv does not have",
                        a->name, *places);
            return false;
        }
    }
    return true;
}

/* Names and OIDs once; places declared. */
static bool cross_check(const declarations *d, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < d->attrs->len; i++) {
        attr_decl *a = d->attrs->pdata[i];
        bool twice = i > 0 && by_attr_name(&d->attrs->pdata[i - 1], &d->attrs->pdata[i]) == 0;
        if (twice || (a->oid && !g_hash_table_add(seen, a->oid))) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "attributes.tsv: %s: name or OID is declared twice", a->name);
            return false;
        }
        if (!places_known(d, a, a->required, error) || !places_known(d, a, a->optional, error))
            return false;
    }
    return true;
}

declarations *declarations_read(const char *folder, GError **error)
{
    g_autoptr(declarations) d = g_new0(declarations, 1);
    d->classes = read_rows(folder, "objectclasses.tsv", C_COLUMNS, read_class, free_class, error);
    if (!d->classes)
        return NULL;
    d->attrs = read_rows(folder, "attributes.tsv", A_COLUMNS, read_attr, free_attr, error);
    if (!d->attrs)
        return NULL;
    d->aliases = read_rows(folder, "aliases.tsv", L_COLUMNS, read_alias, free_alias, error);
    if (!d->aliases)
        return NULL;
    g_ptr_array_sort(d->attrs, by_attr_name);
    g_ptr_array_sort(d->aliases, by_alias);
    return cross_check(d, error) ? g_steal_pointer(&d) : NULL;
}

void declarations_free(declarations *d)
{
    if (!d)
        return;
    g_clear_pointer(&d->attrs, g_ptr_array_unref);
    g_clear_pointer(&d->classes, g_ptr_array_unref);
    g_clear_pointer(&d->aliases, g_ptr_array_unref);
    g_free(d);
}

const char *declarations_part(const char *oid)
{
    if (g_str_has_prefix(oid, "1.3.6.1.4.1.15312."))
        return "amavis";
    return g_str_has_prefix(oid, "1.3.6.1.4.1.29426.") ? "opendkim" : "zimbra";
}
