/* df.csv: each file system that is on a disk or below /opt/zimbra, once, by its
 * shortest mount point: the unit's sandbox shows bind mounts that are not the
 * host's. What is read-only in itself cannot fill up and is left out. */
#include <string.h>
#include <sys/statvfs.h>

#include "agents/stats/collect/all.h"

static const stat_field fields[] = {
    { "disk_use", FIELD_GAUGE, "megabytes", "Space in use", "used" },
    { "disk_space", FIELD_GAUGE, "megabytes", "Space in use or free for programs", "size" },
    { "disk_pct_used", FIELD_GAUGE, "percent", "Space in use, as df counts", "used" },
};

enum { USE, SPACE, PERCENT, MOUNTS_MAX = 256 };

typedef struct { char *path, *device; } volume;

static void volume_free(void *data)
{
    volume *v = data;
    g_free(v->path);
    g_free(v->device);
    g_free(v);
}

static bool is_wanted(const char *path, const char *type, const char *device, const char *options, char **excludes)
{
    g_auto(GStrv) list = g_strsplit(options, ",", -1);
    const char *const *out = (const char *const *) excludes;
    bool ours = g_str_equal(path, "/") || g_str_has_prefix(path, PREFIX);
    if (g_str_equal(type, "tmpfs") || g_str_equal(type, "ramfs") || g_str_has_prefix(path, "/run/"))
        return false;           /* memory; and what the sandbox hides lies under one */
    if (strpbrk(path, ",\n\"") || (out && (g_strv_contains(out, path) || g_strv_contains(out, device))))
        return false;
    return (ours || g_str_has_prefix(device, "/dev/")) && !g_strv_contains((const char *const *) list, "ro");
}

/* proc(5): id parent major:minor root mount-point options optional… - type source super-options */
static void take_line(GHashTable *found, const char *line, char **excludes)
{
    g_auto(GStrv) f = g_strsplit(line, " ", -1);
    guint n = g_strv_length(f), dash = 6;
    while (dash < n && !g_str_equal(f[dash], "-"))
        dash++;
    if (n < 10 || dash + 3 >= n)
        return;
    g_autofree char *path = g_strcompress(f[4]), *device = g_strcompress(f[dash + 2]);
    const volume *other = g_hash_table_lookup(found, f[2]);
    if (!is_wanted(path, f[dash + 1], device, f[dash + 3], excludes) || (other && strlen(other->path) <= strlen(path)))
        return;
    volume *v = g_new0(volume, 1);
    *v = (volume) { g_steal_pointer(&path), g_steal_pointer(&device) };
    g_hash_table_replace(found, g_strdup(f[2]), v);
}

static int by_path(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const volume *const *) a)->path, (*(const volume *const *) b)->path);
}

static void put(sample_table *t, const volume *v)
{
    struct statvfs s;
    if (statvfs(v->path, &s) < 0 || s.f_blocks == 0)
        return;
    double unit = (double) s.f_frsize / (1024 * 1024), used = (double) (s.f_blocks - s.f_bfree), all = used + (double) s.f_bavail;
    sample_row *r = sample_add(t, v->path, v->device);
    sample_put(t, r, USE, used * unit);
    sample_put(t, r, SPACE, all * unit);
    sample_put(t, r, PERCENT, all > 0 ? used * 100 / all : 100);
}

static int sample(void *state, const world *w, sample_table *t)
{
    g_autofree char *text = world_file(w->proc, "self/mountinfo");
    if (!text)
        return -ENOENT;
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, volume_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        take_line(found, lines[i], w->disk_excludes);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GHashTableIter i;
    gpointer v;
    for (g_hash_table_iter_init(&i, found); g_hash_table_iter_next(&i, NULL, &v); )
        g_ptr_array_add(all, v);
    g_ptr_array_sort(all, by_path);
    for (guint n = 0; n < all->len && n < MOUNTS_MAX; n++)
        put(t, all->pdata[n]);
    return 0;
}

static const stat_group group = { .name = "df", .help = "Space of each file system", .layout = CSV_LONG, .label = "path", .note = "disk",
                                  .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_df = { .group = &group, .state_size = 1, .sample = sample, .slow = true };
