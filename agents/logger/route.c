/* See route.h. A rule names where an entry came from, as journald knows it: a unit
 * (or the beginning of its name) or a syslog facility. Audit records are believed
 * from zmauthd's unit and from root and zimbra, who administrate. */
#include "agents/logger/route.h"

#include <pwd.h>
#include <syslog.h>

enum { FILE_ZIMBRA, FILE_STATS, FILE_MAILBOX, FILE_AUDIT, FILE_CLAMD, FILE_FRESHCLAM, FILE_NGINX, N_FILES };
enum { NO_FACILITY = -1, FACILITY_LOCAL0 = LOG_LOCAL0 >> 3, FACILITY_LOCAL1 = LOG_LOCAL1 >> 3 };
enum { UID_ZIMBRA = 900 };      /* units/sysusers/mailstead.conf */

static const route_file files[N_FILES] = {
    [FILE_ZIMBRA] = { ROUTE_SYSLOG_DIR, "zimbra.log", line_syslog },
    [FILE_STATS] = { ROUTE_SYSLOG_DIR, "zimbra-stats.log", line_syslog },
    [FILE_MAILBOX] = { ROUTE_LOG_DIR, "mailbox.log", line_mailbox },
    [FILE_AUDIT] = { ROUTE_LOG_DIR, "audit.log", line_audit },
    [FILE_CLAMD] = { ROUTE_LOG_DIR, "clamd.log", line_plain },
    [FILE_FRESHCLAM] = { ROUTE_LOG_DIR, "freshclam.log", line_plain },
    [FILE_NGINX] = { ROUTE_LOG_DIR, "nginx.log", line_own },
};

typedef struct {
    int file;
    const char *unit;       /* beginning of the unit's name; NULL: any */
    int facility;
    int max_priority;       /* this or more urgent */
} rule;

static const rule rules[] = {
    { FILE_ZIMBRA, NULL, LOG_MAIL >> 3, LOG_DEBUG },
    { FILE_ZIMBRA, NULL, LOG_AUTH >> 3, LOG_DEBUG },
    { FILE_ZIMBRA, NULL, FACILITY_LOCAL0, LOG_DEBUG },
    { FILE_STATS, NULL, FACILITY_LOCAL1, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-postfix.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-amavis.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-clamd.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-freshclam.", NO_FACILITY, LOG_WARNING },
    { FILE_ZIMBRA, "zimbra-opendkim.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-milter.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-configd.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-ldap.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-auth.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-alerts.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-logger.", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-stats", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-snmp", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-job-", NO_FACILITY, LOG_DEBUG },
    { FILE_ZIMBRA, "zimbra-mailbox-", NO_FACILITY, LOG_ERR },
    { FILE_MAILBOX, "zimbra-mailbox-", NO_FACILITY, LOG_DEBUG },
    { FILE_CLAMD, "zimbra-clamd.", NO_FACILITY, LOG_DEBUG },
    { FILE_FRESHCLAM, "zimbra-freshclam.", NO_FACILITY, LOG_DEBUG },
    { FILE_NGINX, "zimbra-nginx.", NO_FACILITY, LOG_DEBUG },
};

const route_file *route_files(size_t *n)
{
    G_STATIC_ASSERT((int) N_FILES <= (int) ROUTE_MAX_FILES);
    *n = N_FILES;
    return files;
}

static bool matches(const rule *r, const entry *e)
{
    return e->priority <= r->max_priority && (r->facility == NO_FACILITY || r->facility == e->facility) &&
           (!r->unit || entry_unit_starts(e, r->unit));
}

static bool is_administrator(const entry *e)
{
    return e->uid == 0 || e->uid == UID_ZIMBRA;
}

static bool is_audit(const entry *e)
{
    if (entry_is(e, FIELD_AUDIT, "login") || entry_is(e, FIELD_AUDIT, "ticket"))
        return entry_unit_starts(e, "zimbra-auth.");
    return entry_is(e, FIELD_AUDIT, "change") && is_administrator(e);
}

unsigned route_entry(const entry *e, bool log_to_syslog)
{
    unsigned to = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (matches(&rules[i], e))
            to |= 1u << rules[i].file;
    if (is_audit(e))
        to |= 1u << FILE_AUDIT;
    if (log_to_syslog && (to & (1u << FILE_MAILBOX)))
        to |= 1u << FILE_ZIMBRA;
    return to;
}
