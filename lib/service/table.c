/* The one table of services: names as in zimbraServiceEnabled, the unit that
 * stands for each, its parts, and the start order of Guide ch. 5 (zmcontrol).
 * Names whose programs this release does not have yet have no row.
 *
 * Parts repeat what the targets in units/ want; tests/unit/service compares
 * the two. */
#include "lib/service/service.h"

#define PARTS(...) ((const char *const[]) { __VA_ARGS__, NULL })

static const service_def table[] = {
    { .name = "ldap", .unit = "zimbra-ldap.service", .order = 0, .counted = true,
      .parts = PARTS("zimbra-ldap.service") },
    { .name = "zmconfigd", .unit = "zimbra-configd.service", .order = 10, .always = true, .counted = true,
      .parts = PARTS("zimbra-configd.service") },
    { .name = "alerts", .unit = "zimbra-alerts.service", .order = 15, .always = true,
      .parts = PARTS("zimbra-alerts.service") },
    { .name = "logger", .unit = "zimbra-logger.service", .order = 30,
      .parts = PARTS("zimbra-logger.service") },
    { .name = "mailbox", .unit = "zimbra-mailbox.target", .order = 50, .counted = true,
      .parts = PARTS("zimbra-auth.service", "zimbra-mailbox-shard@0.service",
                     "zimbra-mailbox-intake@1.service", "zimbra-mailbox-login@1.service") },
    { .name = "memcached", .unit = "zimbra-memcached.service", .order = 60, .counted = true,
      .parts = PARTS("zimbra-memcached.service") },
    { .name = "proxy", .unit = "zimbra-proxy.target", .order = 70, .counted = true,
      .parts = PARTS("zimbra-auth.service", "zimbra-route.service", "zimbra-nginx.service") },
    { .name = "antispam", .unit = "zimbra-antispam.target", .order = 80, .counted = true,
      .parts = PARTS("zimbra-amavis.service") },
    { .name = "antivirus", .unit = "zimbra-antivirus.target", .order = 90, .counted = true,
      .parts = PARTS("zimbra-clamd.service", "zimbra-freshclam.service", "zimbra-amavis.service") },
    { .name = "opendkim", .unit = "zimbra-opendkim.service", .order = 100, .counted = true,
      .parts = PARTS("zimbra-opendkim.service") },
    { .name = "snmp", .unit = "zimbra-snmp.target", .order = 130,
      .parts = PARTS("zimbra-snmpd.service", "zimbra-snmpagent.service") },
    { .name = "milter", .unit = "zimbra-milter.service", .order = 140, .counted = true,
      .parts = PARTS("zimbra-milter.service") },
    { .name = "mta", .unit = "zimbra-mta.target", .order = 150, .counted = true,
      .parts = PARTS("zimbra-auth.service", "zimbra-milter.service", "zimbra-postfix.service") },
    { .name = "stats", .unit = "zimbra-stats.service", .order = 160, .counted = true,
      .parts = PARTS("zimbra-stats.service") },
};

const service_def *service_table(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(table);
    return table;
}

const service_def *service_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_str_equal(table[i].name, name))
            return &table[i];
    return NULL;
}

G_DEFINE_QUARK(mailstead-service-error, service_error)
