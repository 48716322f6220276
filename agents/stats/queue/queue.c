/* See queue.h. A queue file's size is that of the message and its envelope, as
 * qshape(1) and mailq(1) show it. */
#include "agents/stats/queue/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 4 };     /* hash_queue_depth is 1 by default */

const char *const queue_names[QUEUE_KINDS] = { "incoming", "active", "deferred", "hold", "corrupt", "maildrop" };

static void take(const struct stat *st, gint64 now, queue_count *c)
{
    gint64 age = now - st->st_mtime;
    c->messages++;
    c->bytes += (guint64) st->st_size;
    if (age > 0 && (guint64) age > c->oldest_s)
        c->oldest_s = (guint64) age;
}

/* Takes FD over. */
static int walk(int fd, unsigned depth, gint64 now, queue_count *c)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int r = -errno;
        close(fd);
        return r;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL; ) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISREG(st.st_mode)) {
            take(&st, now, c);
        } else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
            int sub = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (sub >= 0)
                (void) walk(sub, depth + 1, now, c);     /* gone meanwhile */
        }
    }
    closedir(dir);
    return 0;
}

int queue_walk(const char *spool, const char *name, gint64 now, queue_count *ret)
{
    g_autofree char *path = g_build_filename(spool, name, NULL);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    queue_count c = { 0 };
    int r = fd < 0 ? -errno : walk(fd, 0, now, &c);
    if (r == 0)
        *ret = c;
    return r;
}

char *queue_format(const queue_count counts[QUEUE_KINDS])
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < QUEUE_KINDS; i++)
        g_string_append_printf(s, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", queue_names[i],
                               counts[i].messages, counts[i].bytes, counts[i].oldest_s);
    return g_string_free(s, FALSE);
}

static bool parse_line(char **f, const char *name, queue_count *c)
{
    return g_strv_length(f) == 4 && g_str_equal(f[0], name) &&
           g_ascii_string_to_unsigned(f[1], 10, 0, G_MAXINT64, &c->messages, NULL) &&
           g_ascii_string_to_unsigned(f[2], 10, 0, G_MAXINT64, &c->bytes, NULL) &&
           g_ascii_string_to_unsigned(f[3], 10, 0, G_MAXINT64, &c->oldest_s, NULL);
}

bool queue_parse(const char *text, queue_count ret[QUEUE_KINDS])
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", QUEUE_KINDS + 2);
    queue_count counts[QUEUE_KINDS];
    if (g_strv_length(lines) != QUEUE_KINDS + 1)
        return false;
    for (size_t i = 0; i < QUEUE_KINDS; i++) {
        g_auto(GStrv) f = g_strsplit(lines[i], " ", 5);
        if (!parse_line(f, queue_names[i], &counts[i]))
            return false;
    }
    memcpy(ret, counts, sizeof counts);
    return true;
}
