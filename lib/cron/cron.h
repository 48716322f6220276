/* The schedule in crontab form: cron's syntax, what systemd calls the same
 * times, and the jobs of this host (Guide appendix C).
 *
 * The five fields minute, hour, day of month, month, day of week take numbers,
 * names (jan, mon; any case), lists, ranges and steps; @hourly, @daily,
 * @midnight, @weekly, @monthly, @yearly, @annually stand for five fields,
 * @reboot for every boot, and @never (ours) for no time at all. When both day
 * fields are restricted, that is neither begins with '*', either may match. */
#ifndef MAILSTEAD_CRON_H
#define MAILSTEAD_CRON_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    CRON_MAX_BYTES = 256 * 1024,    /* of a file */
    CRON_MAX_LINE = 8192,
    CRON_MAX_ENTRIES = 512,         /* of a file */
    CRON_MAX_ENVIRONMENT = 64,
};

/* ---- times ---- */
typedef enum { CRON_CALENDAR, CRON_REBOOT, CRON_NEVER } cron_kind;

typedef struct {
    cron_kind kind;                 /* the rest counts for CRON_CALENDAR */
    guint64 minutes;                /* bit n: minute n */
    guint32 hours;
    guint32 days;                   /* bits 1 to 31 */
    guint32 months;                 /* bits 1 to 12 */
    guint32 weekdays;               /* bit 0 is Sunday */
    bool any_day, any_weekday;      /* the field begins with '*' */
} cron_time;

/* Reads the time at the start of TEXT; *RET_REST is what follows the blanks
 * after it. The error names the field and what it takes. */
bool cron_time_parse(const char *text, const char **ret_rest, cron_time *ret, GError **error);

/* OnCalendar= values of systemd.time(7) that together elapse when T matches: one,
 * two when either day may match, none for other kinds. ZONE: name of a time
 * zone, NULL the host's. Caller frees with g_strfreev. */
char **cron_time_calendars(const cron_time *t, const char *zone);

/* ---- files ---- */
typedef struct {
    unsigned line;                  /* counted from 1 */
    cron_time when;
    char *schedule;                 /* the time as it is written */
    char *command;                  /* the command as it is written, with its '%' */
    char *title;                    /* last comment above; NULL none */
    char *zone;                     /* CRON_TZ in force; NULL none */
    char **environment;             /* NAME=value in force */
} cron_entry;

void cron_entry_free(cron_entry *e);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(cron_entry, cron_entry_free)

/* Adds the entries of TEXT to ENTRIES (cron_entry *), and for each line that is
 * none a message "NAME:LINE: …" to PROBLEMS (char *). Either array may have a
 * free function. */
void cron_parse(const char *name, const char *text, size_t len, GPtrArray *entries, GPtrArray *problems);

/* What the shell gets: up to the first '%' without '\', each "\%" a '%'. */
char *cron_command_shell(const char *command);
/* What the command reads: the rest, each further '%' a newline, and a newline at
 * its end. NULL when there is no '%'. */
char *cron_command_input(const char *command);

#define CRON_ERROR (cron_error_quark())
GQuark cron_error_quark(void);
enum { CRON_ERROR_SYNTAX };

/* ---- the jobs of a host ----
 * The system's files come with a release; each belongs to a service. Files of
 * the site add entries, all run as zimbra; one whose command is a system
 * entry's gives that entry another time (or none: @never) and nothing else. */
#define CRON_SYSTEM_FOLDER PREFIX "/lib/crontabs"
#define CRON_SITE_FOLDER PREFIX "/conf/override/crontabs"
#define CRON_SITE_FILE "site"       /* what crontab -e edits */

typedef struct {
    const char *name;               /* of the file */
    const char *const *services;    /* any of them; empty: on every host */
    const char *user;
    const char *groups;             /* further groups, NULL none */
} cron_file;

/* The system's files in the order in which crontab -l prints them. */
const cron_file *cron_files(size_t *ret_n);
bool cron_file_applies(const cron_file *file, const char *const *enabled);

typedef struct {
    char *unit;                     /* zimbra-job-zmqueuelog: name without suffix */
    char *path;                     /* the file of the entry */
    const cron_file *file;          /* NULL: the site's own entry */
    bool applies;                   /* its service is enabled */
    bool installed;                 /* its program is there (the site's: always true) */
    cron_entry *entry;              /* owned */
    cron_entry *moved;              /* the site's entry that gives another time; NULL none; owned */
} cron_job;

typedef struct {
    GPtrArray *jobs;                /* cron_job * */
    GPtrArray *problems;            /* char * */
} cron_schedule;

/* Reads both folders; what cannot be read is a problem, a missing folder none. */
cron_schedule *cron_schedule_load(const char *system_folder, const char *site_folder, const char *const *enabled);
void cron_schedule_free(cron_schedule *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(cron_schedule, cron_schedule_free)

/* The time that counts. */
const cron_entry *cron_job_timing(const cron_job *job);
/* It applies, is installed and has a time. */
bool cron_job_runs(const cron_job *job);
/* Paths below PREFIX that the command of a system entry names as words of their
 * own, but its program and what it writes to. Caller frees with g_strfreev. */
char **cron_command_paths(const char *command);
/* First word of the command, up to a blank or a redirection. Caller frees. */
char *cron_command_program(const char *command);

#endif
