/* One child at a time: fork, own process group, output through pipes with a
 * bound, killed with its group when the time is over. Used from the worker
 * thread, so between fork and exec only async-signal-safe calls are made. */
#include "configd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (16 * 1024)
#define CANNOT_RUN 127

G_DEFINE_QUARK(mailstead-command-error-quark, command_error)

typedef struct {
    uid_t uid;
    gid_t gid;
    gid_t groups[32];
    int n_groups;
} identity;

void command_result_clear(command_result *r)
{
    g_clear_pointer(&r->out, g_free);
    g_clear_pointer(&r->err, g_free);
}

static bool find_identity(const char *text, identity *ret, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    struct passwd pwd, *p = NULL;
    struct group grp, *g = NULL;
    char buffer[4096];

    if (getpwnam_r(parts[0], &pwd, buffer, sizeof buffer, &p) || !p) {
        g_set_error(error, COMMAND_ERROR, ENOENT, "user %s does not exist", parts[0]);
        return false;
    }
    ret->uid = p->pw_uid;
    ret->gid = p->pw_gid;
    ret->n_groups = G_N_ELEMENTS(ret->groups);
    if (parts[1]) {
        if (getgrnam_r(parts[1], &grp, buffer, sizeof buffer, &g) || !g) {
            g_set_error(error, COMMAND_ERROR, ENOENT, "group %s does not exist", parts[1]);
            return false;
        }
        ret->gid = g->gr_gid;
    }
    if (getgrouplist(parts[0], ret->gid, ret->groups, &ret->n_groups) < 0)
        ret->n_groups = 1;
    return true;
}

/* In the child: becomes the program. */
static G_GNUC_NORETURN void become(const command *c, const identity *id, int in, int out, int err)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(CANNOT_RUN);
    if (id && (setgroups(id->n_groups, id->groups) < 0 || setgid(id->gid) < 0 || setuid(id->uid) < 0))
        _exit(CANNOT_RUN);
    execve(c->argv[0], c->argv, c->envp);
    _exit(CANNOT_RUN);
}

static int make_input(const char *text)
{
    int fd = text ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    size_t len = text ? strlen(text) : 0;
    if (fd >= 0 && len && (write(fd, text, len) != (ssize_t) len || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void drain(struct pollfd *p, GString *into)
{
    char buffer[4096];
    ssize_t n = read(p->fd, buffer, sizeof buffer);
    if (n > 0) {
        g_string_append_len(into, buffer, MIN(n, (ssize_t) (OUTPUT_MAX - into->len)));
    } else if (n == 0 || errno != EINTR) {
        close(p->fd);
        p->fd = -1;
    }
}

/* Reads both pipes until both are closed or the time is over. */
static bool collect(int out, int err, gint64 end, GString *out_text, GString *err_text)
{
    struct pollfd fds[2] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
    bool in_time = true;

    while (in_time && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
        gint64 left = (end - g_get_monotonic_time()) / 1000;
        if (left <= 0) {
            in_time = false;
        } else if (poll(fds, 2, left) > 0) {
            if (fds[0].revents)
                drain(&fds[0], out_text);
            if (fds[1].revents)
                drain(&fds[1], err_text);
        }
    }
    for (int i = 0; i < 2; i++)
        if (fds[i].fd >= 0)
            close(fds[i].fd);
    return in_time;
}

/* False when PID still runs after MS. */
static bool ends_within(pid_t pid, gint64 ms)
{
    int fd = pidfd_open(pid, 0);
    if (fd < 0)
        return true;     /* gone already: waitpid() will not block */
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n;
    do
        n = poll(&p, 1, MAX(ms, 0));
    while (n < 0 && errno == EINTR);
    close(fd);
    return n > 0;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return CANNOT_RUN;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool command_run(const command *c, command_result *ret, GError **error)
{
    identity id;
    int out[2] = { -1, -1 }, err[2] = { -1, -1 }, in = -1;
    pid_t pid = -1;

    if (c->user && !find_identity(c->user, &id, error))
        return false;
    if (access(c->argv[0], X_OK) == 0 && (in = make_input(c->input)) >= 0 &&
        pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
        pid = fork();
    int code = errno;
    if (pid == 0)
        become(c, c->user ? &id : NULL, in, out[1], err[1]);
    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? in : i == 1 ? out[1] : err[1];
        if (fd >= 0)
            close(fd);
    }
    if (pid < 0) {
        if (out[0] >= 0)
            close(out[0]);
        if (err[0] >= 0)
            close(err[0]);
        g_set_error(error, COMMAND_ERROR, code, "%s cannot be run: %s", c->argv[0], g_strerror(code));
        return false;
    }
    g_autoptr(GString) out_text = g_string_new(NULL), err_text = g_string_new(NULL);
    gint64 end = g_get_monotonic_time() + c->timeout_s * G_USEC_PER_SEC;
    ret->timed_out = !collect(out[0], err[0], end, out_text, err_text) ||
                     !ends_within(pid, (end - g_get_monotonic_time()) / 1000);
    if (ret->timed_out)
        kill(-pid, SIGKILL);
    ret->status = wait_for(pid);
    ret->out = g_utf8_make_valid(out_text->str, out_text->len);
    ret->err = g_utf8_make_valid(err_text->str, err_text->len);
    return true;
}
