/* Unix listeners: see listen.h. */
#include "agents/auth/listen.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool group_id(const char *name, gid_t *ret)
{
    struct group entry, *found = NULL;
    char buffer[16384];
    if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return false;
    *ret = found->gr_gid;
    return true;
}

static int failed(int fd, const char *path, const char *what, GError **error)
{
    int e = errno;
    if (fd >= 0)
        close(fd);
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "%s: %s: %s", path, what, g_strerror(e));
    return -1;
}

int listen_unix(const char *path, int type, mode_t mode, const char *group, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    gid_t gid = (gid_t) -1;
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG, "%s: too long for a socket", path);
        return -1;
    }
    if (group && !group_id(group, &gid)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: group %s does not exist", path, group);
        return -1;
    }
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(fd, path, "socket", error);
    if (unlink(path) < 0 && errno != ENOENT)
        return failed(fd, path, "remove the old socket", error);
    mode_t old = umask(0777);   /* nobody connects before mode and group stand */
    int bound = bind(fd, (struct sockaddr *) &address, sizeof address);
    (void) umask(old);
    if (bound < 0)
        return failed(fd, path, "bind", error);
    if (gid != (gid_t) -1 && chown(path, (uid_t) -1, gid) < 0)
        return failed(fd, path, "give to its group (zmauthd must be a member)", error);
    if (chmod(path, mode) < 0)
        return failed(fd, path, "set mode", error);
    if (listen(fd, 128) < 0)
        return failed(fd, path, "listen", error);
    return fd;
}
