/* The writer's side of a page: see statpage.h. */
#include "lib/statpage/statpage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/statpage/layout.h"

enum { WATCH_USEC = 10 * 1000 * 1000 };

uint64_t statpage_now_us(void)
{
    return (uint64_t) g_get_monotonic_time();
}

static uint64_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    uint64_t n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n > 3 ? n - 3 : 0;       /* ".", ".." and the descriptor that was read */
}

static int on_watch(sd_event_source *s, uint64_t usec, void *data)
{
    statpage *p = data;
    statpage_set(p, p->watched, open_descriptors());
    int r = sd_event_source_set_time_relative(s, WATCH_USEC);
    return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int statpage_watch_descriptors(statpage *p, sd_event *event, unsigned i)
{
    p->watched = i;
    return sd_event_add_time_relative(event, &p->watch, CLOCK_MONOTONIC, 0, WATCH_USEC / 10, on_watch, p);
}

static void fill(void *map, const statpage_def *defs, size_t n)
{
    statpage_head *head = map;
    statpage_entry *entries = (statpage_entry *) (head + 1);
    *head = (statpage_head) {
        .version = STATPAGE_VERSION, .n = (uint32_t) n, .size = (uint32_t) statpage_size(n), .pid = getpid(),
        .started_us = (uint64_t) g_get_real_time(),
    };
    memcpy(head->magic, STATPAGE_MAGIC, sizeof head->magic);
    for (size_t i = 0; i < n; i++) {
        g_assert(strlen(defs[i].name) <= STATPAGE_NAME_MAX);
        g_strlcpy(entries[i].name, defs[i].name, sizeof entries[i].name);
        entries[i].kind = defs[i].kind;
    }
}

static int map_file(const char *path, size_t size, void **ret)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    /* Allocated now: a full file system must not become a SIGBUS later. */
    int r = fchmod(fd, 0644) < 0 ? -errno : -posix_fallocate(fd, 0, (off_t) size);
    void *map = r == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (r == 0 && map == MAP_FAILED)
        r = -errno;
    close(fd);
    if (r < 0)
        (void) g_unlink(path);
    else
        *ret = map;
    return r;
}

/* The page complete in the place of the last one. */
static int publish(statpage *p, const statpage_def *defs)
{
    g_autofree char *fresh = g_strdup_printf("%s.new", p->path);
    (void) g_unlink(fresh);         /* left by a process that was killed here */
    void *map = NULL;
    int r = map_file(fresh, p->map_size, &map);
    if (r < 0)
        return r;
    fill(map, defs, p->n);
    if (g_rename(fresh, p->path) < 0) {
        r = -errno;
        (void) g_unlink(fresh);
        munmap(map, p->map_size);
        return r;
    }
    p->map = map;
    return 0;
}

statpage *statpage_new(const char *folder, const char *name, const statpage_def *defs, size_t n, int *ret_r)
{
    g_assert(n > 0 && n <= STATPAGE_MAX_VALUES);
    statpage *p = g_new0(statpage, 1);
    p->n = n;
    p->map_size = statpage_size(n);
    p->path = g_build_filename(folder ? folder : STATPAGE_FOLDER, name, NULL);
    int r = publish(p, defs);
    if (r == 0)
        p->values = (_Atomic uint64_t *) ((char *) p->map + statpage_size(n) - n * sizeof(uint64_t));
    else
        p->values = g_malloc0_n(n, sizeof *p->values);
    if (ret_r)
        *ret_r = r;
    return p;
}

void statpage_free(statpage *p)
{
    if (!p)
        return;
    sd_event_source_disable_unref(p->watch);
    if (p->map) {
        (void) g_unlink(p->path);   /* gone with the folder, perhaps */
        munmap(p->map, p->map_size);
    } else {
        g_free((void *) p->values);
    }
    g_free(p->path);
    g_free(p);
}
