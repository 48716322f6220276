/* conf/snmp/snmpagent.conf: a key file with one section [snmpagent]; keys:
 * zmsnmpagent(8). */
#ifndef MAILSTEAD_SNMP_CONFIG_H
#define MAILSTEAD_SNMP_CONFIG_H

#include <glib.h>
#include <stdbool.h>

#define SNMPAGENT_CONFIG PREFIX "/conf/snmp/snmpagent.conf"

typedef struct {
    char *host;
    bool notify;                /* alerts go out as notifications */
    gint64 disk_warn, disk_critical;
    char **disk_excludes;       /* mount points and devices */
} snmpagent_config;

/* A file that cannot be read or a value that is none gives the default;
 * *RET_PROBLEM (caller frees) says so, else NULL. */
snmpagent_config *snmpagent_config_load(const char *path, char **ret_problem);
void snmpagent_config_free(snmpagent_config *c);

#endif
