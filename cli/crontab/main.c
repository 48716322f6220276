/* crontab: the schedule as cron's command shows it (Guide appendix C). There is
 * no cron daemon: zimbra-generator makes timers of the entries. -l prints the
 * system's block and the site's part, -e edits the site's part. */
#include <grp.h>
#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/crontab/crontab.h"
#include "lib/cron/cron.h"

#define ONLY_ZIMBRA "only root and zimbra use the crontab (su - zimbra)"

static void print_usage(FILE *out)
{
    fprintf(out, "usage: crontab [-u zimbra] -l | -e | -T FILE | FILE | -\n"
            "\t-l       print the schedule: the system's block, then the site's own jobs\n"
            "\t-e       edit the site's own jobs with $VISUAL or $EDITOR\n"
            "\t-T FILE  check FILE and print each entry with its times as systemd calls them\n"
            "\tFILE, -  replace the site's own jobs by FILE or the standard input\n"
            "\t-h       print this\n"
            "next runs: systemctl list-timers 'zimbra-job-*'\n");
}

static int wrong(const char *text)
{
    fprintf(stderr, "crontab: %s\n", text);
    return EXIT_WRONG;
}

static int list(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *block = block_text(), *own = site_text(&error);
    fputs(block, stdout);
    if (!own) {
        fprintf(stderr, "crontab: %s\n", error->message);
        return EXIT_FAILED;
    }
    fputs(own, stdout);
    return EXIT_OK;
}

static char *read_input(const char *path, GError **error)
{
    g_autoptr(GIOChannel) in = NULL;
    char *text = NULL;
    if (!g_str_equal(path, "-"))
        return g_file_get_contents(path, &text, NULL, error) ? text : NULL;
    in = g_io_channel_unix_new(STDIN_FILENO);
    g_io_channel_set_encoding(in, NULL, NULL);
    return g_io_channel_read_to_end(in, &text, NULL, error) == G_IO_STATUS_NORMAL ? text : NULL;
}

static int check(const char *path, const char *text)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) cron_entry_free);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    cron_parse(path, text, strlen(text), entries, problems);
    for (guint i = 0; i < entries->len; i++) {
        const cron_entry *e = entries->pdata[i];
        g_auto(GStrv) calendars = cron_time_calendars(&e->when, e->zone);
        printf("%u: %s %s\n", e->line, e->schedule, e->command);
        for (size_t n = 0; calendars[n]; n++)
            printf("\tOnCalendar=%s\n", calendars[n]);
    }
    for (guint i = 0; i < problems->len; i++)
        fprintf(stderr, "crontab: %s\n", (char *) problems->pdata[i]);
    return problems->len ? EXIT_FAILED : EXIT_OK;
}

static int with_file(const char *path, int (*run)(const char *, const char *))
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_input(path, &error);
    if (text)
        return run(path, text);
    fprintf(stderr, "crontab: %s: %s\n", path, error->message);
    return EXIT_FAILED;
}

/* The crontab is zimbra's: root, too, reads and writes it with zimbra's rights only. */
static bool become_zimbra(void)
{
    const struct passwd *pw = getpwnam("zimbra");
    if (pw && geteuid() == pw->pw_uid)
        return true;
    return pw && geteuid() == 0 && setgroups(0, NULL) == 0 && setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0;
}

static int install_file(const char *path, const char *text)
{
    return become_zimbra() ? install_text(path, text) : wrong(ONLY_ZIMBRA);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    int action = 0;
    const char *file = NULL;
    if (argc == 2 && g_str_equal(argv[1], "--help")) {
        print_usage(stdout);
        return EXIT_OK;
    }
    for (int opt; (opt = getopt(argc, argv, "+:u:leriT:hn:csx:V")) != -1; ) {
        if (opt == 'h') {
            print_usage(stdout);
            return EXIT_OK;
        }
        if (opt == 'r')
            return wrong("-r is refused: the system's jobs (log pruning, queue logging, backup…) cannot go; "
                         "to remove your own jobs use crontab -e");
        if (opt == 'u' && !g_str_equal(optarg, "zimbra"))
            return wrong("-u: only zimbra has a crontab here; jobs of other users are systemd timers (systemd.timer(5))");
        if (opt == ':' || opt == '?' || !strchr("uleT", opt) || (opt != 'u' && action)) {
            print_usage(stderr);
            return opt == ':' || opt == '?' || action ? EXIT_WRONG : wrong("that option of cron's has no meaning here");
        }
        if (opt != 'u')
            action = opt;
        if (opt == 'T')
            file = optarg;
    }
    if (!action && optind == argc - 1)
        file = argv[optind++];
    if (optind != argc || (!action && !file)) {
        print_usage(stderr);
        return EXIT_WRONG;
    }
    if (file)
        return with_file(file, action == 'T' ? check : install_file);
    if (!become_zimbra())
        return wrong(ONLY_ZIMBRA);
    return action == 'l' ? list() : edit_site();
}
