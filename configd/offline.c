/* One run without a loop, and rendering without a running system. */
#include "configd/offline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sysexits.h>

#include "configd/collect.h"
#include "configd/derived.h"
#include "lib/directory/directory.h"
#include "lib/journal/journal.h"
#include "lib/localconfig/localconfig.h"
#include "lib/schema/schema.h"

int offline_once(engine *e, const char *localconfig_path)
{
    g_autoptr(GError) error = NULL, apply_error = NULL;
    collector *c = collector_new(localconfig_path);
    facts *values = engine_recover(e, &error) ? collector_read(c, engine_plan(e), NULL, NULL, &error) : NULL;
    bool ok = values && engine_update(e, values, NULL, "once", &error);

    if (values && !engine_apply(e, &apply_error)) {
        journal_error("%s", apply_error->message);
        ok = false;
    }
    collector_free(c);
    if (error)
        journal_error("%s", error->message);
    return ok ? EX_OK : error && error->domain == DIRECTORY_ERROR ? EX_UNAVAILABLE : EX_CONFIG;
}

/* ---- without a directory ---- */

static void add_defaults(facts *f)
{
    size_t n;
    const attr_def *attrs = schema_attrs(&n);
    for (size_t i = 0; i < n; i++)
        if (attrs[i].global_default)
            facts_set(f, TEMPLATE_VAR, attrs[i].name, attrs[i].global_default);
    g_autoptr(localconfig) lc = localconfig_load("/dev/null/none", NULL);
    g_auto(GStrv) keys = lc ? localconfig_keys(lc, false) : NULL;
    for (char **k = keys; k && *k; k++) {
        const char *value = localconfig_get(lc, *k);
        if (value)
            facts_set_one(f, TEMPLATE_LOCAL, *k, value);
    }
}

static const char *const no_networks[] = { "127.0.0.0/8", "[::1]/128", NULL };

static facts *read_facts(const char *path, char **settings, bool *ret_all, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return NULL;
    g_autoptr(facts) given = facts_parse(path, text, error);
    if (!given)
        return NULL;
    g_autoptr(facts) f = facts_new();
    add_defaults(f);
    g_autoptr(GHashTable) ids = facts_diff(NULL, given);
    GHashTableIter i;
    gpointer id;
    *ret_all = true;
    g_hash_table_iter_init(&i, ids);
    while (g_hash_table_iter_next(&i, &id, NULL)) {
        template_source source;
        const char *key;
        (void) facts_parse_id(id, &source, &key);   /* ids of a table are well-formed */
        facts_set(f, source, key, facts_get(given, source, key));
        if (source == TEMPLATE_SERVICE)
            *ret_all = false;
    }
    if (!collect_settings(f, settings, error))
        return NULL;
    derived_compute(f, no_networks);
    return g_steal_pointer(&f);
}

static bool write_folder(const plan *p, const layout *l, const plan_folder *folder, const char *dir, const facts *f, GError **error)
{
    if (folder->broken) {
        g_propagate_error(error, g_error_copy(folder->broken));
        return false;
    }
    for (guint i = 0; i < folder->files->len; i++) {
        const plan_file *file = folder->files->pdata[i];
        g_autofree char *path = g_build_filename(dir, folder->name, file->name, NULL), *parent = g_path_get_dirname(path);
        g_autofree char *text = plan_render(p, l, folder, file, f, error);
        if (!text)
            return false;
        if (g_mkdir_with_parents(parent, 0755) < 0) {
            g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", parent, g_strerror(errno));
            return false;
        }
        if (!g_file_set_contents(path, text, -1, error))
            return false;
    }
    return true;
}

bool offline_render(const layout *l, const char *dir, const char *facts_file, GError **error)
{
    g_autoptr(plan) p = plan_load(l, error);
    bool all = true;
    g_autoptr(facts) f = p ? read_facts(facts_file, NULL, &all, error) : NULL;
    if (!f)
        return false;
    for (guint i = 0; i < p->folders->len; i++) {
        const plan_folder *folder = p->folders->pdata[i];
        if ((all || plan_folder_wanted(folder, f)) && !write_folder(p, l, folder, dir, f, error))
            return false;
    }
    return true;
}

/* ---- one service's files ---- */

/* What this host's last run saw; NULL: unknown. */
static facts *last_values(const layout *l, const offline_question *q)
{
    g_autofree char *path = g_build_filename(l->state, "values", NULL), *text = NULL;
    if (q->server || !g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    return facts_parse(path, text, NULL);
}

static facts *default_values(const offline_question *q, GError **error)
{
    g_autoptr(facts) f = facts_new();
    char host[256] = "localhost";
    (void) gethostname(host, sizeof host - 1);   /* too long a name: cut */
    add_defaults(f);
    facts_set_one(f, TEMPLATE_VAR, "zimbraServerName", q->server ? q->server : host);
    facts_set_one(f, TEMPLATE_VAR, "zimbraServiceHostname", q->server ? q->server : host);
    facts_set_one(f, TEMPLATE_LOCAL, "zimbra_server_hostname", q->server ? q->server : host);
    if (!collect_settings(f, q->settings, error))
        return NULL;
    derived_compute(f, no_networks);
    return g_steal_pointer(&f);
}

static facts *values_for(const layout *l, const plan *p, const offline_question *q, GError **error)
{
    g_autoptr(GError) away = NULL;
    bool all;
    if (q->facts_file)
        return read_facts(q->facts_file, q->settings, &all, error);
    collector *c = collector_new(NULL);
    g_autoptr(facts) f = collector_read(c, p, q->server, q->settings, &away);
    collector_free(c);
    if (f)
        return g_steal_pointer(&f);
    if (g_error_matches(away, DIRECTORY_ERROR, DIRECTORY_ERROR_NO_SUCH)) {
        g_propagate_error(error, g_steal_pointer(&away));
        return NULL;
    }
    f = last_values(l, q);
    fprintf(stderr, "%s; shown with %s\n", away->message, f ? "the values of this host's last run" : "built-in defaults");
    if (!f)
        return default_values(q, error);
    return collect_settings(f, q->settings, error) ? g_steal_pointer(&f) : NULL;
}

bool offline_show(const layout *l, const offline_question *q, GError **error)
{
    g_autoptr(plan) p = plan_load(l, error);
    g_autoptr(facts) f = p ? values_for(l, p, q, error) : NULL;
    g_autofree char *text = f ? engine_show(p, l, q->name, f, error) : NULL;
    if (!text)
        return false;
    fputs(text, stdout);
    if (fflush(stdout) == 0)
        return true;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "standard output: %s", g_strerror(errno));
    return false;
}
