/* zmmailboxd-shard: set-up only. */
#include <inttypes.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "agents/store/shard/numbers.h"
#include "agents/store/shard/service.h"
#include "lib/daemon/daemon.h"
#include "lib/journal/journal.h"

#define CONFIG_PATH PREFIX "/conf/mailboxd/mailboxd.conf"

static char *arg_config, **arg_numbers;
static const GOptionEntry options[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &arg_config, "Settings (" CONFIG_PATH ")", "FILE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &arg_numbers, "Number of the shard", "NUMBER" },
    { NULL },
};

enum { STATUS_SECONDS = 10, DRAIN_USEC = 20000, DRAIN_ROUNDS = 250 };

typedef struct {
    shard_context context;
    shard_settings settings;
    shard_server *server;
    shard_numbers *numbers;
    unsigned drain_rounds;
} program;

static bool parse_number(unsigned *ret)
{
    guint64 number;
    if (!arg_numbers || !arg_numbers[0] || arg_numbers[1] ||
        !g_ascii_string_to_unsigned(arg_numbers[0], 10, 0, 63, &number, NULL)) {
        fprintf(stderr, "zmmailboxd-shard: the number of the shard (0 to 63) is wanted; see --help\n");
        return false;
    }
    *ret = (unsigned) number;
    return true;
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

static int on_stop(sd_event *event, void *data)
{
    return sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, DRAIN_USEC, 0, on_drain, data);
}

static int open_shard(program *p)
{
    (void) sd_notify(0, "STATUS=Recovering\nEXTEND_TIMEOUT_USEC=600000000");
    int r = shard_open(p->context.event, &p->settings.store, &p->context.shard);
    if (r == 0)
        r = shard_listen(&p->context, &p->server);
    return r < 0 ? r : sd_event_add_time_relative(p->context.event, NULL, CLOCK_MONOTONIC, 0, 0, on_status, p);
}

static int serve(program *p, unsigned number)
{
    p->numbers = shard_numbers_new(number);
    p->settings.store.numbers = p->numbers;
    int r = open_shard(p);
    if (r >= 0)
        r = statpage_watch_descriptors(p->numbers->page, p->context.event, NUMBER_OPEN_DESCRIPTORS);
    if (r < 0) {
        journal_error("Shard %u ends: %s", number, g_strerror(-r));
        r = EX_UNAVAILABLE;
    } else {
        r = daemon_serve(p->context.event, on_stop, p);
    }
    shard_server_free(p->server);
    shard_close(p->context.shard);
    shard_numbers_free(p->numbers);
    return r;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    program p = { 0 };
    unsigned number;
    if (!daemon_arguments("zmmailboxd-shard", "- own the mailboxes of one shard of the mail store", options, argc, argv) ||
        !parse_number(&number))
        return EX_USAGE;
    if (!shard_settings_load(arg_config ? arg_config : CONFIG_PATH, number, &p.settings, &error))
        return daemon_failed(EX_CONFIG, error);
    p.context.settings = &p.settings;
    p.context.event = daemon_event();    /* before any thread: they must not take the signals */
    if (!p.context.event)
        return EX_OSERR;
    int r = serve(&p, number);
    sd_event_unref(p.context.event);
    shard_settings_clear(&p.settings);
    return r;
}
