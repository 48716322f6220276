/* Volumes at / and below /opt/zimbra. What the unit's sandbox mounts besides (its
 * writable folders, the cover of a forbidden file) is the same file system as
 * something with a shorter path; of one file system the shortest counts. */
#include "agents/snmp/facts.h"

#include <string.h>
#include <sys/statvfs.h>

#define ROOT_OF_ALL "/opt/zimbra"
enum { MEBIBYTE = 1 << 20 };

typedef struct { char *path, *device; } volume;

static void volume_free(void *data)
{
    volume *v = data;
    g_free(v->path);
    g_free(v->device);
    g_free(v);
}

static bool is_ours(const char *path)
{
    return g_str_equal(path, "/") || g_str_equal(path, ROOT_OF_ALL) || g_str_has_prefix(path, ROOT_OF_ALL "/");
}

/* proc(5): id parent major:minor root mount-point options optional… - type source super-options */
static void take_line(GHashTable *found, const char *line, char **excludes)
{
    g_auto(GStrv) f = g_strsplit(line, " ", -1);
    guint n = g_strv_length(f), dash = 6;
    while (dash < n && !g_str_equal(f[dash], "-"))
        dash++;
    if (dash + 3 >= n)
        return;
    g_auto(GStrv) options = g_strsplit(f[dash + 3], ",", -1);
    g_autofree char *path = g_strcompress(f[4]), *device = g_strcompress(f[dash + 2]);
    const char *const *no = (const char *const *) excludes;
    /* The mount's own options are the sandbox's; the file system's tell. */
    if (g_strv_contains((const char *const *) options, "ro") || g_strv_contains(no, path) || g_strv_contains(no, device))
        return;
    const volume *other = g_hash_table_lookup(found, f[2]);
    if (other && strlen(other->path) <= strlen(path))
        return;
    volume *v = g_new0(volume, 1);
    *v = (volume) { .path = g_steal_pointer(&path), .device = g_steal_pointer(&device) };
    g_hash_table_replace(found, g_strdup(f[2]), v);
}

static void add_volume(facts *f, const volume *v, guint index, const snmpagent_config *c)
{
    struct statvfs s;
    if (statvfs(v->path, &s) < 0 || s.f_blocks == 0)
        return;
    guint64 used = s.f_blocks - s.f_bfree, all = used + s.f_bavail;
    gint64 percent = all == 0 ? 100 : (gint64) ((used * 100 + all - 1) / all);
    record *r = record_new();
    record_set_number(r, "INDEX", index);
    record_set(r, "PATH", v->path);
    record_set(r, "DEVICE", v->device);
    record_set_number(r, "SIZE", (gint64) (s.f_blocks * s.f_frsize / MEBIBYTE));
    record_set_number(r, "FREE", (gint64) (s.f_bavail * s.f_frsize / MEBIBYTE));
    record_set_number(r, "USED_PERCENT", percent);
    record_set_number(r, "STATE", percent >= c->disk_critical ? 3 : percent >= c->disk_warn ? 2 : 1);
    facts_add(f, GROUP_DISK, r);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp((*(volume *const *) a)->path, (*(volume *const *) b)->path);
}

void disks_collect(facts *f, const char *mountinfo, const snmpagent_config *c)
{
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, volume_free);
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autofree char *text = NULL;
    if (!g_file_get_contents(mountinfo, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        take_line(found, lines[i], c->disk_excludes);
    GHashTableIter i;
    gpointer v;
    for (g_hash_table_iter_init(&i, found); g_hash_table_iter_next(&i, NULL, &v); )
        if (is_ours(((volume *) v)->path))
            g_ptr_array_add(sorted, v);
    g_ptr_array_sort(sorted, compare_paths);
    for (guint n = 0; n < sorted->len; n++)
        add_volume(f, sorted->pdata[n], n + 1, c);
}
