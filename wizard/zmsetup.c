/* zmsetup --answers FILE: the unattended front end of the set-up engine.
 *
 * Exit status: 0 set up (or nothing to do), 1 a step failed (run it again to go
 * on), 2 usage, 3 the answers are not valid (nothing was changed), 4 this host
 * is set up already with other answers (nothing was changed). */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <sys/stat.h>

#include "wizard/setup.h"

#define LOCK_PATH SETUP_STATE_PATH ".lock"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_ANSWERS = 3, EXIT_SET_UP = 4 };

static char *arg_answers;
static gboolean arg_check;

static const GOptionEntry options[] = {
    { "answers", 'a', 0, G_OPTION_ARG_FILENAME, &arg_answers, "Answers of an unattended set-up", "FILE" },
    { "check", 'c', 0, G_OPTION_ARG_NONE, &arg_check, "Only check the answers; change nothing", NULL },
    { NULL }
};

static void show(step_event event, size_t number, size_t total, const char *text)
{
    switch (event) {
    case STEP_BEGINS:
        printf("[%2zu/%zu] %s ... ", number, total, text);
        break;
    case STEP_TELLS:
        printf(" %s", text);
        break;
    case STEP_DONE:
        puts(" done");
        break;
    case STEP_DONE_BEFORE:
        puts(" done before");
        break;
    case STEP_FAILED:
        puts(" failed");
        break;
    }
    fflush(stdout);
}

static int report(setup_result result, const answers *a, const GError *error)
{
    switch (result) {
    case SETUP_COMPLETE:
        printf("%s is set up.\n", a->host_name);
        return EXIT_SUCCESS;
    case SETUP_NOTHING_TO_DO:
        printf("%s is set up already; nothing to do.\n", a->host_name);
        return EXIT_SUCCESS;
    case SETUP_OTHER_ANSWERS:
        fprintf(stderr, "zmsetup: this host is set up already, with other answers; change settings with zmprov and "
                        "zmlocalconfig\n");
        return EXIT_SET_UP;
    case SETUP_FAILED:
        break;
    }
    fprintf(stderr, "zmsetup: %s\nWhen the cause is gone, run the same command again: it goes on where it stopped.\n",
            error->message);
    return EXIT_FAILED;
}

/* One set-up at a time; the lock goes with the process. */
static bool lock(void)
{
    int fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static int set_up(const answers *a)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(localconfig) lc = localconfig_load(NULL, &error);
    if (!lc)
        return report(SETUP_FAILED, a, error);
    setup s = { .answers = a, .lc = lc, .show = show };
    size_t n;
    const setup_step *steps = setup_steps(&n);
    setup_result result = setup_run(&s, SETUP_STATE_PATH, steps, n, &error);
    g_clear_pointer(&s.dir, directory_close);
    g_clear_pointer(&s.bus, service_bus_free);
    return report(result, a, error);
}

int main(int argc, char **argv)
{
    umask(022);    /* modes are given where files are made; a stricter caller must not hide what services read */
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- set this host up");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1 || !arg_answers) {
        fprintf(stderr, "zmsetup: %s; see --help\n", error ? error->message : "--answers FILE must be given");
        return EXIT_USAGE;
    }
    g_autoptr(answers) a = answers_read(arg_answers, &error);
    if (!a) {
        fprintf(stderr, "zmsetup: %s: the answers are not valid; nothing was changed\n%s\n", arg_answers, error->message);
        return EXIT_ANSWERS;
    }
    if (arg_check) {
        printf("%s: the answers are valid.\n", arg_answers);
        return EXIT_SUCCESS;
    }
    if (geteuid() != 0) {
        fprintf(stderr, "zmsetup: only root can set a host up\n");
        return EXIT_FAILED;
    }
    if (!lock()) {
        fprintf(stderr, "zmsetup: another set-up is running, or " LOCK_PATH " cannot be made\n");
        return EXIT_FAILED;
    }
    return set_up(a);
}
