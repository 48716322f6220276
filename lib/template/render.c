/* Tree of nodes + values -> text. Only the branches that are taken are looked
 * at, so a key that is missing in another branch is no error; every other
 * missing key is one. Nothing is written when any part fails. */
#include "lib/template/internal.h"

#include <string.h>

G_DEFINE_QUARK(mailstead-template-error-quark, template_error)

static const char *source_name(const key_ref *k)
{
    static const char *const names[] = { "VAR", "LOCAL", "SERVICE", "FILE" };
    return k->any ? "VAR or LOCAL" : names[k->source];
}

const char *const *key_peek(render *r, const key_ref *k)
{
    const char *const *values = r->lookup(k->source, k->key, r->data);
    if (!values && k->any)
        values = r->lookup(TEMPLATE_LOCAL, k->key, r->data);
    if (!values && k->source == TEMPLATE_SERVICE) {
        static const char *const no[] = { "FALSE", NULL };
        return no;
    }
    return values;
}

const char *const *key_values(render *r, unsigned line, const key_ref *k, const char *(*ret_default)[2], GError **error)
{
    const char *const *values = key_peek(r, k);
    if (values)
        return values;
    if (!k->fallback) {
        template_set_error(r->t, line, TEMPLATE_ERROR_MISSING, error, "%s (%s) has no value and the template gives no default", k->key, source_name(k));
        return NULL;
    }
    (*ret_default)[0] = *k->fallback ? k->fallback : NULL;
    (*ret_default)[1] = NULL;
    return *ret_default;
}

bool key_truth(render *r, unsigned line, const key_ref *k, bool *ret, GError **error)
{
    const char *fallback[2];
    const char *const *values = key_values(r, line, k, &fallback, error);
    if (!values)
        return false;
    if (k->source == TEMPLATE_FILE) {
        *ret = (values[0] != NULL) != k->negate;
        return true;
    }
    bool one = values[0] && !values[1];
    if (one && (!g_ascii_strcasecmp(values[0], "TRUE") || !g_ascii_strcasecmp(values[0], "yes"))) {
        *ret = !k->negate;
        return true;
    }
    if (one && (!g_ascii_strcasecmp(values[0], "FALSE") || !g_ascii_strcasecmp(values[0], "no"))) {
        *ret = k->negate;
        return true;
    }
    template_set_error(r->t, line, TEMPLATE_ERROR_VALUE, error, "%s: \"%.40s\" is neither TRUE/yes nor FALSE/no (ifset and ifeq test other values)",
                       k->key, values[0] ? values[0] : "");
    return false;
}

static bool branch_taken(render *r, const branch *b, bool *ret, GError **error)
{
    if (b->otherwise) {
        *ret = true;
        return true;
    }
    if (b->test == TEST_TRUE)
        return key_truth(r, b->line, &b->key, ret, error);
    if (b->test == TEST_SET) {
        const char *const *values = key_peek(r, &b->key);
        bool set = false;
        for (; values && *values && !set; values++)
            set = **values;
        *ret = set != b->key.negate;
        return true;
    }
    const char *fallback[2];
    const char *const *values = key_values(r, b->line, &b->key, &fallback, error);
    if (!values)
        return false;
    *ret = g_strv_contains(values, b->equal) != b->key.negate;
    return true;
}

static bool block_eval(render *r, const node *n, GString *out, GError **error)
{
    for (guint i = 0; i < n->branches->len; i++) {
        const branch *b = n->branches->pdata[i];
        bool taken;
        if (!branch_taken(r, b, &taken, error))
            return false;
        if (taken)
            return text_eval(r, b->body, out, error);
    }
    return true;
}

bool text_eval(render *r, const text *body, GString *out, GError **error)
{
    for (guint i = 0; i < body->len; i++) {
        const node *n = body->pdata[i];
        bool ok = true;
        if (n->kind == NODE_TEXT)
            g_string_append_len(out, n->literal->str, n->literal->len);
        else if (n->kind == NODE_CALL)
            ok = n->call->eval(r, n, out, error);
        else
            ok = block_eval(r, n, out, error);
        if (!ok)
            return false;
        if (out->len > TEMPLATE_MAX_BYTES) {
            template_set_error(r->t, n->line, TEMPLATE_ERROR_VALUE, error, "the result is larger than %d bytes", TEMPLATE_MAX_BYTES);
            return false;
        }
    }
    return true;
}

char *template_render(const template *t, template_lookup_fn lookup, void *data, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    render r = { .t = t, .lookup = lookup, .data = data, .out = out };
    if (!text_eval(&r, t->body, out, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

template *template_load(const char *path, GError **error)
{
    g_autofree char *source = NULL, *name = g_path_get_basename(path);
    gsize len;
    g_autoptr(GError) local = NULL;

    if (!g_file_get_contents(path, &source, &len, &local)) {
        g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_READ, "template %s: %s", path, local->message);
        return NULL;
    }
    if (strlen(source) != len) {
        g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_SYNTAX, "template %s: holds a NUL byte", path);
        return NULL;
    }
    return template_parse(name, source, error);
}

void template_free(template *t)
{
    if (!t)
        return;
    g_free(t->name);
    if (t->body)
        g_ptr_array_unref(t->body);
    g_free(t);
}

/* ---- keys ---- */

typedef struct {
    GHashTable *seen;
    void (*fn)(template_source, const char *, void *);
    void *data;
} key_walk;

static void walk_key(key_walk *w, template_source source, const char *key)
{
    char *id = g_strdup_printf("%d:%s", source, key);
    if (g_hash_table_add(w->seen, id))
        w->fn(source, key, w->data);
}

static void walk_ref(key_walk *w, const key_ref *k)
{
    if (!k->key)
        return;
    walk_key(w, k->source, k->key);
    if (k->any)
        walk_key(w, TEMPLATE_LOCAL, k->key);
}

static void walk_text(key_walk *w, const text *body)
{
    for (guint i = 0; i < body->len; i++) {
        const node *n = body->pdata[i];
        walk_ref(w, &n->key);
        for (guint j = 0; n->args && j < n->args->len; j++)
            walk_text(w, n->args->pdata[j]);
        for (guint j = 0; n->branches && j < n->branches->len; j++) {
            const branch *b = n->branches->pdata[j];
            walk_ref(w, &b->key);
            walk_text(w, b->body);
        }
    }
}

void template_each_key(const template *t, void (*fn)(template_source, const char *key, void *data), void *data)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    key_walk w = { .seen = seen, .fn = fn, .data = data };
    walk_text(&w, t->body);
}
