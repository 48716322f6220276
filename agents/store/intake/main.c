/* zmmailboxd-intake: set-up only. */
#include <sysexits.h>

#include "agents/store/intake/intake.h"
#include "lib/daemon/daemon.h"
#include "lib/journal/journal.h"

#define CONFIG_PATH PREFIX "/conf/mailboxd/mailboxd.conf"
#define GRACE_SECONDS 10             /* zimbraLmtpShutdownGraceSeconds' default */

static char *arg_config;
static const GOptionEntry options[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (" CONFIG_PATH ")", "FILE" },
    { NULL },
};

static int on_stop(sd_event *event, void *data)
{
    intake_stop(data, GRACE_SECONDS);
    return 0;
}

static int serve(sd_event *event, intake_config *config)
{
    intake *in = NULL;
    int r = intake_new(event, config, &in);
    if (r < 0) {
        journal_error("cannot listen on the intake socket below %s: %s", config->socket_dir, g_strerror(-r));
        return EX_UNAVAILABLE;
    }
    int problem;
    in->numbers = statpage_new(NULL, "zmmailboxd-intake", intake_numbers, NUMBERS, &problem);
    if (problem < 0)
        journal_warning("no statistics: the page in %s cannot be made: %s", STATPAGE_FOLDER, g_strerror(-problem));
    r = statpage_watch_descriptors(in->numbers, event, NUMBER_OPEN_DESCRIPTORS);
    g_assert(r >= 0);
    r = daemon_serve(event, on_stop, in);
    statpage *numbers = in->numbers;
    intake_free(in);
    statpage_free(numbers);
    return r;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    intake_config config;
    if (!daemon_arguments("zmmailboxd-intake", "- take mail over LMTP for the shards of the mail store", options, argc, argv))
        return EX_USAGE;
    if (!intake_config_load(arg_config ? arg_config : CONFIG_PATH, &config, &error))
        return daemon_failed(EX_CONFIG, error);
    sd_event *event = daemon_event();
    if (!event)
        return EX_OSERR;
    int r = serve(event, &config);
    sd_event_unref(event);
    return r;
}
