/* A table of values. Ids are the hash keys: source and key in one string. */
#include "configd/facts.h"

#include <string.h>

struct facts {
    GHashTable *table;   /* id -> GStrv */
};

static const char *const source_names[] = {
    [TEMPLATE_VAR] = "VAR", [TEMPLATE_LOCAL] = "LOCAL", [TEMPLATE_SERVICE] = "SERVICE", [TEMPLATE_FILE] = "FILE",
};

facts *facts_new(void)
{
    facts *f = g_new0(facts, 1);
    f->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
    return f;
}

facts *facts_copy(const facts *base)
{
    facts *f = facts_new();
    GHashTableIter i;
    gpointer id, values;
    g_hash_table_iter_init(&i, base->table);
    while (g_hash_table_iter_next(&i, &id, &values))
        g_hash_table_insert(f->table, g_strdup(id), g_strdupv(values));
    return f;
}

void facts_free(facts *f)
{
    if (!f)
        return;
    g_hash_table_unref(f->table);
    g_free(f);
}

char *facts_id(template_source source, const char *key)
{
    return g_strconcat(source_names[source], ":", key, NULL);
}

bool facts_parse_id(const char *id, template_source *ret_source, const char **ret_key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(source_names); i++) {
        size_t len = strlen(source_names[i]);
        if (!strncmp(id, source_names[i], len) && id[len] == ':' && id[len + 1]) {
            *ret_source = i;
            *ret_key = id + len + 1;
            return true;
        }
    }
    return false;
}

void facts_set(facts *f, template_source source, const char *key, const char *const *values)
{
    g_hash_table_replace(f->table, facts_id(source, key), g_strdupv((char **) values));
}

void facts_set_one(facts *f, template_source source, const char *key, const char *value)
{
    facts_set(f, source, key, (const char *const[]) { value, NULL });
}

void facts_add(facts *f, template_source source, const char *key, const char *value)
{
    g_autofree char *id = facts_id(source, key);
    char **old = g_hash_table_lookup(f->table, id);
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    if (old)
        g_strv_builder_addv(b, (const char **) old);
    g_strv_builder_add(b, value);
    g_hash_table_replace(f->table, g_steal_pointer(&id), g_strv_builder_end(b));
}

const char *const *facts_get(const facts *f, template_source source, const char *key)
{
    g_autofree char *id = facts_id(source, key);
    return g_hash_table_lookup(f->table, id);
}

const char *facts_first(const facts *f, template_source source, const char *key, const char *fallback)
{
    const char *const *values = facts_get(f, source, key);
    return values && values[0] ? values[0] : fallback;
}

bool facts_is_true(const facts *f, template_source source, const char *key)
{
    return g_str_equal(facts_first(f, source, key, ""), "TRUE");
}

GHashTable *facts_diff(const facts *from, const facts *to)
{
    GHashTable *changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter i;
    gpointer id, values;

    g_hash_table_iter_init(&i, to->table);
    while (g_hash_table_iter_next(&i, &id, &values)) {
        const char *const *old = from ? g_hash_table_lookup(from->table, id) : NULL;
        if (!old || !g_strv_equal(old, values))
            g_hash_table_add(changed, g_strdup(id));
    }
    if (!from)
        return changed;
    g_hash_table_iter_init(&i, from->table);
    while (g_hash_table_iter_next(&i, &id, &values))
        if (!g_hash_table_contains(to->table, id))
            g_hash_table_add(changed, g_strdup(id));
    return changed;
}

/* ---- text form ---- */

static void print_value(GString *out, const char *value)
{
    for (; *value; value++)
        switch (*value) {
        case '\\': g_string_append(out, "\\\\"); break;
        case '\n': g_string_append(out, "\\n"); break;
        case '\r': g_string_append(out, "\\r"); break;
        default: g_string_append_c(out, *value);
        }
}

static char *parse_value(const char *s)
{
    GString *out = g_string_new(NULL);
    for (; *s; s++) {
        if (*s != '\\' || !s[1]) {
            g_string_append_c(out, *s);
            continue;
        }
        s++;
        g_string_append_c(out, *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s);
    }
    return g_string_free(out, FALSE);
}

char *facts_print(const facts *f, GHashTable *wanted)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(f->table), (GCompareFunc) strcmp);
    for (GList *i = ids; i; i = i->next) {
        template_source source;
        const char *key;
        if ((wanted && !g_hash_table_contains(wanted, i->data)) || !facts_parse_id(i->data, &source, &key))
            continue;
        const char *const *values = g_hash_table_lookup(f->table, i->data);
        if (!*values)
            g_string_append_printf(out, "%s %s\n", source_names[source], key);
        for (; *values; values++) {
            g_string_append_printf(out, "%s %s ", source_names[source], key);
            print_value(out, *values);
            g_string_append_c(out, '\n');
        }
    }
    return g_string_free(out, FALSE);
}

static bool parse_fact(facts *f, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    guint n = g_strv_length(words);
    template_source source;
    const char *key;

    if (n < 2 || !*words[1])
        return false;
    g_autofree char *id = g_strconcat(words[0], ":", words[1], NULL);
    if (!facts_parse_id(id, &source, &key))
        return false;
    if (source == TEMPLATE_SERVICE && n == 2) {
        facts_set_one(f, source, key, "TRUE");
    } else if (n == 2) {
        facts_set(f, source, key, (const char *const[]) { NULL });
    } else {
        g_autofree char *value = parse_value(words[2]);
        facts_add(f, source, key, value);
    }
    return true;
}

facts *facts_parse(const char *name, const char *text, GError **error)
{
    g_autoptr(facts) f = facts_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        if (!*lines[i] || *lines[i] == '#')
            continue;
        if (!parse_fact(f, lines[i])) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "%s:%u: expected \"VAR key value\", \"LOCAL key value\" or \"SERVICE name\"", name, i + 1);
            return NULL;
        }
    }
    return g_steal_pointer(&f);
}
