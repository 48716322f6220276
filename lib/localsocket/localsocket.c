/* lib/localsocket: see localsocket.h. */
#include "lib/localsocket/localsocket.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static bool address_of(const char *path, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
    return g_strlcpy(ret->sun_path, path, sizeof ret->sun_path) < sizeof ret->sun_path;
}

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
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(e), "cannot listen on %s: %s: %s", path, what, g_strerror(e));
    return -e;
}

/* Nobody connects before mode and group stand. */
static int bind_closed(int fd, const struct sockaddr_un *address)
{
    mode_t old = umask(0777);
    int r = bind(fd, (const struct sockaddr *) address, sizeof *address);
    (void) umask(old);
    return r;
}

static int open_up(int fd, const char *path, int type, mode_t mode, gid_t gid, GError **error)
{
    int on = 1;
    if (gid != (gid_t) -1 && chown(path, (uid_t) -1, gid) < 0)
        return failed(fd, path, "give it to its group (the daemon's user must be a member)", error);
    if (type == SOCK_DGRAM ? setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 : listen(fd, BACKLOG) < 0)
        return failed(fd, path, "listen", error);
    if (chmod(path, mode) < 0)
        return failed(fd, path, "set its mode", error);
    return fd;
}

int localsocket_listen(const char *path, int type, mode_t mode, const char *group, GError **error)
{
    struct sockaddr_un address;
    gid_t gid = (gid_t) -1;
    if (!address_of(path, &address)) {
        errno = ENAMETOOLONG;
        return failed(-1, path, "address", error);
    }
    if (group && !group_id(group, &gid)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "cannot listen on %s: group %s does not exist", path, group);
        return -ENOENT;
    }
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return failed(fd, path, "socket", error);
    if (unlink(path) < 0 && errno != ENOENT)
        return failed(fd, path, "remove the old socket", error);
    if (bind_closed(fd, &address) < 0)
        return failed(fd, path, "bind", error);
    return open_up(fd, path, type, mode, gid, error);
}

int localsocket_connect(const char *path, int type)
{
    struct sockaddr_un address;
    if (!address_of(path, &address))
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *) &address, sizeof address) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

bool localsocket_peer(int fd, uid_t *ret)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    *ret = peer.uid;
    return true;
}
