/* zmmailboxd-intake: LMTP in front of the shards, and the parser of messages for
 * them (design §6). One event loop; what hostile input reaches is here, without
 * network (sockets come from login) and without files (descriptors come from
 * shards). */
#ifndef MAILSTEAD_INTAKE_H
#define MAILSTEAD_INTAKE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agents/store/wire/wire.h"
#include "lib/auth/auth.h"
#include "lib/statpage/statpage.h"

typedef struct {
    char *hostname;              /* [mailboxd] hostname: whose zimbraMailHost is ours */
    unsigned shards;             /* [mailboxd] shards */
    char *socket_dir;            /* [mailboxd] socket_dir: where intake and shard-N listen */
    char *auth_socket;           /* [intake] auth_socket, as the rest */
    char *advertised_name;
    uint64_t max_message_size;   /* bytes, 0: none but the store's 4 GiB */
    unsigned max_recipients;     /* a transaction */
    unsigned max_line;           /* bytes of a command line */
    unsigned max_sessions;
    unsigned idle_timeout;       /* seconds */
    bool over_quota_permanent;   /* zimbraLmtpPermanentFailureWhenOverQuota */
} intake_config;

/* Reads PATH; a missing file is all defaults. */
bool intake_config_load(const char *path, intake_config *ret, GError **error);
void intake_config_clear(intake_config *c);

typedef struct intake intake;
typedef struct session session;

/* The shards' connections, made when wanted and again when lost. */
struct intake {
    sd_event *event;
    intake_config config;
    auth_client *auth;
    wire_listener *listener;
    wire_conn **shards;
    GHashTable *sessions;        /* set of session */
    GHashTable *parsings;        /* set of parsing */
    bool stopping;
    sd_event_source *grace;
    statpage *numbers;           /* borrowed; NULL: nobody counts */
};

/* Values of the statistics page (lib/statpage). LMTP_US: from the last byte of a
 * message to its answers. */
enum {
    NUMBER_MESSAGES, NUMBER_BYTES, NUMBER_RECIPIENTS, NUMBER_DELIVERED, NUMBER_DELIVERED_BYTES, NUMBER_LMTP_US, NUMBER_SESSIONS,
    NUMBER_OPEN_DESCRIPTORS, NUMBERS,
};
extern const statpage_def intake_numbers[NUMBERS];

/* Listens. Takes CONFIG over. Negative errno. */
int intake_new(sd_event *event, intake_config *config, intake **ret);
void intake_free(intake *in);
/* No new transactions; the loop exits when the running ones are done, or after GRACE seconds. */
void intake_stop(intake *in, unsigned grace);
/* For sessions: the connection to a shard (borrowed), NULL: it is down. */
wire_conn *intake_shard(intake *in, unsigned number);

/* Takes FD over: a connected stream, nothing said yet. */
void session_start(intake *in, int fd, const char *client);
void session_stop(session *s);           /* 421 as soon as no transaction runs */
void session_free(session *s);           /* at once */

/* A WIRE_PARSE of a shard; answers it later. */
typedef struct parsing parsing;
void parsing_start(intake *in, wire_conn *c, wire_message *m);
void parsing_free(parsing *p);

#endif
