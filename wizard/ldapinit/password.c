/* Password hashes, made by slapd's own tool so that slapd can compare them. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wizard/ldapinit/ldapinit.h"
#include "wizard/run.h"

/* slappasswd takes a file by name and its size from stat: an anonymous file is
 * one that nobody else can open. */
static int secret_file(const char *text, GError **error)
{
    int fd = memfd_create("password", 0);
    size_t len = strlen(text);
    if (fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, text, len) == (ssize_t) len)
        return fd;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot make an anonymous file: %s",
                g_strerror(errno));
    if (fd >= 0)
        (void) close(fd);    /* nothing in it is kept */
    return -1;
}

char *password_hash(const char *password, GError **error)
{
    int fd = secret_file(password, error);
    if (fd < 0)
        return NULL;
    g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d", (int) getpid(), fd);
    const char *const argv[] = { "slappasswd", "-n", "-o", "module-path=/usr/lib/ldap",
                                 "-o", "module-load=argon2", "-h", "{ARGON2}", "-T", path, NULL };
    g_autofree char *hash = NULL;
    bool good = run_program(argv, NULL, &hash, error);
    (void) close(fd);    /* nothing in it is kept */
    return good ? g_strchomp(g_steal_pointer(&hash)) : NULL;
}
