/* cpu.csv: what each processor's time went to, percent of its time since the last
 * sample (proc(5), /proc/stat). */
#include <stdio.h>
#include <string.h>

#include "agents/stats/collect/all.h"
#include "agents/stats/collect/jiffies.h"

static const stat_field fields[] = {
    { "user", FIELD_GAUGE, "percent", "Time in programs", NULL },
    { "nice", FIELD_GAUGE, "percent", "Time in programs of low priority", NULL },
    { "sys", FIELD_GAUGE, "percent", "Time in the kernel", NULL },
    { "idle", FIELD_GAUGE, "percent", "Time with nothing to do", NULL },
    { "iowait", FIELD_GAUGE, "percent", "Time with nothing to do but wait for a disk", NULL },
    { "irq", FIELD_GAUGE, "percent", "Time in interrupts", NULL },
    { "softirq", FIELD_GAUGE, "percent", "Time in soft interrupts", NULL },
    { "steal", FIELD_GAUGE, "percent", "Time the hypervisor gave to others", NULL },
};

enum { CPUS_MAX = 1024 };

typedef struct { GHashTable *last; } state;     /* "cpu0" -> jiffies */

static void take(state *s, sample_table *t, const char *line)
{
    char name[16];
    jiffies now;
    if (!jiffies_parse(line, name, sizeof name, &now) || g_str_equal(name, "cpu") || t->rows->len >= CPUS_MAX)
        return;
    sample_row *r = sample_add(t, name, NULL);
    jiffies *last = g_hash_table_lookup(s->last, name);
    double share[JIFFIES_KINDS];
    if (last && jiffies_share(last, &now, share))
        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
            sample_put(t, r, i, share[i]);
    if (!last) {
        last = g_new(jiffies, 1);
        g_hash_table_insert(s->last, g_strdup(name), last);
    }
    *last = now;
}

static int sample(void *data, const world *w, sample_table *t)
{
    state *s = data;
    g_autofree char *text = world_file(w->proc, "stat");
    if (!text)
        return -ENOENT;
    if (!s->last)
        s->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] && g_str_has_prefix(lines[i], "cpu"); i++)
        take(s, t, lines[i]);
    return 0;
}

static void clear(void *data)
{
    g_clear_pointer(&((state *) data)->last, g_hash_table_unref);
}

static const stat_group group = { .name = "cpu", .help = "Use of each processor", .layout = CSV_WIDE, .label = "cpu", .separator = ":",
                                  .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_cpu = { .group = &group, .state_size = sizeof(state), .sample = sample, .clear = clear };
