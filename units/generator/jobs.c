/* See jobs.h. Everything from a crontab is quoted for systemd's own syntax: the
 * site's files belong to the login zimbra, and what they say must stay the
 * command of a process of zimbra's.
 *
 * The system's jobs may write below PREFIX only and gain no rights; the site's
 * may do what the login zimbra may, because nobody knows what they are for. */
#include "units/generator/jobs.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define TARGET "zimbra-schedule.target"
#define HEAD "# Made by zimbra-generator from a crontab; changes are lost.\n[Unit]\n"

static const char site_rules[] =
    "ProtectSystem=full\n"
    "ProtectControlGroups=yes\n"
    "UMask=0022\n";

static const char system_rules[] =
    "Nice=10\n"
    "IOSchedulingPriority=7\n"
    "TimeoutStartSec=1d\n"
    "NoNewPrivileges=yes\n"
    "CapabilityBoundingSet=\n"
    "ProtectSystem=strict\n"
    "ReadWritePaths=-" PREFIX "\n"
    "ProtectHome=yes\n"
    "PrivateTmp=yes\n"
    "PrivateDevices=yes\n"
    "ProtectKernelTunables=yes\n"
    "ProtectKernelModules=yes\n"
    "ProtectKernelLogs=yes\n"
    "ProtectControlGroups=yes\n"
    "ProtectClock=yes\n"
    "ProtectHostname=yes\n"
    "LockPersonality=yes\n"
    "RestrictNamespaces=yes\n"
    "RestrictRealtime=yes\n"
    "RestrictSUIDSGID=yes\n"
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"
    "SystemCallArchitectures=native\n"
    "SystemCallFilter=@system-service\n"
    "SystemCallFilter=~@privileged @resources\n"
    "SystemCallErrorNumber=EPERM\n"
    "UMask=0027\n";

/* TEXT as one word of a unit file's list; VARIABLES: '$' would name one there. */
static void append_word(GString *to, const char *text, bool variables)
{
    g_string_append_c(to, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(to, '\\');
        else if (*p == '%' || (*p == '$' && variables))
            g_string_append_c(to, *p);
        if (*p == '\t')
            g_string_append(to, "\\t");
        else
            g_string_append_c(to, *p);
    }
    g_string_append_c(to, '"');
}

static void append_line(GString *to, const char *key, const char *text)
{
    g_string_append(to, key);
    for (const char *p = text; *p; p++)
        g_string_append(to, *p == '%' ? "%%" : (char[]) { *p, '\0' });
    g_string_append_c(to, '\n');
}

static const char *title_of(const cron_job *job)
{
    return job->entry->title ? job->entry->title : job->unit;
}

static void append_head(GString *to, const cron_job *job)
{
    g_autofree char *title = g_strdup_printf("Job: %s", title_of(job));
    g_string_append(to, HEAD);
    /* A backslash at the end would go on in the next line. */
    append_line(to, "Description=", g_strdelimit(title, "\\", '/'));
    g_string_append(to, "Documentation=man:crontab(1)\n");
    append_line(to, "SourcePath=", job->moved ? CRON_SITE_FOLDER : job->path);
}

char *job_timer(const cron_job *job)
{
    const cron_entry *timing = cron_job_timing(job);
    if (timing->when.kind != CRON_CALENDAR)
        return NULL;
    GString *s = g_string_new(NULL);
    g_auto(GStrv) calendars = cron_time_calendars(&timing->when, timing->zone);
    append_head(s, job);
    g_string_append(s, "PartOf=" TARGET "\n\n[Timer]\n");
    for (size_t i = 0; calendars[i]; i++)
        append_line(s, "OnCalendar=", calendars[i]);
    g_string_append(s, "AccuracySec=1s\nRandomizedDelaySec=0\nPersistent=yes\n");
    return g_string_free(s, FALSE);
}

/* The guide's jobs throw their output away so that cron sends no mail of it; here
 * it goes to the journal, and with a failure into the alert. */
static void keep_output(char *command)
{
    static const char *const ends[] = { ">> /dev/null 2>&1", "> /dev/null 2>&1", ">/dev/null 2>&1" };
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(command, ends[i])) {
            command[strlen(command) - strlen(ends[i])] = '\0';
            g_strchomp(command);
            return;
        }
}

static void append_command(GString *to, const cron_job *job)
{
    const char *shell = g_environ_getenv(job->entry->environment, "SHELL");
    g_autofree char *command = cron_command_shell(job->entry->command);
    g_autofree char *input = cron_command_input(job->entry->command);
    if (job->file)
        keep_output(command);
    g_string_append(to, "ExecStart=");
    append_word(to, shell ? shell : "/bin/sh", true);
    g_string_append(to, " -c ");
    append_word(to, command, true);
    g_string_append_c(to, '\n');
    if (input) {
        g_autofree char *data = g_base64_encode((const guchar *) input, strlen(input));
        g_string_append_printf(to, "StandardInput=data\nStandardInputData=%s\n", data);
    }
}

static void append_environment(GString *to, char **environment)
{
    g_string_append(to, "Environment=PATH=" PREFIX "/bin:" PREFIX "/libexec:/usr/sbin:/usr/bin:/sbin:/bin SHELL=/bin/sh\n");
    for (size_t i = 0; environment[i]; i++) {
        g_string_append(to, "Environment=");
        append_word(to, environment[i], false);
        g_string_append_c(to, '\n');
    }
}

/* A job of the system has a subject when what it names is there. */
static void append_conditions(GString *to, const cron_job *job)
{
    g_auto(GStrv) paths = cron_command_paths(job->entry->command);
    for (size_t i = 0; job->file && paths[i]; i++)
        append_line(to, "ConditionPathExists=", paths[i]);
}

char *job_service(const cron_job *job)
{
    GString *s = g_string_new(NULL);
    const char *user = job->file ? job->file->user : "zimbra";
    append_head(s, job);
    append_conditions(s, job);
    g_string_append(s, "After=zimbra.target\nOnFailure=zimbra-alert@%n.service\nOnSuccess=zimbra-job-ok@%n.service\n\n"
                       "[Service]\nType=oneshot\n");
    g_string_append_printf(s, "User=%s\nGroup=%s\nWorkingDirectory=-" PREFIX "\n", user, user);
    if (job->file && job->file->groups)
        g_string_append_printf(s, "SupplementaryGroups=%s\n", job->file->groups);
    append_environment(s, job->entry->environment);
    append_command(s, job);
    g_string_append(s, job->file ? system_rules : site_rules);
    return g_string_free(s, FALSE);
}

static bool write_file(const char *dir, const char *name, const char *suffix, const char *text)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autoptr(GError) error = NULL;
    /* The folder is made anew at every reload and lives in memory. */
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, &error))
        return true;
    syslog(LOG_ERR, "%s", error->message);
    return false;
}

static bool want_at_boot(const char *dir, const char *unit)
{
    g_autofree char *wants = g_build_filename(dir, "multi-user.target.wants", NULL);
    g_autofree char *name = g_strconcat(unit, ".service", NULL);
    g_autofree char *link = g_build_filename(wants, name, NULL);
    g_autofree char *to = g_build_filename("..", name, NULL);
    if (g_mkdir_with_parents(wants, 0755) == 0 && (symlink(to, link) == 0 || errno == EEXIST))
        return true;
    syslog(LOG_ERR, "cannot make the link %s: %m", link);
    return false;
}

static bool write_job(const char *dir, const cron_job *job, GString *wants)
{
    g_autofree char *timer = job_timer(job), *service = job_service(job);
    if (!write_file(dir, job->unit, ".service", service))
        return false;
    if (!timer)
        return want_at_boot(dir, job->unit);
    g_string_append_printf(wants, "Wants=%s.timer\n", job->unit);
    return write_file(dir, job->unit, ".timer", timer);
}

bool jobs_write(const char *dir, const cron_schedule *schedule)
{
    g_autoptr(GString) wants = g_string_new("[Unit]\n");
    g_autofree char *drop_ins = g_build_filename(dir, TARGET ".d", NULL);
    bool ok = true;
    for (guint i = 0; i < schedule->problems->len; i++)
        syslog(LOG_WARNING, "%s", (const char *) schedule->problems->pdata[i]);
    for (guint i = 0; i < schedule->jobs->len; i++)
        if (cron_job_runs(schedule->jobs->pdata[i]))
            ok = write_job(dir, schedule->jobs->pdata[i], wants) && ok;
    if (g_mkdir_with_parents(drop_ins, 0755) < 0) {
        syslog(LOG_ERR, "cannot make %s: %m", drop_ins);
        return false;
    }
    ok = write_file(drop_ins, "jobs", ".conf", wants->str) && ok;
    return write_file(dir, "zimbra-schedule", ".pending", "") && ok;
}
