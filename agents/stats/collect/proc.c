/* proc.csv: the processors as a whole, then each of the appliance's services: time,
 * memory and number of its processes. A process belongs to the service of its
 * unit, which its control group names. Time is percent of one processor: two busy
 * threads are 200. What a process used between the last sample and its end is
 * lost. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/stats/collect/all.h"
#include "agents/stats/collect/jiffies.h"

/* ---- proc: services ---- */

static const struct { const char *unit, *service; } units[] = {
    { "zimbra-mailbox-", "mailbox" }, { "zimbra-ldap.", "ldap" }, { "zimbra-postfix.", "postfix" }, { "zimbra-amavis.", "amavis" },
    { "zimbra-clamd.", "clam" }, { "zimbra-freshclam.", "clam" }, { "zimbra-stats", "zmstat" }, { "zimbra-nginx.", "nginx" },
    { "zimbra-memcached.", "memcached" }, { "zimbra-opendkim.", "opendkim" }, { "zimbra-auth.", "auth" }, { "zimbra-configd.", "zmconfigd" },
    { "zimbra-milter.", "milter" }, { "zimbra-route.", "route" }, { "zimbra-alerts.", "alerts" }, { "zimbra-logger", "logger" },
    { "zimbra-snmp", "snmp" },
};

/* Those the guide's file always has columns for come first, running or not. */
enum { ALWAYS = 6, SERVICES = G_N_ELEMENTS(units), PROCESSES_MAX = 65536 };

static const stat_field fields[] = {
    { "total-cpu", FIELD_GAUGE, "percent", "Processor time, of one processor", "cpu" },
    { "utime", FIELD_GAUGE, "percent", "That in programs", "user" },
    { "stime", FIELD_GAUGE, "percent", "That in the kernel", "system" },
    { "totalMB", FIELD_GAUGE, "megabytes", "Address space", "address_space" },
    { "rssMB", FIELD_GAUGE, "megabytes", "Resident memory, shared pages counted for each process", "resident" },
    { "sharedMB", FIELD_GAUGE, "megabytes", "The part of it that is shared", "shared" },
    { "process-count", FIELD_GAUGE, NULL, "Processes", "processes" },
};

typedef struct { unsigned long long started; double user, system; unsigned round; } process;
typedef struct { double user, system, size, resident, shared, count; } sums;

typedef struct {
    GHashTable *last;           /* pid -> process */
    unsigned round;
    double when;
} state;

static int service_of(const world *w, const char *pid)
{
    g_autofree char *name = g_strdup_printf("%s/cgroup", pid), *text = world_file(w->proc, name);
    for (const char *p = text; p && (p = strstr(p, "/zimbra-")) != NULL; p++)
        for (int i = 0; i < SERVICES; i++)
            if (g_str_has_prefix(p + 1, units[i].unit))
                return i;
    return -1;
}

static int first_of(const char *service)
{
    for (int i = 0; i < SERVICES; i++)
        if (g_str_equal(units[i].service, service))
            return i;
    return -1;
}

/* proc(5): pid (name) state ppid … ; a name may have blanks and brackets. */
static bool read_times(const world *w, const char *pid, process *ret)
{
    g_autofree char *name = g_strdup_printf("%s/stat", pid), *text = world_file(w->proc, name);
    const char *end = text ? strrchr(text, ')') : NULL;
    unsigned long long user, system;
    if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
                       &user, &system, &ret->started) != 3)
        return false;
    double tick = (double) sysconf(_SC_CLK_TCK);
    ret->user = (double) user / tick;
    ret->system = (double) system / tick;
    return true;
}

static void add_memory(const world *w, const char *pid, sums *s)
{
    g_autofree char *name = g_strdup_printf("%s/statm", pid), *text = world_file(w->proc, name);
    unsigned long long size, resident, shared;
    if (text && sscanf(text, "%llu %llu %llu", &size, &resident, &shared) == 3) {
        s->size += (double) size;
        s->resident += (double) resident;
        s->shared += (double) shared;
    }
}

static void take_process(state *st, const world *w, const char *pid, sums all[SERVICES])
{
    int i = service_of(w, pid);
    process now = { .round = st->round };
    if (i < 0 || !read_times(w, pid, &now))
        return;
    sums *s = &all[first_of(units[i].service)];
    gpointer key = GUINT_TO_POINTER(g_ascii_strtoull(pid, NULL, 10));
    process *last = g_hash_table_lookup(st->last, key);
    bool same = last && last->started == now.started;
    s->user += now.user - (same ? last->user : 0);
    s->system += now.system - (same ? last->system : 0);
    s->count++;
    add_memory(w, pid, s);
    if (!last) {
        last = g_new(process, 1);
        g_hash_table_insert(st->last, key, last);
    }
    *last = now;
}

static gboolean is_gone(gpointer key, gpointer value, gpointer data)
{
    return ((const process *) value)->round != *(const unsigned *) data;
}

static void put_service(sample_table *t, const char *name, const sums *s, double seconds)
{
    sample_row *r = sample_add(t, name, NULL);
    double mb = (double) sysconf(_SC_PAGESIZE) / (1024 * 1024);
    if (seconds > 0) {
        sample_put(t, r, 0, (s->user + s->system) * 100 / seconds);
        sample_put(t, r, 1, s->user * 100 / seconds);
        sample_put(t, r, 2, s->system * 100 / seconds);
    }
    sample_put(t, r, 3, s->size * mb);
    sample_put(t, r, 4, s->resident * mb);
    sample_put(t, r, 5, s->shared * mb);
    sample_put(t, r, 6, s->count);
}

static int sample(void *data, const world *w, sample_table *t)
{
    state *s = data;
    sums all[SERVICES] = { 0 };
    g_autoptr(GDir) dir = g_dir_open(w->proc, 0, NULL);
    if (!dir)
        return -ENOENT;
    if (!s->last)
        s->last = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    s->round++;
    const char *pid;
    for (unsigned n = 0; n < PROCESSES_MAX && (pid = g_dir_read_name(dir)); n++)
        if (g_ascii_isdigit(*pid))
            take_process(s, w, pid, all);
    double seconds = s->when > 0 ? w->now - s->when : 0;
    for (int i = 0; i < SERVICES; i++)
        if ((i <= ALWAYS || all[i].count > 0) && first_of(units[i].service) == i)
            put_service(t, units[i].service, &all[i], seconds);
    (void) g_hash_table_foreach_remove(s->last, is_gone, &s->round);
    s->when = w->now;
    return 0;
}

static void clear(void *data)
{
    g_clear_pointer(&((state *) data)->last, g_hash_table_unref);
}

static const stat_group group = { .name = "proc", .help = "Each service's processes", .layout = CSV_WIDE, .label = "service", .separator = "-",
                                  .names_row = true, .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_proc = { .group = &group, .state_size = sizeof(state), .sample = sample, .clear = clear };
