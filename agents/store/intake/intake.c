/* The manager: takes LMTP connections from login and messages to parse from
 * shards, keeps one connection to each shard, and stops in order. */
#include "agents/store/intake/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "lib/journal/journal.h"

const statpage_def intake_numbers[NUMBERS] = {
    [NUMBER_MESSAGES] = { "lmtp_messages", STATPAGE_COUNTER }, [NUMBER_BYTES] = { "lmtp_bytes", STATPAGE_COUNTER },
    [NUMBER_RECIPIENTS] = { "lmtp_recipients", STATPAGE_COUNTER }, [NUMBER_DELIVERED] = { "delivered_messages", STATPAGE_COUNTER },
    [NUMBER_DELIVERED_BYTES] = { "delivered_bytes", STATPAGE_COUNTER }, [NUMBER_LMTP_US] = { "lmtp_us", STATPAGE_COUNTER },
    [NUMBER_SESSIONS] = { "sessions", STATPAGE_GAUGE }, [NUMBER_OPEN_DESCRIPTORS] = { "open_descriptors", STATPAGE_GAUGE },
};

static void shard_message(wire_conn *c, wire_message *m, void *data)
{
    intake *in = data;
    if (m) {                     /* shards only answer on this connection, and ask on their own */
        if (m->type == WIRE_PARSE)
            parsing_start(in, c, m);
        return;
    }
    for (unsigned i = 0; i < in->config.shards; i++)
        if (in->shards[i] == c) {
            journal_warning("lost the connection to shard %u; the next delivery connects again", i);
            g_clear_pointer(&in->shards[i], wire_conn_unref);
        }
}

wire_conn *intake_shard(intake *in, unsigned number)
{
    if (!in->shards[number]) {
        g_autofree char *path = g_strdup_printf("%s/shard-%u", in->config.socket_dir, number);
        int r = wire_connect(in->event, path, shard_message, in, &in->shards[number]);
        if (r < 0) {
            journal_warning("shard %u is not reachable at %s: %s", number, path, g_strerror(-r));
            return NULL;
        }
    }
    return in->shards[number];
}

static void accept_lmtp(intake *in, wire_message *m)
{
    int fd = wire_take_fd(m, 0), type = 0;
    socklen_t len = sizeof type;
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        journal_warning("login passed a descriptor that is no connection");
        close(fd);
        return;
    }
    session_start(in, fd, m->lmtp.client);
}

static void peer_message(wire_conn *c, wire_message *m, void *data)
{
    intake *in = data;
    if (!m)
        return;
    if (m->type == WIRE_LMTP)
        accept_lmtp(in, m);
    else if (m->type == WIRE_PARSE)
        parsing_start(in, c, m);
    else
        journal_warning("message of type %d is not for intake", (int) m->type);
}

int intake_new(sd_event *event, intake_config *config, intake **ret)
{
    static const char *const users[] = { "zmlogin", "zmstore", NULL };
    intake *in = g_new0(intake, 1);
    in->event = sd_event_ref(event);
    in->config = *config;
    *config = (intake_config) { 0 };
    in->auth = auth_client_new(event, in->config.auth_socket);
    in->shards = g_new0(wire_conn *, in->config.shards);
    in->sessions = g_hash_table_new(NULL, NULL);
    in->parsings = g_hash_table_new(NULL, NULL);
    g_autofree char *path = g_strdup_printf("%s/intake", in->config.socket_dir);
    int r = wire_listen(event, path, users, peer_message, in, &in->listener);
    if (r < 0) {
        intake_free(in);
        return r;
    }
    *ret = in;
    return 0;
}

static void free_all(GHashTable *set, void (*drop)(void *))
{
    g_autoptr(GList) all = g_hash_table_get_keys(set);
    for (GList *l = all; l; l = l->next)
        drop(l->data);
}

void intake_free(intake *in)
{
    if (!in)
        return;
    sd_event_source_disable_unref(in->grace);
    free_all(in->sessions, (void (*)(void *)) session_free);
    free_all(in->parsings, (void (*)(void *)) parsing_free);
    g_hash_table_unref(in->sessions);
    g_hash_table_unref(in->parsings);
    wire_listener_free(in->listener);
    for (unsigned i = 0; i < in->config.shards; i++)
        if (in->shards[i])
            wire_conn_unref(in->shards[i]);
    auth_client_free(in->auth);
    intake_config_clear(&in->config);
    sd_event_unref(in->event);
    g_free(in->shards);
    g_free(in);
}

static int on_grace(sd_event_source *s, uint64_t usec, void *data)
{
    intake *in = data;
    journal_warning("%u transactions were still running when the time to stop was over",
                    g_hash_table_size(in->sessions));
    return sd_event_exit(in->event, 0);
}

void intake_stop(intake *in, unsigned grace)
{
    in->stopping = true;
    free_all(in->sessions, (void (*)(void *)) session_stop);
    if (g_hash_table_size(in->sessions) == 0) {
        (void) sd_event_exit(in->event, 0);     /* fails only outside a loop, where nothing is to be left */
        return;
    }
    (void) sd_event_add_time_relative(in->event, &in->grace, CLOCK_MONOTONIC, grace * G_USEC_PER_SEC, 0, on_grace, in);
}
