/* lib/daemon: see daemon.h. */
#include "lib/daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "lib/journal/journal.h"

typedef struct { daemon_stop_handler on_stop; void *data; bool stopping; } stopper;

bool daemon_arguments(const char *name, const char *purpose, const GOptionEntry *options, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(purpose);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s: %s; see --help\n", name, error->message);
        return false;
    }
    if (argc > 1) {
        fprintf(stderr, "%s: unexpected argument \"%s\"; see --help\n", name, argv[1]);
        return false;
    }
    journal_open(name, g_getenv("MAILSTEAD_LOG_LEVEL"));
    return true;
}

sd_event *daemon_event(void)
{
    sd_event *event = NULL;
    sigset_t waiting;
    (void) sigemptyset(&waiting);
    (void) sigaddset(&waiting, SIGTERM);
    (void) sigaddset(&waiting, SIGINT);
    (void) sigaddset(&waiting, SIGHUP);
    int r = -pthread_sigmask(SIG_BLOCK, &waiting, NULL);
    if (r == 0)
        r = sd_event_default(&event);
    if (r < 0) {
        journal_error("no event loop: %s", g_strerror(-r));
        return NULL;
    }
    (void) signal(SIGPIPE, SIG_IGN);
    return event;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
    stopper *s = data;
    if (s->stopping)
        return 0;
    s->stopping = true;
    (void) sd_notify(false, "STOPPING=1");
    sd_event *event = sd_event_source_get_event(source);
    return s->on_stop ? s->on_stop(event, s->data) : sd_event_exit(event, EX_OK);
}

static int watch_signals(sd_event *event, stopper *s, sd_event_source **term, sd_event_source **interrupt)
{
    int r = sd_event_add_signal(event, term, SIGTERM, on_signal, s);
    return r < 0 ? r : sd_event_add_signal(event, interrupt, SIGINT, on_signal, s);
}

int daemon_loop(sd_event *event, daemon_stop_handler on_stop, void *data)
{
    stopper s = { on_stop, data, false };
    sd_event_source *term = NULL, *interrupt = NULL;
    int r = watch_signals(event, &s, &term, &interrupt);
    if (r >= 0)
        r = sd_event_loop(event);
    if (!s.stopping)
        (void) sd_notify(false, "STOPPING=1");
    if (r < 0)
        journal_error("event loop: %s", g_strerror(-r));
    (void) sd_event_source_disable_unref(term);
    (void) sd_event_source_disable_unref(interrupt);
    return r < 0 ? EX_SOFTWARE : r;
}

int daemon_serve(sd_event *event, daemon_stop_handler on_stop, void *data)
{
    (void) sd_event_set_watchdog(event, true);      /* none asked for outside a unit */
    (void) sd_notify(false, "READY=1");
    return daemon_loop(event, on_stop, data);
}

int daemon_failed(int code, const GError *error)
{
    journal_error("%s", error ? error->message : "cannot start");
    return code;
}
