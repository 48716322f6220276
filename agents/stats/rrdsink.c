/* See rrdsink.h. */
#include "agents/stats/rrdsink.h"

#include <glib/gstdio.h>
#include <math.h>
#include <rrd.h>
#include <string.h>

#include "lib/series/series.h"

enum { FILES_MAX = 4096 };      /* labels come from the host, import names from files */

struct rrdsink {
    char *folder;
    unsigned step_s, slow_step_s;
    GHashTable *files;          /* set: known to be there, with our fields */
};

rrdsink *rrdsink_new(const char *folder, unsigned step_s, unsigned slow_step_s)
{
    rrdsink *r = g_new0(rrdsink, 1);
    *r = (rrdsink) { .folder = g_strdup(folder), .step_s = step_s, .slow_step_s = MAX(slow_step_s, step_s),
                 .files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) };
    return r;
}

void rrdsink_free(rrdsink *r)
{
    if (!r)
        return;
    g_hash_table_unref(r->files);
    g_free(r->folder);
    g_free(r);
}

static bool fail(GError **error, const char *path)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", path, rrd_get_error());
    rrd_clear_error();
    return false;
}

/* The names of all fields, as update's template. */
static char *template_of(const stat_group *g)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < g->n_fields; i++) {
        g_autofree char *source = series_source(g->fields[i].name);
        g_string_append_printf(s, "%s%s", i ? ":" : "", source);
    }
    return g_string_free(s, FALSE);
}

static bool create(const rrdsink *r, const char *path, const sample_table *t, GError **error)
{
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    const stat_group *g = t->group;
    for (size_t i = 0; i < g->n_fields; i++) {
        g_autofree char *source = series_source(g->fields[i].name);
        g_autofree char *text = g_strdup_printf("DS:%s:%s:%u:0:U", source, g->fields[i].kind == FIELD_COUNTER ? "ABSOLUTE" : "GAUGE",
                                                r->slow_step_s * 2);
        g_strv_builder_add(b, text);
    }
    g_auto(GStrv) archives = series_archives(r->step_s);
    g_strv_builder_addv(b, (const char **) archives);
    g_auto(GStrv) args = g_strv_builder_end(b);
    int argc = (int) g_strv_length(args);
    return rrd_create_r(path, r->step_s, t->time - 1, argc, (const char **) args) == 0 || fail(error, path);
}

/* All of GROUP's fields are in the file. */
static bool fits(const char *path, const stat_group *g)
{
    rrd_info_t *info = rrd_info_r(path);
    size_t found = 0;
    for (const rrd_info_t *i = info; i; i = i->next)
        for (size_t n = 0; n < g->n_fields; n++) {
            g_autofree char *source = series_source(g->fields[n].name), *key = g_strdup_printf("ds[%s].index", source);
            found += g_str_equal(i->key, key);
        }
    if (info)
        rrd_info_free(info);
    rrd_clear_error();
    return found == g->n_fields;
}

static bool ready(rrdsink *r, const char *path, const sample_table *t, GError **error)
{
    if (g_hash_table_contains(r->files, path))
        return true;
    if (g_hash_table_size(r->files) >= FILES_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "%s: there are %d series already; it is not kept", path, FILES_MAX);
        return false;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !fits(path, t->group)) {
        g_autofree char *aside = g_strdup_printf("%s.old", path);
        (void) g_rename(path, aside);   /* create() tells when it is still there and bad */
    }
    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !create(r, path, t, error))
        return false;
    g_hash_table_add(r->files, g_strdup(path));
    return true;
}

static char *values_of(const sample_table *t, const sample_row *row)
{
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "%" G_GINT64_FORMAT, t->time);
    for (size_t i = 0; i < t->group->n_fields; i++) {
        g_autofree char *text = sample_text(row->value[i]);
        g_string_append_printf(s, ":%s", *text ? text : "U");
    }
    return g_string_free(s, FALSE);
}

static bool write_row(rrdsink *r, const sample_table *t, const sample_row *row, const char *template, GError **error)
{
    g_autofree char *file = series_file(t->group->name, row->label), *path = g_build_filename(r->folder, file, NULL);
    if (!ready(r, path, t, error))
        return false;
    /* A clock that was set back: wait until it has caught up. */
    time_t last = rrd_last_r(path);
    if (last != (time_t) -1 && last >= t->time)
        return true;
    g_autofree char *values = values_of(t, row);
    const char *argv[] = { values };
    if (rrd_update_r(path, template, 1, argv) == 0)
        return true;
    g_hash_table_remove(r->files, path);     /* gone or changed under us: looked at again */
    return fail(error, path);
}

bool rrdsink_write(rrdsink *r, const sample_table *t, GError **error)
{
    g_autofree char *template = template_of(t->group);
    bool ok = true;
    for (guint n = 0; n < t->rows->len; n++)
        if (!write_row(r, t, t->rows->pdata[n], template, ok ? error : NULL))
            ok = false;
    return ok;
}
