/* Name and time zone of the host. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/tls/tls.h"
#include "wizard/setup.h"

#define HOSTNAME_FILE "/etc/hostname"
#define HOSTS_FILE    "/etc/hosts"
#define ZONE_LINK     "/etc/localtime"
#define ZONES         "/usr/share/zoneinfo"

static bool fail(GError **error, const char *path, const char *what)
{
    g_set_error(error, SETUP_ERROR, SETUP_ERROR_FAILED, "%s: cannot %s: %s", path, what, g_strerror(errno));
    return false;
}

static bool file_holds(const char *path, const char *line)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_contains((const char *const *) lines, line);
}

/* "10.0.0.1 mail.example.com mail", NULL when no address is given: the name
 * service of the system finds the own name itself. */
static char *hosts_line(const answers *a)
{
    if (!a->host_address)
        return NULL;
    g_autofree char *short_name = g_strndup(a->host_name, strcspn(a->host_name, "."));
    return g_strdup_printf("%s %s %s", a->host_address, a->host_name, short_name);
}

bool host_name_is_set(setup *s)
{
    char current[256] = "";
    g_autofree char *line = hosts_line(s->answers);
    return gethostname(current, sizeof current - 1) == 0 && g_str_equal(current, s->answers->host_name) &&
           file_holds(HOSTNAME_FILE, s->answers->host_name) && (!line || file_holds(HOSTS_FILE, line));
}

static bool add_hosts_line(const char *line, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(HOSTS_FILE, &text, NULL, NULL))
        text = g_strdup("127.0.0.1 localhost\n::1 localhost\n");
    g_autofree char *longer = g_strdup_printf("%s%s%s\n", text, g_str_has_suffix(text, "\n") ? "" : "\n", line);
    return tls_write_file(HOSTS_FILE, longer, 0644, (gid_t) -1, error);
}

bool host_name_set(setup *s, GError **error)
{
    const char *name = s->answers->host_name;
    g_autofree char *text = g_strconcat(name, "\n", NULL), *line = hosts_line(s->answers);
    if (!tls_write_file(HOSTNAME_FILE, text, 0644, (gid_t) -1, error))
        return false;
    if (sethostname(name, strlen(name)) != 0)
        return fail(error, name, "set the host name");
    return !line || file_holds(HOSTS_FILE, line) || add_hosts_line(line, error);
}

bool time_zone_given(const answers *a)
{
    return a->time_zone != NULL;
}

bool time_zone_is_set(setup *s)
{
    g_autofree char *target = g_file_read_link(ZONE_LINK, NULL);
    return target && g_str_has_prefix(target, ZONES "/") &&
           g_str_equal(target + strlen(ZONES "/"), s->answers->time_zone);
}

bool time_zone_set(setup *s, GError **error)
{
    g_autofree char *target = g_build_filename(ZONES, s->answers->time_zone, NULL);
    g_autofree char *text = g_strconcat(s->answers->time_zone, "\n", NULL);
    if (unlink(ZONE_LINK ".new") != 0 && errno != ENOENT)
        return fail(error, ZONE_LINK ".new", "remove");
    if (symlink(target, ZONE_LINK ".new") != 0 || rename(ZONE_LINK ".new", ZONE_LINK) != 0)
        return fail(error, ZONE_LINK, "link to the time zone");
    return tls_write_file("/etc/timezone", text, 0644, (gid_t) -1, error);
}
