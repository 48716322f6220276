/* io.csv and io-x.csv: whole disks as iostat(1) and iostat -x show them, from
 * /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst; a sector
 * there is 512 bytes whatever the disk). Disks that never did anything are left
 * out, and so are loop devices, RAM disks and partitions. */
#include <stdio.h>
#include <string.h>

#include "agents/stats/collect/all.h"

typedef struct {
    double reads, read_merges, read_sectors, read_ms, writes, write_merges, write_sectors, write_ms, busy_ms, queue_ms;
} disk;

enum { DISKS_MAX = 256 };

typedef struct { GHashTable *last; double when; } state;     /* name -> disk */

/* ---- reading ---- */

static bool is_partition(const world *w, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/class/block/%s/partition", w->sys, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool parse(const char *line, char name[64], disk *ret)
{
    unsigned long long v[11];
    int n = sscanf(line, "%*u %*u %63s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", name,
                   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10]);
    if (n != 12)
        return false;
    *ret = (disk) { (double) v[0], (double) v[1], (double) v[2], (double) v[3], (double) v[4], (double) v[5], (double) v[6],
                    (double) v[7], (double) v[9], (double) v[10] };
    return true;
}

static bool is_wanted(const world *w, const char *name, const disk *d)
{
    return !g_str_has_prefix(name, "loop") && !g_str_has_prefix(name, "ram") && !strchr(name, ',') && d->reads + d->writes > 0 &&
           !is_partition(w, name);
}

typedef void (*disk_put)(const sample_table *t, sample_row *r, const disk *last, const disk *now, double seconds);

static void take(state *s, const world *w, sample_table *t, const char *line, disk_put put)
{
    char name[64];
    disk now;
    if (!parse(line, name, &now) || !is_wanted(w, name, &now) || t->rows->len >= DISKS_MAX)
        return;
    sample_row *r = sample_add(t, name, NULL);
    disk *last = g_hash_table_lookup(s->last, name);
    if (last && w->now > s->when)
        put(t, r, last, &now, w->now - s->when);
    if (!last) {
        last = g_new(disk, 1);
        g_hash_table_insert(s->last, g_strdup(name), last);
    }
    *last = now;
}

static int sample_disks(state *s, const world *w, sample_table *t, disk_put put)
{
    g_autofree char *text = world_file(w->proc, "diskstats");
    if (!text)
        return -ENOENT;
    if (!s->last)
        s->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        take(s, w, t, lines[i], put);
    s->when = w->now;
    return 0;
}

static void clear(void *data)
{
    g_clear_pointer(&((state *) data)->last, g_hash_table_unref);
}

/* ---- io ---- */

static const stat_field fields[] = {
    { "tps", FIELD_GAUGE, NULL, "Requests to the disk, a second", "requests_per_second" },
    { "kB_read/s", FIELD_GAUGE, NULL, "kB read, a second", "read_kilobytes_per_second" },
    { "kB_wrtn/s", FIELD_GAUGE, NULL, "kB written, a second", "written_kilobytes_per_second" },
    { "kB_read", FIELD_GAUGE, "kilobytes", "kB read since the last sample", "read" },
    { "kB_wrtn", FIELD_GAUGE, "kilobytes", "kB written since the last sample", "written" },
};

static void put_io(const sample_table *t, sample_row *r, const disk *last, const disk *now, double seconds)
{
    double read_kb = world_rate(last->read_sectors, now->read_sectors, 2), written_kb = world_rate(last->write_sectors, now->write_sectors, 2);
    double v[] = { world_rate(last->reads, now->reads, seconds) + world_rate(last->writes, now->writes, seconds),
                   read_kb / seconds, written_kb / seconds, read_kb, written_kb };
    for (size_t i = 0; i < G_N_ELEMENTS(v); i++)
        sample_put(t, r, i, v[i]);
}

static int sample(void *data, const world *w, sample_table *t)
{
    return sample_disks(data, w, t, put_io);
}

static const stat_group group = { .name = "io", .help = "Traffic of each disk", .layout = CSV_WIDE, .label = "device", .separator = ":",
                                  .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_io = { .group = &group, .state_size = sizeof(state), .sample = sample, .clear = clear };

/* ---- io-x ---- */

static const stat_field fields_x[] = {
    { "rrqm/s", FIELD_GAUGE, NULL, "Reads merged before they were sent, a second", "read_merges_per_second" },
    { "wrqm/s", FIELD_GAUGE, NULL, "Writes merged before they were sent, a second", "write_merges_per_second" },
    { "r/s", FIELD_GAUGE, NULL, "Reads a second", "reads_per_second" },
    { "w/s", FIELD_GAUGE, NULL, "Writes a second", "writes_per_second" },
    { "rkB/s", FIELD_GAUGE, NULL, "kB read, a second", "read_kilobytes_per_second" },
    { "wkB/s", FIELD_GAUGE, NULL, "kB written, a second", "written_kilobytes_per_second" },
    { "avgrq-sz", FIELD_GAUGE, "sectors", "Average size of a request, in sectors of 512 bytes", "request_size" },
    { "avgqu-sz", FIELD_GAUGE, NULL, "Average number of requests that wait", "queue_length" },
    { "await", FIELD_GAUGE, "milliseconds", "Average time of a request, waiting included", NULL },
    { "r_await", FIELD_GAUGE, "milliseconds", "The same of reads", "read_await" },
    { "w_await", FIELD_GAUGE, "milliseconds", "The same of writes", "write_await" },
    { "%util", FIELD_GAUGE, "percent", "Time in which the disk had work", "utilisation" },
};

static double per(double amount, double n)
{
    return n > 0 && amount > 0 ? amount / n : 0;
}

static void put_io_x(const sample_table *t, sample_row *r, const disk *last, const disk *now, double seconds)
{
    double reads = now->reads - last->reads, writes = now->writes - last->writes;
    double read_ms = now->read_ms - last->read_ms, write_ms = now->write_ms - last->write_ms;
    double sectors = now->read_sectors - last->read_sectors + now->write_sectors - last->write_sectors;
    double v[] = {
        world_rate(last->read_merges, now->read_merges, seconds), world_rate(last->write_merges, now->write_merges, seconds),
        world_rate(last->reads, now->reads, seconds), world_rate(last->writes, now->writes, seconds),
        world_rate(last->read_sectors, now->read_sectors, seconds) / 2, world_rate(last->write_sectors, now->write_sectors, seconds) / 2,
        per(sectors, reads + writes), world_rate(last->queue_ms, now->queue_ms, seconds) / 1000,
        per(read_ms + write_ms, reads + writes), per(read_ms, reads), per(write_ms, writes),
        MIN(100, world_rate(last->busy_ms, now->busy_ms, seconds) / 10),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(v); i++)
        sample_put(t, r, i, v[i]);
}

static int sample_x(void *data, const world *w, sample_table *t)
{
    return sample_disks(data, w, t, put_io_x);
}

static const stat_group group_x = { .name = "io-x", .help = "Load of each disk", .layout = CSV_WIDE, .label = "device", .separator = ":",
                                    .fields = fields_x, .n_fields = G_N_ELEMENTS(fields_x) };
const collector collect_io_x = { .group = &group_x, .state_size = sizeof(state), .sample = sample_x, .clear = clear };
