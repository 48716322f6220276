/* zmsetup: the front ends of the set-up engine: an answer file (unattended), pages
 * on a terminal (front-newt.c), or numbered lines (front-plain.c).
 *
 * Exit status: 0 set up (or nothing to do), 1 a step failed or the wizard was left
 * (run it again to go on), 2 usage, 3 the answers are not valid (nothing was
 * changed), 4 this host is set up already, with other answers (nothing was
 * changed). */
#include <sys/stat.h>
#include <unistd.h>

#include "wizard/apply.h"
#include "wizard/interview.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_ANSWERS = 3, EXIT_SET_UP = 4 };

static char *arg_answers;
static gboolean arg_check, arg_plain;

static const GOptionEntry options[] = {
    { "answers", 'a', 0, G_OPTION_ARG_FILENAME, &arg_answers, "Answers of an unattended set-up", "FILE" },
    { "check", 'c', 0, G_OPTION_ARG_NONE, &arg_check, "Only check the answers; change nothing", NULL },
    { "plain", 'p', 0, G_OPTION_ARG_NONE, &arg_plain, "Ask in plain lines, without drawing", NULL },
    { NULL }
};

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

static bool take_lock(void)
{
    g_autofree char *owner = NULL;
    if (geteuid() != 0) {
        fprintf(stderr, "zmsetup: only root can set a host up\n");
        return false;
    }
    if (apply_lock(&owner))
        return true;
    if (owner)
        fprintf(stderr, "zmsetup: another set-up is running (%s)\n", owner);
    else
        fprintf(stderr, "zmsetup: " SETUP_STATE_PATH ".lock cannot be made\n");
    return false;
}

static int unattended(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(answers) a = answers_read(arg_answers, &error);
    if (!a) {
        fprintf(stderr, "zmsetup: %s: the answers are not valid; nothing was changed\n%s\n", arg_answers, error->message);
        return EXIT_ANSWERS;
    }
    if (arg_check) {
        printf("%s: the answers are valid.\n", arg_answers);
        return EXIT_SUCCESS;
    }
    if (!take_lock())
        return EXIT_FAILED;
    setup_result result = apply(a, front_plain.show, &error);
    return report(result, a, error);
}

static int interactive(void)
{
    g_autoptr(GError) error = NULL;
    if (!take_lock())
        return EXIT_FAILED;
    switch (interview(!arg_plain && front_newt_fits() ? &front_newt : &front_plain, &error)) {
    case INTERVIEW_SET_UP:
        return EXIT_SUCCESS;
    case INTERVIEW_LEFT:
        puts("The host is not set up. The answers are kept; zmsetup goes on with them.");
        return EXIT_FAILED;
    case INTERVIEW_FAILED:
        break;
    }
    fprintf(stderr, "zmsetup: %s\n", error->message);
    return EXIT_SET_UP;
}

int main(int argc, char **argv)
{
    umask(022);    /* modes are given where files are made; a stricter caller must not hide what services read */
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- set this host up");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1 || (arg_check && !arg_answers)) {
        fprintf(stderr, "zmsetup: %s; see --help\n",
                error ? error->message : argc > 1 ? "unexpected argument" : "--check needs --answers");
        return EXIT_USAGE;
    }
    if (!arg_answers && !isatty(STDIN_FILENO) && !arg_plain) {
        fprintf(stderr, "zmsetup: not at a terminal: give --answers FILE, or --plain to read answers from the input\n");
        return EXIT_USAGE;
    }
    return arg_answers ? unattended() : interactive();
}
