/* zmalertd's settings: conf/alerts/alerts.conf, rendered by zmconfigd from
 * localconfig and LDAP, so that zmalertd need not read the host's secrets. What
 * is missing or wrong has the guide's default. */
#ifndef MAILSTEAD_ALERTS_CONFIG_H
#define MAILSTEAD_ALERTS_CONFIG_H

#include <glib.h>
#include <stdbool.h>
#include "agents/alerts/windows.h"

#define ALERTS_CONFIG PREFIX "/conf/alerts/alerts.conf"

typedef struct {
    char *host;                 /* this host's name in the directory */
    bool notify;                /* mail at all */
    char *source, *destination; /* NULL: nobody to mail to */
    char *abuse_destination;    /* of authentication failures; NULL: DESTINATION */
    char **smtp_hosts;
    char *smtp_port;
    guint disk_warn, disk_critical;
    char **disk_excludes;       /* mount points or devices */
    guint window_s;
    guint thresholds[WINDOW_KINDS];
} alerts_config;

/* Never NULL; PROBLEM (may be NULL) gets what was wrong with the file, caller frees. */
alerts_config *alerts_config_load(const char *path, char **problem);
void alerts_config_free(alerts_config *c);

#endif
