/* The check of free space before a start (zimbra_disk_threshold, in MB). */
#include <sys/statvfs.h>

#include "cli/zmcontrol/zmcontrol.h"

static const char *const places[] = {
    PREFIX, PREFIX "/store", PREFIX "/db", PREFIX "/index", PREFIX "/redolog", PREFIX "/logger",
    "/var/spool/postfix",
};

void disk_warn(localconfig *lc)
{
    gint64 threshold_mb = localconfig_get_int(lc, "zimbra_disk_threshold", 100);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        struct statvfs st;
        if (statvfs(places[i], &st) < 0)
            continue;   /* not every host has every place */
        guint64 free_mb = (guint64) st.f_bavail * st.f_frsize / (1024 * 1024);
        if (free_mb < (guint64) MAX(threshold_mb, 0))
            g_print("\tWARNING: %s has %" G_GUINT64_FORMAT " MB left, less than zimbra_disk_threshold (%"
                    G_GINT64_FORMAT " MB).\n", places[i], free_mb, threshold_mb);
    }
}
