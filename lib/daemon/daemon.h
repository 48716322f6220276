/* The start and the end that every daemon of ours shares: arguments, journal,
 * signals, event loop, and what systemd is told (sd_notify(3), Type=notify).
 * Exit codes are sysexits'. */
#ifndef MAILSTEAD_DAEMON_H
#define MAILSTEAD_DAEMON_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

/* Parses ARGV by OPTIONS and opens the journal under NAME. PURPOSE completes the
 * usage line of --help ("- decide every login of this host"); what is left over
 * must be taken by a G_OPTION_REMAINING entry. The journal's level is the
 * environment's MAILSTEAD_LOG_LEVEL. False: the reason is on stderr and main
 * returns EX_USAGE. */
bool daemon_arguments(const char *name, const char *purpose, const GOptionEntry *options, int argc, char **argv);

/* The event loop of this thread. From here on SIGTERM, SIGINT and SIGHUP wait for
 * daemon_serve() or a source of the caller's, in this and in every later thread,
 * and SIGPIPE is ignored. NULL: logged, main returns EX_OSERR. The caller owns the
 * reference. */
sd_event *daemon_event(void);

/* Tells systemd READY, serves until SIGTERM or SIGINT, then tells it STOPPING.
 * With ON_STOP the signal calls that, once, instead of ending the loop: it
 * finishes what is under way and calls sd_event_exit(). The watchdog is fed
 * where the unit asks for it. Returns the exit code. */
typedef int (*daemon_stop_handler)(sd_event *event, void *data);
int daemon_serve(sd_event *event, daemon_stop_handler on_stop, void *data);

/* The same without READY and without the watchdog, for a daemon that is ready only
 * later and feeds the watchdog by what it has got done. */
int daemon_loop(sd_event *event, daemon_stop_handler on_stop, void *data);

/* Logs ERROR's message as why the daemon cannot serve and returns CODE. */
int daemon_failed(int code, const GError *error);

#endif
