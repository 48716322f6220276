/* fd.csv: open files of the host (proc(5), file-nr) and of the mail store. */
#include <stdio.h>

#include "agents/stats/collect/all.h"

static const stat_field fields[] = {
    { "fd_count", FIELD_GAUGE, NULL, "Open files of the whole host", "open" },
    { "mailboxd_fd_count", FIELD_GAUGE, NULL, "Descriptors of the mail store's processes", "mailboxd_open" },
    { "fd_max", FIELD_GAUGE, NULL, "Open files the kernel allows", "max" },
};

static int sample(void *state, const world *w, sample_table *t)
{
    static const char *const store[] = { "zmmailboxd-shard", "zmmailboxd-login", "zmmailboxd-intake" };
    g_autofree char *text = world_file(w->proc, "sys/fs/file-nr");
    unsigned long long used, spare, most;
    if (!text || sscanf(text, "%llu %llu %llu", &used, &spare, &most) != 3)
        return -ENOENT;
    sample_row *r = sample_add(t, NULL, NULL);
    sample_put(t, r, 0, (double) used - (double) spare);
    sample_put(t, r, 2, (double) most);
    double all = 0, one;
    bool any = false;
    for (size_t i = 0; i < G_N_ELEMENTS(store); i++)
        if (pages_gauge(w->pages, store[i], "open_descriptors", &one)) {
            all += one;
            any = true;
        }
    if (any)
        sample_put(t, r, 1, all);
    return 0;
}

static const stat_group group = { .name = "fd", .help = "Open files", .layout = CSV_WIDE, .fields = fields, .n_fields = G_N_ELEMENTS(fields) };
const collector collect_fd = { .group = &group, .state_size = 1, .sample = sample };
