/* Reads and writes the enabled set (service.h). A reader finds the old set or
 * the new one, whatever happens to the writer. */
#include "lib/service/enabled.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/service/service.h"

#define HEADER "# Services of this host, written by zmconfigd from zimbraServiceEnabled.\n"

static bool fail_errno(GError **error, const char *what, const char *path)
{
    int saved = errno;
    g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_BUS, "%s: cannot %s: %s", path, what, g_strerror(saved));
    return false;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        len -= (size_t) n;
    }
    return true;
}

static bool sync_folder(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

static bool replace_file(const char *path, const char *text, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_errno(error, "create a temporary file beside it", path);
    /* The process's umask may be 077; the file holds no secret. */
    bool ok = fchmod(fd, 0644) == 0 && write_all(fd, text, strlen(text)) && fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    if (ok && rename(temporary, path) == 0)
        return sync_folder(path) || fail_errno(error, "flush its folder", path);
    fail_errno(error, "write", path);
    (void) unlink(temporary);   /* best effort: the error is already told */
    return false;
}

bool enabled_write(const char *path, const char *const *names, GError **error)
{
    g_autoptr(GString) text = g_string_new(HEADER);
    for (size_t i = 0; names[i]; i++) {
        if (!service_find(names[i])) {
            g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_UNKNOWN,
                        "%s: no such service; zimbraServiceEnabled takes the names that zmcontrol lists", names[i]);
            return false;
        }
        g_string_append_printf(text, "%s\n", names[i]);
    }
    return replace_file(path, text->str, error);
}

char **enabled_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) inner = NULL;
    if (!g_file_get_contents(path, &text, NULL, &inner)) {
        if (g_error_matches(inner, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_UNKNOWN,
                        "%s does not exist: this host is not set up", path);
        else
            g_set_error_literal(error, SERVICE_ERROR, SERVICE_ERROR_BUS, inner->message);
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; lines[i]; i++) {
        const service_def *service = service_find(g_strstrip(lines[i]));
        if (service && !g_ptr_array_find(names, service->name, NULL))
            g_ptr_array_add(names, (gpointer) service->name);
    }
    g_ptr_array_add(names, NULL);
    return g_strdupv((char **) names->pdata);
}
