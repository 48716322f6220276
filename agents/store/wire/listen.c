/* The listening side of the store's sockets: accepts peers that run as one of the
 * allowed users and holds their connections until they are lost. */
#include "agents/store/wire/wire.h"

#include <errno.h>
#include <pwd.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

struct wire_listener {
    sd_event *event;
    sd_event_source *io;
    int fd;
    char *path;              /* NULL: the socket is systemd's */
    GArray *uids;
    wire_handler handler;
    void *data;
    GHashTable *conns;       /* set of wire_conn */
};

static void on_message(wire_conn *c, wire_message *m, void *data)
{
    wire_listener *l = data;
    l->handler(c, m, l->data);
    if (!m)
        g_hash_table_remove(l->conns, c);
}

static bool allowed(const wire_listener *l, int fd)
{
    uid_t uid;
    if (!localsocket_peer(fd, &uid))
        return false;
    for (guint i = 0; i < l->uids->len; i++)
        if (g_array_index(l->uids, uid_t, i) == uid)
            return true;
    return uid == 0 || uid == geteuid();
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    wire_listener *l = data;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0)
        return 0;
    wire_conn *c;
    if (!allowed(l, peer) || wire_conn_new(l->event, peer, on_message, l, &c) < 0)
        close(peer);
    else
        g_hash_table_add(l->conns, c);
    return 0;
}

/* Users that do not exist on this host cannot connect; that is no error. */
static GArray *uids_of(const char *const *users)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(uid_t));
    for (size_t i = 0; users && users[i]; i++) {
        struct passwd pw, *found;
        char names[4096];
        if (getpwnam_r(users[i], &pw, names, sizeof names, &found) == 0 && found)
            g_array_append_val(uids, pw.pw_uid);
    }
    return uids;
}

/* The first seqpacket socket that systemd passed, -1 none. */
static int passed_socket(void)
{
    int n = sd_listen_fds(0);
    for (int i = 0; i < n; i++)
        if (sd_is_socket_unix(SD_LISTEN_FDS_START + i, SOCK_SEQPACKET, 1, NULL, 0) > 0)
            return SD_LISTEN_FDS_START + i;
    return -1;
}

int wire_listen(sd_event *event, const char *path, const char *const *users, wire_handler handler, void *data, wire_listener **ret)
{
    int passed = passed_socket(), fd = passed >= 0 ? passed : localsocket_listen(path, SOCK_SEQPACKET, 0666, NULL, NULL);
    if (fd < 0)
        return fd;
    wire_listener *l = g_new0(wire_listener, 1);
    *l = (wire_listener) { .event = sd_event_ref(event), .fd = fd, .path = passed >= 0 ? NULL : g_strdup(path),
                           .uids = uids_of(users), .handler = handler, .data = data,
                           .conns = g_hash_table_new_full(NULL, NULL, (GDestroyNotify) wire_conn_unref, NULL) };
    int r = sd_event_add_io(event, &l->io, fd, EPOLLIN, on_accept, l);
    if (r < 0) {
        wire_listener_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void wire_listener_free(wire_listener *l)
{
    if (!l)
        return;
    sd_event_source_disable_unref(l->io);
    g_hash_table_unref(l->conns);
    close(l->fd);
    if (l->path)
        (void) unlink(l->path);   /* gone already is as good */
    sd_event_unref(l->event);
    g_array_unref(l->uids);
    g_free(l->path);
    g_free(l);
}
