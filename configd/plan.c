/* The actions table and the templates, read into one plan. Dependencies come
 * from the templates themselves: each file knows every key it can read, those of
 * FILE: lists included. A template that does not parse breaks its folder, not
 * the plan: the folder's last generation stays in force. */
#include "configd/plan.h"

#include <string.h>

G_DEFINE_QUARK(mailstead-plan-error-quark, plan_error)

static void file_free(plan_file *f)
{
    g_free(f->name);
    g_free(f->source);
    g_free(f->owner);
    g_free(f->group);
    template_free(f->parsed);
    g_hash_table_unref(f->keys);
    g_free(f);
}

static void link_free(plan_link *l)
{
    g_free(l->path);
    g_free(l->file);
    g_free(l);
}

static void folder_free(plan_folder *f)
{
    g_free(f->name);
    g_strfreev(f->services);
    g_strfreev(f->units);
    g_strfreev(f->restart_on);
    g_strfreev(f->restart_files);
    g_free(f->owner);
    g_free(f->group);
    g_strfreev(f->prepare);
    g_strfreev(f->validate);
    g_free(f->validate_user);
    g_free(f->confirm);
    g_ptr_array_unref(f->files);
    g_ptr_array_unref(f->links);
    g_hash_table_unref(f->keys);
    g_clear_error(&f->broken);
    g_free(f);
}

void plan_free(plan *p)
{
    if (!p)
        return;
    g_ptr_array_unref(p->folders);
    g_hash_table_unref(p->lists);
    g_free(p);
}

static bool table_error(GError **error, const char *group, const char *key, const char *what)
{
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_TABLE, "actions table, [%s] %s: %s", group, key, what);
    return false;
}

/* "MODE OWNER:GROUP" */
static bool parse_ownership(const char *text, mode_t *mode, char **owner, char **group, const char **rest)
{
    char *end;
    guint64 m = g_ascii_strtoull(text, &end, 8);
    if (end == text || m > 0777 || *end != ' ')
        return false;
    const char *colon = strchr(end, ':'), *stop = colon ? colon + strcspn(colon, " ") : NULL;
    while (*end == ' ')
        end++;
    if (!colon || colon == end || stop == colon + 1 || memchr(end, ' ', colon - end))
        return false;
    *mode = m;
    *owner = g_strndup(end, colon - end);
    *group = g_strndup(colon + 1, stop - colon - 1);
    *rest = stop + strspn(stop, " ");
    return true;
}

/* A relative path without "..". */
static bool safe_path(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    if (!*path)
        return false;
    for (char **p = parts; *p; p++)
        if (!**p || g_str_equal(*p, "..") || g_str_equal(*p, "."))
            return false;
    return true;
}

/* ---- templates ---- */

typedef struct {
    plan *p;
    const layout *l;
    GHashTable *keys;
    GError *error;
} key_collector;

/* The template of RELATIVE: the administrator's own, else ours. */
static char *template_path(const layout *l, const char *relative, bool *ret_overridden)
{
    g_autofree char *own = g_build_filename(l->override, relative, NULL);
    *ret_overridden = g_file_test(own, G_FILE_TEST_IS_REGULAR);
    return *ret_overridden ? g_steal_pointer(&own) : g_build_filename(l->templates, relative, NULL);
}

static void collect_key(template_source source, const char *key, void *data)
{
    key_collector *c = data;
    if (!g_hash_table_add(c->keys, facts_id(source, key)) || source != TEMPLATE_FILE || c->error)
        return;
    template *list = g_hash_table_lookup(c->p->lists, key);
    if (!list) {
        bool overridden;
        g_autofree char *path = template_path(c->l, key, &overridden);
        list = template_load(path, &c->error);
        if (!list)
            return;
        g_hash_table_insert(c->p->lists, g_strdup(key), list);
    }
    template_each_key(list, collect_key, c);
}

static bool load_template(plan *p, const layout *l, plan_file *f, GError **error)
{
    f->parsed = template_load(f->source, error);
    if (!f->parsed)
        return false;
    key_collector c = { .p = p, .l = l, .keys = f->keys };
    template_each_key(f->parsed, collect_key, &c);
    if (c.error)
        g_propagate_error(error, c.error);
    return !c.error;
}

static void add_keys(plan_folder *folder, const plan_file *f)
{
    GHashTableIter i;
    gpointer id;
    g_hash_table_iter_init(&i, f->keys);
    while (g_hash_table_iter_next(&i, &id, NULL))
        g_hash_table_add(folder->keys, g_strdup(id));
}

/* ---- the table ---- */

static bool parse_file(plan *p, const layout *l, plan_folder *folder, const char *name, const char *text, GError **error)
{
    plan_file *f = g_new0(plan_file, 1);
    const char *rest = "";

    f->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    f->name = g_strdup(name);
    g_ptr_array_add(folder->files, f);
    if (!safe_path(name) || !parse_ownership(text, &f->mode, &f->owner, &f->group, &rest) || (*rest && !safe_path(rest)))
        return table_error(error, folder->name, name, "expected \"MODE OWNER:GROUP [TEMPLATE]\"");
    g_autofree char *relative = *rest ? g_strdup(rest) : g_strconcat(folder->name, "/", name, ".in", NULL);
    f->source = template_path(l, relative, &f->overridden);
    if (!folder->broken && load_template(p, l, f, &folder->broken))
        add_keys(folder, f);
    return true;
}

static bool parse_files(plan *p, const layout *l, GKeyFile *k, plan_folder *folder, GError **error)
{
    g_autofree char *group = g_strconcat(folder->name, " files", NULL);
    g_auto(GStrv) names = g_key_file_get_keys(k, group, NULL, NULL);
    if (!names || !*names)
        return table_error(error, group, "", "no files");
    for (char **n = names; *n; n++) {
        g_autofree char *text = g_key_file_get_string(k, group, *n, NULL);
        if (!text || !parse_file(p, l, folder, *n, text, error))
            return false;
    }
    return true;
}

static bool parse_links(GKeyFile *k, plan_folder *folder, GError **error)
{
    g_autofree char *group = g_strconcat(folder->name, " links", NULL);
    g_auto(GStrv) names = g_key_file_get_keys(k, group, NULL, NULL);
    for (char **n = names; n && *n; n++) {
        plan_link *link = g_new0(plan_link, 1);
        link->path = g_strdup(*n);
        link->file = g_key_file_get_string(k, group, *n, NULL);
        g_ptr_array_add(folder->links, link);
        if (!safe_path(*n) || !link->file || (!g_str_equal(link->file, ".") && !safe_path(link->file)))
            return table_error(error, group, *n, "expected PATH=file, both relative");
    }
    return true;
}

/* Values of prefix.1, prefix.2 … in order of their numbers. */
static char **numbered(GKeyFile *k, const char *group, const char *prefix)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    for (unsigned i = 1; i < 100; i++) {
        g_autofree char *key = g_strdup_printf("%s.%u", prefix, i);
        g_autofree char *text = g_key_file_get_string(k, group, key, NULL);
        if (text)
            g_strv_builder_add(b, text);
    }
    return g_strv_builder_end(b);
}

static bool parse_seconds(GKeyFile *k, const char *group, const char *key, unsigned fallback, unsigned *ret, GError **error)
{
    g_autofree char *text = g_key_file_get_string(k, group, key, NULL);
    guint64 n = fallback;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, 600, &n, NULL))
        return table_error(error, group, key, "expected seconds from 1 to 600");
    *ret = n;
    return true;
}

static bool parse_action(GKeyFile *k, plan_folder *f, GError **error)
{
    static const struct { const char *word; plan_action action; } words[] = {
        { "none", PLAN_NONE }, { "reload", PLAN_RELOAD }, { "restart", PLAN_RESTART },
    };
    g_autofree char *text = g_key_file_get_string(k, f->name, "action", NULL);
    f->action = PLAN_RESTART;
    for (size_t i = 0; text && i < G_N_ELEMENTS(words); i++)
        if (g_str_equal(words[i].word, text)) {
            f->action = words[i].action;
            return true;
        }
    return !text || table_error(error, f->name, "action", "expected reload, restart or none");
}

static bool known_keys(GKeyFile *k, const char *group, GError **error)
{
    static const char *const known[] = {
        "services", "unit", "action", "restart_on", "restart_files", "folder", "validate_user",
        "validate_timeout", "stderr", "confirm", "apply_timeout", NULL,
    };
    g_auto(GStrv) keys = g_key_file_get_keys(k, group, NULL, NULL);
    for (char **key = keys; key && *key; key++)
        if (!g_strv_contains(known, *key) && !g_str_has_prefix(*key, "prepare.") && !g_str_has_prefix(*key, "validate."))
            return table_error(error, group, *key, "unknown key");
    return true;
}

static bool parse_folder(GKeyFile *k, plan_folder *f, GError **error)
{
    const char *rest = "";
    g_autofree char *folder = g_key_file_get_string(k, f->name, "folder", NULL);
    g_autofree char *err = g_key_file_get_string(k, f->name, "stderr", NULL);

    f->services = g_key_file_get_string_list(k, f->name, "services", NULL, NULL);
    f->units = g_key_file_get_string_list(k, f->name, "unit", NULL, NULL);
    f->restart_on = g_key_file_get_string_list(k, f->name, "restart_on", NULL, NULL);
    f->restart_files = g_key_file_get_string_list(k, f->name, "restart_files", NULL, NULL);
    f->prepare = numbered(k, f->name, "prepare");
    f->validate = numbered(k, f->name, "validate");
    f->validate_user = g_key_file_get_string(k, f->name, "validate_user", NULL);
    f->confirm = g_key_file_get_string(k, f->name, "confirm", NULL);
    f->refuse_stderr = err && g_str_equal(err, "refuse");
    if (err && !f->refuse_stderr && !g_str_equal(err, "ignore"))
        return table_error(error, f->name, "stderr", "expected refuse or ignore");
    if (!parse_ownership(folder ? folder : "0755 root:root", &f->mode, &f->owner, &f->group, &rest) || *rest)
        return table_error(error, f->name, "folder", "expected \"MODE OWNER:GROUP\"");
    return known_keys(k, f->name, error) && parse_action(k, f, error) &&
           parse_seconds(k, f->name, "validate_timeout", 60, &f->validate_timeout_s, error) &&
           parse_seconds(k, f->name, "apply_timeout", 30, &f->apply_timeout_s, error);
}

static plan_folder *folder_new(plan *p, const char *name)
{
    plan_folder *f = g_new0(plan_folder, 1);
    f->name = g_strdup(name);
    f->files = g_ptr_array_new_with_free_func((GDestroyNotify) file_free);
    f->links = g_ptr_array_new_with_free_func((GDestroyNotify) link_free);
    f->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_add(p->folders, f);
    return f;
}

plan *plan_load(const layout *l, GError **error)
{
    g_autofree char *path = g_build_filename(l->templates, "actions", NULL);
    g_autoptr(GKeyFile) k = g_key_file_new();
    g_autoptr(GError) local = NULL;
    g_autoptr(plan) p = g_new0(plan, 1);

    p->folders = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    p->lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) template_free);
    if (!g_key_file_load_from_file(k, path, G_KEY_FILE_NONE, &local)) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_TABLE, "actions table %s: %s", path, local->message);
        return NULL;
    }
    g_auto(GStrv) groups = g_key_file_get_groups(k, NULL);
    for (char **g = groups; *g; g++) {
        if (strchr(*g, ' ')) {
            g_autofree char *name = g_strndup(*g, strcspn(*g, " "));
            if ((!g_str_has_suffix(*g, " files") && !g_str_has_suffix(*g, " links")) || !g_key_file_has_group(k, name)) {
                table_error(error, *g, "", "no group of that name is known");
                return NULL;
            }
            continue;
        }
        plan_folder *f = folder_new(p, *g);
        if (!safe_path(*g) || strchr(*g, '/') || !parse_folder(k, f, error) ||
            !parse_files(p, l, k, f, error) || !parse_links(k, f, error)) {
            if (error && !*error)
                table_error(error, *g, "", "not the name of a folder");
            return NULL;
        }
    }
    return g_steal_pointer(&p);
}

/* ---- questions ---- */

plan_folder *plan_find(const plan *p, const char *folder)
{
    for (guint i = 0; i < p->folders->len; i++) {
        plan_folder *f = p->folders->pdata[i];
        if (g_str_equal(f->name, folder))
            return f;
    }
    return NULL;
}

GPtrArray *plan_select(const plan *p, const char *name)
{
    /* what the guide's ctl scripts ask configrewrite for */
    static const struct { const char *word, *service; } aliases[] = {
        { "sasl", "mta" }, { "webxml", "mailbox" }, { "antispam", "amavis" }, { "archiving", "amavis" },
        { "nginx", "proxy" },
    };
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < p->folders->len; i++) {
        plan_folder *f = p->folders->pdata[i];
        bool hit = g_str_equal(f->name, name) || (f->services && g_strv_contains((const char *const *) f->services, name));
        for (size_t a = 0; a < G_N_ELEMENTS(aliases) && !hit; a++)
            hit = g_str_equal(aliases[a].word, name) &&
                  (g_str_equal(f->name, aliases[a].service) ||
                   (f->services && g_strv_contains((const char *const *) f->services, aliases[a].service)));
        if (hit)
            g_ptr_array_add(found, f);
    }
    return found;
}

bool plan_folder_wanted(const plan_folder *f, const facts *values)
{
    if (!f->services || !*f->services)
        return true;
    for (char **s = f->services; *s; s++)
        if (facts_is_true(values, TEMPLATE_SERVICE, *s))
            return true;
    return false;
}

bool plan_folder_depends(const plan_folder *f, GHashTable *changed)
{
    GHashTableIter i;
    gpointer id;
    g_hash_table_iter_init(&i, changed);
    while (g_hash_table_iter_next(&i, &id, NULL))
        if (g_hash_table_contains(f->keys, id))
            return true;
    return false;
}

plan_action plan_folder_action(const plan_folder *f, GHashTable *changed, const GPtrArray *changed_files)
{
    GHashTableIter i;
    gpointer id;

    if (f->action != PLAN_RELOAD)
        return f->action;
    for (guint j = 0; f->restart_files && j < changed_files->len; j++)
        if (g_strv_contains((const char *const *) f->restart_files, changed_files->pdata[j]))
            return PLAN_RESTART;
    g_hash_table_iter_init(&i, changed);
    while (f->restart_on && g_hash_table_iter_next(&i, &id, NULL))
        for (char **pattern = f->restart_on; *pattern; pattern++)
            if (g_pattern_match_simple(*pattern, id))
                return PLAN_RESTART;
    return PLAN_RELOAD;
}

bool plan_reads(const plan *p, const char *id)
{
    for (guint i = 0; i < p->folders->len; i++) {
        const plan_folder *f = p->folders->pdata[i];
        if (g_hash_table_contains(f->keys, id))
            return true;
    }
    return false;
}

/* ---- rendering ---- */

typedef struct {
    const plan *p;
    const facts *values;
    char *conf_folder[2];
    GHashTable *lists;     /* FILE: key -> GStrv; built while rendering */
    GError *error;
    unsigned depth;
} lookup_context;

static const char *const *lookup(template_source source, const char *key, void *data);

static const char *const *lookup_list(lookup_context *c, const char *key)
{
    char **lines = g_hash_table_lookup(c->lists, key);
    const template *t = g_hash_table_lookup(c->p->lists, key);
    if (lines || !t || c->error)
        return (const char *const *) lines;
    if (c->depth > 4) {
        g_set_error(&c->error, PLAN_ERROR, PLAN_ERROR_TEMPLATE, "FILE:%s: lists refer to each other", key);
        return NULL;
    }
    c->depth++;
    g_autofree char *text = template_render(t, lookup, c, c->error ? NULL : &c->error);
    c->depth--;
    if (!text)
        return NULL;
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    g_auto(GStrv) all = g_strsplit(text, "\n", -1);
    for (char **l = all; *l; l++)
        if (*g_strstrip(*l))
            g_strv_builder_add(b, *l);
    lines = g_strv_builder_end(b);
    g_hash_table_insert(c->lists, g_strdup(key), lines);
    return (const char *const *) lines;
}

static const char *const *lookup(template_source source, const char *key, void *data)
{
    lookup_context *c = data;
    if (source == TEMPLATE_FILE)
        return lookup_list(c, key);
    if (source == TEMPLATE_VAR && g_str_equal(key, "conf_folder"))
        return (const char *const *) c->conf_folder;
    return facts_get(c->values, source, key);
}

char *plan_render(const plan *p, const layout *l, const plan_folder *folder, const plan_file *file, const facts *values, GError **error)
{
    g_autoptr(GHashTable) lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
    g_autofree char *conf_folder = g_build_filename(l->conf, folder->name, NULL);
    lookup_context c = { .p = p, .values = values, .conf_folder = { conf_folder, NULL }, .lists = lists };
    g_autoptr(GError) local = NULL;

    g_autofree char *text = template_render(file->parsed, lookup, &c, &local);
    if (c.error) {                       /* says more than "FILE has no value" */
        g_propagate_error(error, c.error);
        return NULL;
    }
    if (!text) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "%s/", folder->name);
        return NULL;
    }
    return g_steal_pointer(&text);
}
