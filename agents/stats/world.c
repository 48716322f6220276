/* Reading for collectors: see collector.h. */
#include "agents/stats/collector.h"

#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024, FIRST_READ = 4096 };

/* Files of proc have no size: they are read to their end. */
char *world_file(const char *root, const char *name)
{
    g_autofree char *path = g_build_filename(root, name, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    GString *text = g_string_sized_new(FIRST_READ);
    ssize_t n = 1;
    while (n > 0 && text->len < FILE_MAX) {
        char bytes[FIRST_READ];
        n = read(fd, bytes, sizeof bytes);
        if (n > 0)
            g_string_append_len(text, bytes, n);
    }
    close(fd);
    return g_string_free(text, n < 0);
}

double world_rate(double last, double current, double seconds)
{
    return seconds > 0 && current > last ? (current - last) / seconds : 0;
}
