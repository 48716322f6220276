/* systemd generator: turns the enabled set of this host into what zimbra.target
 * wants (systemd.generator(7)). Called at boot and at every reload of the
 * manager with three folders and writes into the first only: links, and the
 * units of the schedule's jobs (jobs.c).
 *
 * A host that is not set up has no enabled set and gets no links: zimbra.target
 * is then reached empty. Shards beyond the first come from mailboxd.conf, whose
 * count changes only while the store is stopped.
 *
 * Generators run before /opt/zimbra may be mounted: whoever mounts it late has
 * to reload the manager. */
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/service/enabled.h"
#include "lib/service/service.h"
#include "units/generator/jobs.h"

#define UNIT_FOLDER "/usr/lib/systemd/system"
#define MAILBOXD_CONF PREFIX "/conf/mailboxd/mailboxd.conf"
#define MAX_SHARDS 64

/* DIR/TARGET.wants/UNIT -> the file of UNIT (of its template when it is an instance). */
static bool link_want(const char *dir, const char *target, const char *unit, const char *file)
{
    g_autofree char *wants = g_strdup_printf("%s/%s.wants", dir, target);
    g_autofree char *link = g_build_filename(wants, unit, NULL);
    g_autofree char *to = g_build_filename(UNIT_FOLDER, file, NULL);
    if (g_mkdir_with_parents(wants, 0755) == 0 && (symlink(to, link) == 0 || errno == EEXIST))
        return true;
    syslog(LOG_ERR, "cannot make the link %s: %m", link);
    return false;
}

static bool link_services(const char *dir, char **enabled)
{
    size_t n;
    bool ok = true;
    const service_def *table = service_table(&n);
    for (size_t i = 0; i < n; i++)
        if (table[i].always || g_strv_contains((const char *const *) enabled, table[i].name))
            ok = link_want(dir, "zimbra.target", table[i].unit, table[i].unit) && ok;
    return ok;
}

static bool link_shards(const char *dir, const char *conf)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, conf, G_KEY_FILE_NONE, NULL))
        return true;    /* not rendered yet: the target's own shard@0 is all there is */
    int shards = g_key_file_get_integer(file, "mailboxd", "shards", NULL);
    bool ok = true;
    for (int i = 1; i < MIN(shards, MAX_SHARDS); i++) {
        g_autofree char *unit = g_strdup_printf("zimbra-mailbox-shard@%d.service", i);
        ok = link_want(dir, "zimbra-mailbox.target", unit, "zimbra-mailbox-shard@.service") && ok;
    }
    return ok;
}

/* The site's crontabs are files of the login zimbra, who may put links there: they
 * are read with zimbra's rights, so that no message shows what zimbra must not see. */
static cron_schedule *read_crontabs(char **enabled)
{
    const char *system = g_getenv("MAILSTEAD_CRONTABS"), *site = g_getenv("MAILSTEAD_SITE_CRONTABS");
    const struct passwd *zimbra = geteuid() == 0 ? getpwnam("zimbra") : NULL;
    if (zimbra && (setgroups(0, NULL) < 0 || setegid(zimbra->pw_gid) < 0 || seteuid(zimbra->pw_uid) < 0)) {
        syslog(LOG_ERR, "cannot read the crontabs as zimbra: %m");
        return NULL;
    }
    cron_schedule *schedule = cron_schedule_load(system ? system : CRON_SYSTEM_FOLDER, site ? site : CRON_SITE_FOLDER,
                                                 (const char *const *) enabled);
    if (zimbra && (seteuid(0) < 0 || setegid(0) < 0)) {
        syslog(LOG_ERR, "cannot become root again: %m");
        g_clear_pointer(&schedule, cron_schedule_free);
    }
    return schedule;
}

/* Mail matters more than its schedule: what goes wrong is in the log only. */
static void write_jobs(const char *dir, char **enabled)
{
    g_autoptr(cron_schedule) schedule = read_crontabs(enabled);
    if (schedule)
        (void) jobs_write(dir, schedule);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 4) {
        g_printerr("zimbra-generator: is called by systemd with three folders (systemd.generator(7))\n");
        return 2;
    }
    openlog("zimbra-generator", 0, LOG_DAEMON);
    umask(022);
    const char *enabled_path = g_getenv("MAILSTEAD_ENABLED_SERVICES");
    const char *mailboxd_conf = g_getenv("MAILSTEAD_MAILBOXD_CONF");
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) enabled = enabled_read(enabled_path ? enabled_path : SERVICE_ENABLED_PATH, &error);
    if (!enabled) {
        if (!g_error_matches(error, SERVICE_ERROR, SERVICE_ERROR_UNKNOWN))
            syslog(LOG_ERR, "%s", error->message);
        return 0;   /* not set up, or unreadable: boot goes on without mail */
    }
    bool ok = link_services(argv[1], enabled);
    ok = link_shards(argv[1], mailboxd_conf ? mailboxd_conf : MAILBOXD_CONF) && ok;
    write_jobs(argv[1], enabled);
    return ok ? 0 : 1;
}
