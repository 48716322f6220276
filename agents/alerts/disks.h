/* How full the volumes are that hold the appliance: / and all below /opt/zimbra. */
#ifndef MAILSTEAD_ALERTS_DISKS_H
#define MAILSTEAD_ALERTS_DISKS_H

#include "agents/alerts/manager.h"

typedef struct disks disks;

disks *disks_new(manager *m);
void disks_free(disks *d);
/* Now, not only every minute. */
void disks_check(disks *d);

/* Level for a volume at PERCENT that was at LEVEL: 2 critical, 1 warning, 0. It
 * falls only when it is CLEAR_PERCENT below what raised it. */
enum { DISKS_CLEAR_PERCENT = 3 };
int disks_level(guint percent, int level, guint warn, guint critical);

typedef struct { char *volume, *device; } disks_mount;
/* Volumes to watch out of the text of /proc/self/mountinfo: writable, one of each
 * file system (that with the shortest path). The array owns them. */
GPtrArray *disks_mounts(const char *mountinfo, char **excludes);

#endif
