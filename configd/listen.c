/* Making a listening Unix socket. */
#include "configd/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int listen_unix(const char *path, int type, mode_t mode, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = -1;

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        errno = ENAMETOOLONG;
    else
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void) unlink(path);   /* of a run before; bind() says if it could not go */
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof address) < 0 ||
        chmod(path, mode) < 0 || listen(fd, 64) < 0) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "cannot listen on %s: %s", path, g_strerror(code));
        return -1;
    }
    return fd;
}
