/* See sampler.h. A slow collector's last table stays in metrics and sample file
 * until the next one; CSV and RRD get it once. */
#include "agents/stats/sampler.h"

#include <glib/gstdio.h>
#include <errno.h>
#include <string.h>

#include "agents/stats/csv.h"
#include "agents/stats/metrics.h"
#include "agents/stats/rrdsink.h"
#include "lib/journal/journal.h"

enum { COLLECTORS_MAX = 32 };

struct sampler {
    char *run, *rrd_folder;
    world world;
    char *queue, *import;
    const stats_config *config;
    void *states[COLLECTORS_MAX];
    sample_table *kept[COLLECTORS_MAX];     /* of slow ones */
    double next_slow;
    growth *growth;
    csv *csv;
    rrdsink *rrds;
    GHashTable *troubles;       /* what -> "": told */
    char *day;
};

sampler *sampler_new(const stats_paths *paths, const stats_config *config)
{
    sampler *s = g_new0(sampler, 1);
    g_autofree char *pages_folder = g_build_filename(paths->run, "pages", NULL);
    s->run = g_strdup(paths->run);
    s->rrd_folder = g_strdup(paths->rrds);
    s->queue = g_build_filename(paths->run, "queue", NULL);
    s->import = g_build_filename(paths->run, "import", NULL);
    s->world = (world) { .proc = paths->proc, .sys = paths->sys, .queue_socket = s->queue, .import_folder = s->import,
                         .pages = pages_new(pages_folder) };
    for (size_t i = 0; collectors[i]; i++) {
        g_assert(i < COLLECTORS_MAX);
        s->states[i] = g_malloc0(collectors[i]->state_size);
    }
    s->growth = growth_new();
    s->troubles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    sampler_configure(s, config);
    return s;
}

void sampler_configure(sampler *s, const stats_config *config)
{
    s->config = config;
    s->world.disk_excludes = config->disk_excludes;
    s->next_slow = 0;
    csv_free(s->csv);
    rrdsink_free(s->rrds);
    s->csv = csv_new(config->folder, config->retention_days);
    s->rrds = rrdsink_new(s->rrd_folder, config->interval_s, config->disk_interval_s);
}

void sampler_free(sampler *s)
{
    if (!s)
        return;
    for (size_t i = 0; collectors[i]; i++) {
        if (collectors[i]->clear)
            collectors[i]->clear(s->states[i]);
        g_free(s->states[i]);
        sample_table_free(s->kept[i]);
    }
    pages_free(s->world.pages);
    growth_free(s->growth);
    csv_free(s->csv);
    rrdsink_free(s->rrds);
    g_hash_table_unref(s->troubles);
    g_free(s->day);
    g_free(s->queue);
    g_free(s->import);
    g_free(s->rrd_folder);
    g_free(s->run);
    g_free(s);
}

/* ---- telling ---- */

/* PROBLEM NULL: it works. Each change is one record. */
static void tell(sampler *s, const char *what, const char *problem)
{
    bool told = g_hash_table_contains(s->troubles, what);
    if (problem && !told) {
        journal_warning("statistics: %s: %s", what, problem);
        g_hash_table_add(s->troubles, g_strdup(what));
    } else if (!problem && told) {
        journal_info("statistics: %s: works again", what);
        g_hash_table_remove(s->troubles, what);
    }
}

/* ---- collecting ---- */

static sample_table *collect(sampler *s, size_t i, gint64 time)
{
    const collector *c = collectors[i];
    sample_table *t = sample_table_new(c->group);
    t->time = time;
    t->fresh = true;
    int r = c->sample(s->states[i], &s->world, t);
    tell(s, c->group->name, r < 0 ? g_strerror(-r) : NULL);
    if (r < 0 || t->rows->len == 0)
        g_clear_pointer(&t, sample_table_free);
    else
        growth_take(s->growth, t);
    return t;
}

static void collect_slow(sampler *s, size_t i, gint64 time, bool due)
{
    if (due) {
        sample_table_free(s->kept[i]);
        s->kept[i] = collect(s, i, time);
    } else if (s->kept[i]) {
        s->kept[i]->fresh = false;
    }
}

/* TABLES borrows slow tables; OWNED has those that end with this sample. */
static void collect_all(sampler *s, gint64 time, GPtrArray *tables, GPtrArray *owned)
{
    bool slow_due = s->world.now >= s->next_slow;
    if (slow_due)
        s->next_slow = s->world.now + s->config->disk_interval_s - 0.5;     /* the timer is not exact */
    pages_refresh(s->world.pages);
    for (size_t i = 0; collectors[i]; i++) {
        sample_table *t;
        if (collectors[i]->slow) {
            collect_slow(s, i, time, slow_due);
            t = s->kept[i];
        } else if ((t = collect(s, i, time)) != NULL) {
            g_ptr_array_add(owned, t);
        }
        if (t)
            g_ptr_array_add(tables, t);
    }
    g_autoptr(GPtrArray) imported = import_read(s->world.import_folder);
    while (imported->len > 0) {
        sample_table *t = g_ptr_array_steal_index(imported, 0);
        t->time = time;
        t->fresh = true;
        growth_take(s->growth, t);
        g_ptr_array_add(owned, t);
        g_ptr_array_add(tables, t);
    }
}

/* ---- handing on ---- */

static void write_files(sampler *s, GPtrArray *tables)
{
    g_autoptr(GError) csv_error = NULL, rrd_error = NULL;
    for (guint i = 0; i < tables->len; i++) {
        const sample_table *t = tables->pdata[i];
        if (!t->fresh)
            continue;
        if (!csv_write(s->csv, t, csv_error ? NULL : &csv_error) && !csv_error)
            csv_error = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot be written");
        (void) rrdsink_write(s->rrds, t, rrd_error ? NULL : &rrd_error);
    }
    tell(s, "CSV files", csv_error ? csv_error->message : NULL);
    tell(s, "RRD files", rrd_error ? rrd_error->message : NULL);
}

static void write_sample(sampler *s, GPtrArray *tables, gint64 time)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = sample_file_text(tables, time), *path = g_build_filename(s->run, "sample", NULL);
    bool ok = g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error);
    tell(s, "sample file", ok ? NULL : error->message);
}

static void expire(sampler *s, gint64 time)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(time);
    g_autofree char *day = g_date_time_format(when, "%Y-%m-%d");
    if (s->day && g_str_equal(s->day, day))
        return;
    csv_expire(s->csv, time);
    g_free(s->day);
    s->day = g_steal_pointer(&day);
}

char *sampler_take(sampler *s, gint64 time, double monotonic, bool record)
{
    g_autoptr(GPtrArray) tables = g_ptr_array_new();
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func((GDestroyNotify) sample_table_free);
    s->world.now = monotonic;
    collect_all(s, time, tables, owned);
    if (record)
        write_files(s, tables);
    else
        s->next_slow = 0;
    write_sample(s, tables, time);
    expire(s, time);
    return metrics_text(tables);
}

void sampler_rotate(sampler *s)
{
    g_autoptr(GError) error = NULL;
    if (!csv_rotate(s->csv, &error))
        journal_error("CSV files cannot be rotated: %s", error->message);
}
