/* zmmailboxd-intake: set-up only. */
#include <getopt.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "agents/store/intake/intake.h"
#include "lib/journal/journal.h"

#define GRACE_SECONDS 10             /* zimbraLmtpShutdownGraceSeconds' default */

static const char usage[] =
    "Usage: zmmailboxd-intake [OPTION]...\n"
    "Takes mail over LMTP for the shards of the mail store.\n\n"
    "  --config FILE      settings (" PREFIX "/conf/mailboxd/mailboxd.conf)\n"
    "  --log-level LEVEL  error, warning, info, debug\n"
    "  --help             this text\n";

typedef struct { const char *config, *log_level; } arguments;

/* 0 go on, 1 help was given, 2 bad usage. */
static int parse_arguments(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' }, { "log-level", required_argument, NULL, 'l' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1; ) {
        switch (c) {
        case 'c': a->config = optarg; break;
        case 'l': a->log_level = optarg; break;
        case 'h': fputs(usage, stdout); return 1;
        default: fputs(usage, stderr); return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "zmmailboxd-intake: unexpected argument \"%s\"\n%s", argv[optind], usage);
        return 2;
    }
    return 0;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
    sd_notify(0, "STOPPING=1");
    intake_stop(data, GRACE_SECONDS);
    return 0;
}

static int serve(sd_event *event, intake *in)
{
    static const int stops[] = { SIGTERM, SIGINT };
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        int r = sd_event_add_signal(event, NULL, stops[i], on_signal, in);
        if (r < 0)
            return r;
    }
    (void) sd_event_set_watchdog(event, true);   /* fails only where systemd does not watch */
    sd_notify(0, "READY=1");
    return sd_event_loop(event);
}

int main(int argc, char **argv)
{
    arguments a = { .config = PREFIX "/conf/mailboxd/mailboxd.conf" };
    int r = parse_arguments(argc, argv, &a);
    if (r)
        return r == 1 ? EXIT_SUCCESS : r;
    journal_open("zmmailboxd-intake", a.log_level);
    g_autoptr(GError) error = NULL;
    intake_config config;
    if (!intake_config_load(a.config, &config, &error)) {
        journal_error("%s", error->message);
        return EXIT_FAILURE;
    }
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    sd_event *event;
    intake *in = NULL;
    if ((r = sd_event_default(&event)) < 0 || (r = intake_new(event, &config, &in)) < 0) {
        journal_error("cannot listen on the intake socket of %s: %s", a.config, g_strerror(-r));
        return EXIT_FAILURE;
    }
    r = serve(event, in);
    if (r < 0)
        journal_error("event loop: %s", g_strerror(-r));
    intake_free(in);
    sd_event_unref(event);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
