/* See disks.h. The sandbox of the unit shows this program bind mounts that are not
 * the host's; they are the same file system as something with a shorter path.
 * Whether a mount is read-only is taken from the file system, not from the
 * mount, for the same reason. */
#include "agents/alerts/disks.h"

#include <string.h>
#include <sys/statvfs.h>
#include "lib/journal/journal.h"

#define ROOT_OF_ALL "/opt/zimbra"
enum { CHECK_S = 60 };

struct disks {
    manager *m;
    sd_event_source *timer;
};

static void mount_free(void *data)
{
    disks_mount *m = data;
    g_free(m->volume);
    g_free(m->device);
    g_free(m);
}

static bool has_option(const char *options, const char *option)
{
    g_auto(GStrv) list = g_strsplit(options, ",", -1);
    return g_strv_contains((const char *const *) list, option);
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
    if (n < 10 || dash + 3 >= n)
        return;
    g_autofree char *path = g_strcompress(f[4]), *device = g_strcompress(f[dash + 2]);
    if (!is_ours(path) || has_option(f[dash + 3], "ro"))
        return;
    if (g_strv_contains((const char *const *) excludes, path) || g_strv_contains((const char *const *) excludes, device))
        return;
    const disks_mount *other = g_hash_table_lookup(found, f[2]);
    if (other && strlen(other->volume) <= strlen(path))
        return;
    disks_mount *m = g_new0(disks_mount, 1);
    *m = (disks_mount) { .volume = g_steal_pointer(&path), .device = g_steal_pointer(&device) };
    g_hash_table_replace(found, g_strdup(f[2]), m);
}

GPtrArray *disks_mounts(const char *mountinfo, char **excludes)
{
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *list = g_ptr_array_new_with_free_func(mount_free);
    g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);
    GHashTableIter i;
    gpointer m;
    for (size_t l = 0; lines[l]; l++)
        take_line(found, lines[l], excludes);
    for (g_hash_table_iter_init(&i, found); g_hash_table_iter_next(&i, NULL, &m); )
        g_ptr_array_add(list, m);
    return list;
}

int disks_level(guint percent, int level, guint warn, guint critical)
{
    int now = percent >= critical ? 2 : percent >= warn ? 1 : 0;
    if (now >= level)
        return now;
    if (level == 2 && percent + DISKS_CLEAR_PERCENT > critical)
        return 2;
    return now == 0 && percent + DISKS_CLEAR_PERCENT > warn ? 1 : now;
}

/* As df counts: what root alone may use is not there. */
static bool percent_used(const char *path, guint *ret)
{
    struct statvfs v;
    if (statvfs(path, &v) < 0 || v.f_blocks == 0)
        return false;
    guint64 used = v.f_blocks - v.f_bfree, all = used + v.f_bavail;
    *ret = all == 0 ? 100 : (guint) ((used * 100 + all - 1) / all);
    return true;
}

static void check_volume(disks *d, const disks_mount *v)
{
    static const char *const ids[] = { "disk-ok", "disk-warning", "disk-critical" };
    const alerts_config *c = manager_config(d->m);
    guint percent;
    if (!percent_used(v->volume, &percent))
        return;
    g_autofree char *condition = g_strdup_printf("disk %s", v->volume), *text = g_strdup_printf("%u", percent);
    int before = manager_level(d->m, condition), now = disks_level(percent, before, c->disk_warn, c->disk_critical);
    if (now != before)
        manager_raise(d->m, ids[now], "VOLUME", v->volume, "DEVICE", v->device, "PERCENT", text, NULL);
}

/* A volume that is gone is full no more. */
static void forget_gone(disks *d, GPtrArray *list)
{
    g_auto(GStrv) on = conditions_keys(manager_conditions(d->m), "disk ");
    for (size_t i = 0; on[i]; i++) {
        bool there = false;
        for (guint n = 0; n < list->len; n++)
            there = there || g_str_equal(on[i] + strlen("disk "), ((disks_mount *) list->pdata[n])->volume);
        if (!there && conditions_take(manager_conditions(d->m), on[i], 0, 0, 0))
            manager_state_changed(d->m);
    }
}

void disks_check(disks *d)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, &error)) {
        journal_error("volumes cannot be watched: %s", error->message);
        return;
    }
    g_autoptr(GPtrArray) list = disks_mounts(text, manager_config(d->m)->disk_excludes);
    for (guint i = 0; i < list->len; i++)
        check_volume(d, list->pdata[i]);
    forget_gone(d, list);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    disks_check(data);
    int r = sd_event_source_set_time_relative(s, CHECK_S * UINT64_C(1000000));
    return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

disks *disks_new(manager *m)
{
    disks *d = g_new0(disks, 1);
    d->m = m;
    int r = sd_event_add_time(manager_event(m), &d->timer, CLOCK_MONOTONIC, 0, 0, on_timer, d);
    g_assert(r >= 0);
    return d;
}

void disks_free(disks *d)
{
    if (!d)
        return;
    sd_event_source_disable_unref(d->timer);
    g_free(d);
}
