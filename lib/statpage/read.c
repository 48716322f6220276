/* The reader's side of a page: see statpage.h. The file is copied, not mapped: its
 * owner may cut it short at any time, which would be a SIGBUS for who maps it.
 * The kernel copies aligned words whole, so a value is never half old. */
#include "lib/statpage/statpage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/statpage/layout.h"

static bool name_good(const statpage_entry *e)
{
    if (!memchr(e->name, '\0', sizeof e->name) || e->name[0] < 'a' || e->name[0] > 'z')
        return false;
    for (const char *c = e->name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '.'))
            return false;
    return e->kind == STATPAGE_COUNTER || e->kind == STATPAGE_GAUGE;
}

static int check_head(const statpage_head *head, size_t len)
{
    if (memcmp(head->magic, STATPAGE_MAGIC, sizeof head->magic) != 0)
        return -EBADMSG;
    if (head->version != STATPAGE_VERSION)
        return -EPROTO;
    if (head->n == 0 || head->n > STATPAGE_MAX_VALUES || head->pid <= 0)
        return -EBADMSG;
    return head->size == statpage_size(head->n) && len == head->size ? 0 : -EMSGSIZE;
}

int statpage_parse(const void *bytes, size_t len, statpage_copy *ret)
{
    statpage_head head;
    if (len < sizeof head)
        return -EMSGSIZE;
    memcpy(&head, bytes, sizeof head);
    int r = check_head(&head, len);
    if (r < 0)
        return r;
    statpage_copy c = { .pid = head.pid, .started_us = head.started_us, .n = head.n };
    c.values = calloc(c.n, sizeof *c.values);
    if (!c.values)
        return -ENOMEM;
    const char *entries = (const char *) bytes + sizeof head, *values = entries + c.n * sizeof(statpage_entry);
    for (size_t i = 0; i < c.n; i++) {
        statpage_entry e;
        memcpy(&e, entries + i * sizeof e, sizeof e);
        if (!name_good(&e)) {
            statpage_copy_clear(&c);
            return -EBADMSG;
        }
        memcpy(c.values[i].name, e.name, sizeof e.name);
        c.values[i].kind = (statpage_kind) e.kind;
        memcpy(&c.values[i].value, values + i * sizeof(uint64_t), sizeof(uint64_t));
    }
    *ret = c;
    return 0;
}

/* Reads up to SIZE bytes from the start; the length, or negative errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = pread(fd, bytes + have, size - have, (off_t) have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        have += (size_t) n;
    }
    return (ssize_t) have;
}

int statpage_read(const char *path, statpage_copy *ret)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? -EBADMSG : -errno;
    struct stat st;
    size_t most = statpage_size(STATPAGE_MAX_VALUES);
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && (!S_ISREG(st.st_mode) || (size_t) st.st_size > most))
        r = -EBADMSG;
    char *bytes = r == 0 ? malloc(most) : NULL;
    if (r == 0) {
        ssize_t n = bytes ? read_all(fd, bytes, most) : -ENOMEM;
        r = n < 0 ? (int) n : statpage_parse(bytes, (size_t) n, ret);
    }
    free(bytes);
    close(fd);
    return r;
}

void statpage_copy_clear(statpage_copy *c)
{
    free(c->values);
    c->values = NULL;
    c->n = 0;
}

bool statpage_copy_alive(const statpage_copy *c)
{
    return kill(c->pid, 0) == 0 || errno == EPERM;
}

bool statpage_copy_get(const statpage_copy *c, const char *name, uint64_t *ret)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->values[i].name, name) == 0) {
            *ret = c->values[i].value;
            return true;
        }
    return false;
}
