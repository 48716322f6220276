/* One run of the set-up engine on this host: see apply.h. */
#include "wizard/apply.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wizard/state.h"

#define LOCK_PATH SETUP_STATE_PATH ".lock"

enum { OWNER_MAX = 128 };

/* "process 512 on /dev/tty1", for whom the lock keeps out. */
static void sign(int fd)
{
    const char *terminal = isatty(STDIN_FILENO) ? ttyname(STDIN_FILENO) : NULL;
    g_autofree char *text = g_strdup_printf("process %d%s%s", (int) getpid(), terminal ? " on " : "", terminal ? terminal : "");
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) < 0)
        return;                                 /* a courtesy only */
}

bool apply_lock(char **ret_owner)
{
    char owner[OWNER_MAX + 1] = "";
    *ret_owner = NULL;
    int fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        sign(fd);
        return true;                            /* the descriptor stays open */
    }
    if (fd >= 0) {
        if (pread(fd, owner, OWNER_MAX, 0) >= 0)
            *ret_owner = g_strdup(*owner ? owner : "another process");
        close(fd);
    }
    return false;
}

setup_result apply(const answers *a, setup_show_fn show, GError **error)
{
    g_autoptr(localconfig) lc = localconfig_load(NULL, error);
    if (!lc)
        return SETUP_FAILED;
    setup s = { .answers = a, .lc = lc, .show = show };
    size_t n;
    const setup_step *steps = setup_steps(&n);
    setup_result result = setup_run(&s, SETUP_STATE_PATH, steps, n, error);
    g_clear_pointer(&s.dir, directory_close);
    g_clear_pointer(&s.bus, service_bus_free);
    return result;
}

apply_progress apply_state(size_t *ret_done, GError **error)
{
    g_autoptr(setup_state) state = state_load(SETUP_STATE_PATH, error);
    size_t n, done = 0;
    const setup_step *steps = setup_steps(&n);
    if (!state)
        return PROGRESS_NONE;
    for (size_t i = 0; i < n; i++)
        done += state_has(state, steps[i].name);
    if (ret_done)
        *ret_done = done;
    return state_is_complete(state) ? PROGRESS_COMPLETE : done ? PROGRESS_PARTLY : PROGRESS_NONE;
}
