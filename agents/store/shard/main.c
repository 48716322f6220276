/* zmmailboxd-shard: set-up only. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "agents/store/shard/service.h"
#include "lib/journal/journal.h"

static const char usage[] =
    "Usage: zmmailboxd-shard [OPTION]... NUMBER\n"
    "Owns the mailboxes of one shard of the mail store.\n\n"
    "  --config FILE      settings (" PREFIX "/conf/mailboxd/mailboxd.conf)\n"
    "  --log-level LEVEL  error, warning, info, debug\n"
    "  --help             this text\n";

enum { STATUS_SECONDS = 10, DRAIN_USEC = 20000, DRAIN_ROUNDS = 250 };

typedef struct { const char *config, *log_level; unsigned number; } arguments;

typedef struct {
    shard_context context;
    shard_settings settings;
    shard_server *server;
    unsigned drain_rounds;
} program;

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
    guint64 number;
    if (optind + 1 != argc || !g_ascii_string_to_unsigned(argv[optind], 10, 0, 63, &number, NULL)) {
        fprintf(stderr, "zmmailboxd-shard: the number of the shard is wanted\n%s", usage);
        return 2;
    }
    a->number = (unsigned) number;
    return 0;
}

/* What `systemctl status` shows. */
static int on_status(sd_event_source *source, uint64_t usec, void *data)
{
    program *p = data;
    shard_stats st;
    shard_get_stats(p->context.shard, &st);
    (void) sd_notifyf(0, "STATUS=%" PRIu64 " mailboxes (%" PRIu64 " loaded), %" PRIu64 " messages stored, %" PRIu64 " changes in %" PRIu64
                      " flushes, %" PRIu64 " checkpoints, %" PRIu64 " bytes not applied",
                      st.mailboxes, st.mailboxes_loaded, st.appends, st.changes, st.flushes, st.checkpoints, st.bytes_unapplied);
    int r = sd_event_source_set_time_relative(source, STATUS_SECONDS * UINT64_C(1000000));
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Answers that wait for the log still go out. */
static int on_drain(sd_event_source *source, uint64_t usec, void *data)
{
    program *p = data;
    if (!shard_busy(p->context.shard) || ++p->drain_rounds > DRAIN_ROUNDS)
        return sd_event_exit(p->context.event, 0);
    int r = sd_event_source_set_time_relative(source, DRAIN_USEC);
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
    program *p = data;
    (void) sd_notify(0, "STOPPING=1");
    return sd_event_add_time_relative(p->context.event, NULL, CLOCK_MONOTONIC, DRAIN_USEC, 0, on_drain, p);
}

static int serve(program *p)
{
    static const int stops[] = { SIGTERM, SIGINT };
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        int r = sd_event_add_signal(p->context.event, NULL, stops[i] , on_signal, p);
        if (r < 0)
            return r;
    }
    int r = sd_event_add_time_relative(p->context.event, NULL, CLOCK_MONOTONIC, 0, 0, on_status, p);
    if (r < 0)
        return r;
    (void) sd_event_set_watchdog(p->context.event, true);   /* fails only where systemd does not watch */
    (void) sd_notify(0, "READY=1");
    return sd_event_loop(p->context.event);
}

static int run(program *p)
{
    int r = sd_event_default(&p->context.event);
    if (r < 0)
        return r;
    p->context.settings = &p->settings;
    (void) sd_notify(0, "STATUS=Recovering\nEXTEND_TIMEOUT_USEC=600000000");
    r = shard_open(p->context.event, &p->settings.store, &p->context.shard);
    if (r == 0)
        r = shard_listen(&p->context, &p->server);
    if (r == 0)
        r = serve(p);
    shard_server_free(p->server);
    shard_close(p->context.shard);
    sd_event_unref(p->context.event);
    return r;
}

int main(int argc, char **argv)
{
    arguments a = { .config = PREFIX "/conf/mailboxd/mailboxd.conf" };
    int r = parse_arguments(argc, argv, &a);
    if (r)
        return r == 1 ? EXIT_SUCCESS : r;
    journal_open("zmmailboxd-shard", a.log_level);
    program p = { 0 };
    g_autoptr(GError) error = NULL;
    if (!shard_settings_load(a.config, a.number, &p.settings, &error)) {
        journal_error("%s", error->message);
        return EXIT_FAILURE;
    }
    /* Before any thread: they must not take the signals. */
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    r = run(&p);
    if (r < 0)
        journal_error("Shard %u ends: %s", a.number, g_strerror(-r));
    shard_settings_clear(&p.settings);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
