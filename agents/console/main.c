/* zmconsole: keeps the status line above the login prompt of the appliance's
 * consoles. It asks every few seconds; when the line changed it writes agetty's
 * issue file and has agetty show it. It leaves the login to agetty and login(1),
 * and set-up to zmsetup. Nothing secret passes through it: what it writes is shown
 * to everybody who stands at the console. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "agents/console/status.h"
#include "lib/daemon/daemon.h"

#define ISSUE_PATH "/run/issue.d/mailstead.issue"
#define AGETTY     "/sbin/agetty"

enum { PERIOD_S = 5 };

typedef struct {
    service_bus *bus;           /* NULL: opened at the next look */
    char *shown;
} console;

static gboolean arg_once;

static const GOptionEntry options[] = {
    { "once", '1', 0, G_OPTION_ARG_NONE, &arg_once, "Print the status line and end", NULL },
    { NULL }
};

static char *look(console *c)
{
    if (!c->bus)
        c->bus = service_bus_open(NULL);        /* the status line tells that there is none */
    g_autoptr(console_status) s = status_ask(c->bus);
    if (s->unknown)
        g_clear_pointer(&c->bus, service_bus_free);
    return status_text(s);
}

/* agetty prints its issue anew unless somebody has begun to type a name. posix_spawn
 * needs no thread of GLib's, whose scheduling calls the unit's filter refuses. */
static bool reload(GError **error)
{
    char *argv[] = { (char *) AGETTY, (char *) "--reload", NULL };
    int status;
    pid_t pid;
    int r = posix_spawn(&pid, AGETTY, NULL, NULL, argv, environ);
    if (r == 0 && waitpid(pid, &status, 0) < 0)
        r = errno;
    if (r == 0 && status == 0)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, AGETTY " --reload: %s", r ? g_strerror(r) : "it failed");
    return false;
}

static bool show(const char *text, GError **error)
{
    return g_file_set_contents_full(ISSUE_PATH, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error) && reload(error);
}

static void refresh(console *c)
{
    g_autofree char *text = look(c);
    g_autoptr(GError) error = NULL;
    if (g_strcmp0(text, c->shown) == 0)
        return;
    if (!show(text, &error)) {
        sd_journal_print(LOG_ERR, "The status line cannot be shown: %s; it is tried again.", error->message);
        return;
    }
    g_free(c->shown);
    c->shown = g_steal_pointer(&text);
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
    refresh(data);
    (void) sd_event_source_set_time_relative(source, PERIOD_S * G_USEC_PER_SEC);    /* fails without a clock only */
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int serve(console *c)
{
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    refresh(c);
    int r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, PERIOD_S * G_USEC_PER_SEC, 0, on_time, c);
    if (r < 0)
        sd_journal_print(LOG_ERR, "No timer for the status line: %s", g_strerror(-r));
    int code = r < 0 ? EX_OSERR : daemon_serve(event, NULL, NULL);
    sd_event_unref(event);
    return code;
}

int main(int argc, char **argv)
{
    console c = { 0 };
    int code = EX_OK;
    if (!daemon_arguments("zmconsole", "- show the status line on the consoles", options, argc, argv))
        return EX_USAGE;
    if (arg_once) {
        g_autofree char *text = look(&c);
        fputs(text, stdout);
    } else {
        code = serve(&c);
    }
    g_clear_pointer(&c.bus, service_bus_free);
    g_free(c.shown);
    return code;
}
