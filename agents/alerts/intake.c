/* See intake.h. What is no alert is dropped; the journal has a line for the first
 * of each kind of trouble a minute. */
#include "agents/alerts/intake.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/journal/journal.h"
#include "lib/localsocket/localsocket.h"

enum { BATCH = 64, FIRST_LOGIN_UID = 1000 };

struct intake {
    manager *m;
    int fd;
    sd_event_source *source;
    gint64 complained_usec;
};

bool intake_may_raise(uid_t uid)
{
    return uid < FIRST_LOGIN_UID;
}

static void complain(intake *i, uid_t uid, const char *why)
{
    gint64 now = g_get_monotonic_time();
    if (i->complained_usec && now - i->complained_usec < 60 * G_USEC_PER_SEC)
        return;
    i->complained_usec = now;
    journal_warning("a datagram of uid %u is dropped: %s", (unsigned) uid, why);
}

static bool sender_of(struct msghdr *h, uid_t *ret)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred who;
            memcpy(&who, CMSG_DATA(c), sizeof who);
            *ret = who.uid;
            return true;
        }
    return false;
}

static bool take_one(intake *i)
{
    char bytes[ALERT_MAX_BYTES + 1];
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(struct ucred))]; } control;
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    ssize_t n = recvmsg(i->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return false;
    uid_t uid;
    g_autoptr(alert) a = NULL;
    if (!sender_of(&h, &uid))
        complain(i, (uid_t) -1, "its sender is not known");
    else if (!intake_may_raise(uid))
        complain(i, uid, "only root and users of services may raise alerts");
    else if (alert_parse(bytes, (size_t) n, &a) < 0)
        complain(i, uid, "it is no alert (lib/alert/alert.h has the form)");
    else
        manager_take(i->m, a);
    return true;
}

static int on_datagram(sd_event_source *s, int fd, uint32_t events, void *data)
{
    for (int n = 0; n < BATCH && take_one(data); n++)
        ;
    return 0;
}

intake *intake_new(manager *m, const char *path, GError **error)
{
    int fd = localsocket_listen(path, SOCK_DGRAM, 0666, NULL, error);
    if (fd < 0)
        return NULL;
    intake *i = g_new0(intake, 1);
    *i = (intake) { .m = m, .fd = fd };
    int r = sd_event_add_io(manager_event(m), &i->source, fd, EPOLLIN, on_datagram, i);
    if (r >= 0)
        return i;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "%s: %s", path, g_strerror(-r));
    intake_free(i);
    return NULL;
}

void intake_free(intake *i)
{
    if (!i)
        return;
    sd_event_source_disable_unref(i->source);
    if (i->fd >= 0)
        close(i->fd);
    g_free(i);
}
