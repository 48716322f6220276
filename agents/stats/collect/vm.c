/* vm.csv: the columns of vmstat(8), then all of /proc/meminfo, then the load. */
#include <string.h>
#include <unistd.h>

#include "agents/stats/collect/all.h"
#include "agents/stats/collect/jiffies.h"

#define KB "kilobytes"

/* Names of /proc/meminfo, in its order; those a kernel does not have stay empty. */
#define MEMINFO \
    M("MemTotal", "Memory the kernel manages") M("MemFree", "Unused memory") \
    M("MemAvailable", "Memory that programs can get without swapping") M("Buffers", "Raw disk blocks cached") \
    M("Cached", "File pages cached") M("SwapCached", "Swapped pages that are in memory as well") \
    M("Active", "Recently used pages") M("Inactive", "Pages to be reclaimed first") \
    M("Active(anon)", "Active pages of programs") M("Inactive(anon)", "Inactive pages of programs") \
    M("Active(file)", "Active pages of files") M("Inactive(file)", "Inactive pages of files") \
    M("Unevictable", "Pages that cannot be reclaimed") M("Mlocked", "Locked pages") \
    M("SwapTotal", "Swap space") M("SwapFree", "Unused swap space") \
    M("Dirty", "Pages that wait to be written") M("Writeback", "Pages being written") \
    M("AnonPages", "Mapped pages of programs") M("Mapped", "Mapped pages of files") \
    M("Shmem", "Shared memory and tmpfs") M("KReclaimable", "Kernel memory that can be reclaimed") \
    M("Slab", "Kernel structures") M("SReclaimable", "Kernel structures that can be reclaimed") \
    M("SUnreclaim", "Kernel structures that cannot") M("KernelStack", "Stacks of the kernel") \
    M("PageTables", "Page tables") M("SecPageTables", "Page tables of virtual machines") \
    M("NFS_Unstable", "Pages sent to an NFS server, not yet durable there") M("Bounce", "Bounce buffers") \
    M("WritebackTmp", "Pages being written by FUSE") M("CommitLimit", "Memory that may be promised") \
    M("Committed_AS", "Memory that is promised") M("VmallocTotal", "Address space of vmalloc") \
    M("VmallocUsed", "Used address space of vmalloc") M("VmallocChunk", "Largest free part of it") \
    M("Percpu", "Memory for each processor") M("HardwareCorrupted", "Memory found faulty") \
    M("AnonHugePages", "Huge pages of programs") M("ShmemHugePages", "Huge pages of shared memory") \
    M("ShmemPmdMapped", "Those of them that are mapped") M("FileHugePages", "Huge pages of files") \
    M("FilePmdMapped", "Those of them that are mapped") M("Hugetlb", "Reserved huge pages") \
    M("DirectMap4k", "Memory mapped in 4 kB pages") M("DirectMap2M", "Memory mapped in 2 MB pages") \
    M("DirectMap1G", "Memory mapped in 1 GB pages")

#define M(name, help) { name, FIELD_GAUGE, KB, help, NULL },
static const stat_field fields[] = {
    { "r", FIELD_GAUGE, NULL, "Processes that run or wait to", "processes_running" },
    { "b", FIELD_GAUGE, NULL, "Processes that wait for a disk", "processes_blocked" },
    { "swpd", FIELD_GAUGE, KB, "Swap space in use", NULL },
    { "free", FIELD_GAUGE, KB, "Unused memory", NULL },
    { "buff", FIELD_GAUGE, KB, "Buffers", NULL },
    { "cache", FIELD_GAUGE, KB, "Page cache and reclaimable kernel structures", NULL },
    { "si", FIELD_GAUGE, NULL, "kB swapped in, a second", "swap_in_kilobytes_per_second" },
    { "so", FIELD_GAUGE, NULL, "kB swapped out, a second", "swap_out_kilobytes_per_second" },
    { "bi", FIELD_GAUGE, NULL, "kB read from disks, a second", "disk_in_kilobytes_per_second" },
    { "bo", FIELD_GAUGE, NULL, "kB written to disks, a second", "disk_out_kilobytes_per_second" },
    { "in", FIELD_GAUGE, NULL, "Interrupts a second", "interrupts_per_second" },
    { "cs", FIELD_GAUGE, NULL, "Context switches a second", "context_switches_per_second" },
    { "us", FIELD_GAUGE, "percent", "Time in programs, all processors", "user" },
    { "sy", FIELD_GAUGE, "percent", "Time in the kernel", "system" },
    { "id", FIELD_GAUGE, "percent", "Time with nothing to do", "idle" },
    { "wa", FIELD_GAUGE, "percent", "Time with nothing to do but wait for a disk", "iowait" },
    { "st", FIELD_GAUGE, "percent", "Time the hypervisor gave to others", "steal" },
    MEMINFO
    { "loadavg", FIELD_GAUGE, NULL, "Load average of one minute", NULL },
};
#undef M

enum { R, B, SWPD, FREE, BUFF, CACHE, SI, SO, BI, BO, IN, CS, US, SY, ID, WA, ST, FIRST_MEMINFO, LOAD = G_N_ELEMENTS(fields) - 1 };

typedef struct {
    bool had;
    jiffies cpu;
    double when, swap_in, swap_out, page_in, page_out, interrupts, switches;
} state;

/* The number after NAME and blanks at the start of a line; false: no such line. */
static bool number_of(char **lines, const char *name, double *ret)
{
    size_t len = strlen(name);
    for (size_t i = 0; lines[i]; i++)
        if (strncmp(lines[i], name, len) == 0 && (lines[i][len] == ' ' || lines[i][len] == ':')) {
            *ret = g_ascii_strtod(lines[i] + len + 1 + strspn(lines[i] + len + 1, " \t"), NULL);
            return true;
        }
    return false;
}

static void put_memory(const sample_table *t, sample_row *r, char **lines)
{
    double v, total = 0, unused = 0, cached = 0, reclaimable = 0;
    for (size_t i = FIRST_MEMINFO; i < LOAD; i++)
        if (number_of(lines, fields[i].name, &v))
            sample_put(t, r, i, v);
    if (number_of(lines, "SwapTotal", &total) && number_of(lines, "SwapFree", &unused))
        sample_put(t, r, SWPD, total - unused);
    if (number_of(lines, "MemFree", &v))
        sample_put(t, r, FREE, v);
    if (number_of(lines, "Buffers", &v))
        sample_put(t, r, BUFF, v);
    if (number_of(lines, "Cached", &cached)) {
        (void) number_of(lines, "SReclaimable", &reclaimable);
        sample_put(t, r, CACHE, cached + reclaimable);
    }
}

static void put_rate(const sample_table *t, sample_row *r, size_t field, char **lines, const char *name, double *last, double seconds, double factor)
{
    double now = *last;
    if (number_of(lines, name, &now) && seconds > 0)
        sample_put(t, r, field, world_rate(*last, now, seconds) * factor);
    *last = now;
}

static void put_processor(const sample_table *t, sample_row *r, state *s, char **lines)
{
    double share[JIFFIES_KINDS];
    char name[8];
    jiffies now;
    if (!lines[0] || !jiffies_parse(lines[0], name, sizeof name, &now))
        return;
    if (s->had && jiffies_share(&s->cpu, &now, share)) {
        sample_put(t, r, US, share[JIFFIES_USER] + share[JIFFIES_NICE]);
        sample_put(t, r, SY, share[JIFFIES_SYS] + share[JIFFIES_IRQ] + share[JIFFIES_SOFTIRQ]);
        sample_put(t, r, ID, share[JIFFIES_IDLE]);
        sample_put(t, r, WA, share[JIFFIES_IOWAIT]);
        sample_put(t, r, ST, share[JIFFIES_STEAL]);
    }
    s->cpu = now;
}

static char **lines_of(const char *proc, const char *name)
{
    g_autofree char *text = world_file(proc, name);
    return text ? g_strsplit(text, "\n", -1) : NULL;
}

static int sample(void *data, const world *w, sample_table *t)
{
    state *s = data;
    g_auto(GStrv) stat = lines_of(w->proc, "stat"), memory = lines_of(w->proc, "meminfo"), vm = lines_of(w->proc, "vmstat");
    g_autofree char *load = world_file(w->proc, "loadavg");
    if (!stat || !memory || !vm || !load)
        return -ENOENT;
    double seconds = s->had ? w->now - s->when : 0, v, page_kb = (double) sysconf(_SC_PAGESIZE) / 1024;
    sample_row *r = sample_add(t, NULL, NULL);
    put_processor(t, r, s, stat);
    if (number_of(stat, "procs_running", &v))
        sample_put(t, r, R, v);
    if (number_of(stat, "procs_blocked", &v))
        sample_put(t, r, B, v);
    put_rate(t, r, IN, stat, "intr", &s->interrupts, seconds, 1);
    put_rate(t, r, CS, stat, "ctxt", &s->switches, seconds, 1);
    put_rate(t, r, SI, vm, "pswpin", &s->swap_in, seconds, page_kb);
    put_rate(t, r, SO, vm, "pswpout", &s->swap_out, seconds, page_kb);
    put_rate(t, r, BI, vm, "pgpgin", &s->page_in, seconds, 1);
    put_rate(t, r, BO, vm, "pgpgout", &s->page_out, seconds, 1);
    put_memory(t, r, memory);
    sample_put(t, r, LOAD, g_ascii_strtod(load, NULL));
    s->had = true;
    s->when = w->now;
    return 0;
}

static const stat_group group = { .name = "vm", .help = "Memory, swapping and load, as vmstat and /proc/meminfo show them", .layout = CSV_WIDE,
                                  .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_vm = { .group = &group, .state_size = sizeof(state), .sample = sample };
