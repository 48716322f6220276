/* Client of zmauthd over /run/zimbra/auth/auth.sock: every login of this host is
 * decided there (design §7). The protocol is documented in wire.h, beside this
 * file; the server side is agents/auth. The client never blocks: a request is
 * sent and a callback called from the caller's sd-event loop, never from within
 * the call that made the request. When zmauthd is away, or does not answer within
 * 30 seconds, the callback gets AUTH_TEMPFAIL. */
#ifndef MAILSTEAD_AUTH_H
#define MAILSTEAD_AUTH_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define AUTH_SOCKET "/run/zimbra/auth/auth.sock"

typedef enum {
    AUTH_OK,
    AUTH_DENIED,        /* wrong password, unknown, status forbids: indistinguishable to clients */
    AUTH_TEMPFAIL,      /* directory away: say "try later" */
    AUTH_NO_SUCH,       /* resolve only: nobody here by that address */
} auth_status;

typedef struct auth_client auth_client;

/* What a login or a recipient look-up yields. Borrowed for the callback; texts
 * are NULL when not known. */
typedef struct {
    auth_status status;
    const char *account_id;     /* zimbraId */
    const char *name;           /* canonical address */
    const char *account_status; /* active, maintenance, locked, closed, … (effective, with the domain's) */
    const char *mail_host;      /* zimbraMailHost: server that holds the mailbox */
    const char *mail_transport; /* zimbraMailTransport */
    int64_t quota_bytes;        /* 0: none */
    const char *reason;         /* for the log, never for the client */
    uint16_t imap_port;         /* zimbraImapBindPort, zimbraPop3BindPort of the mail host; */
    uint16_t pop3_port;         /* auth_login_ticket only, else 0 */
    const char *route_key;      /* auth_login_ticket only: hex, signs cached routes */
    const char *list;           /* auth_may_send only: name of the list that ADDRESS is, NULL when it is none */
} auth_result;

typedef void (*auth_callback)(const auth_result *result, void *data);

/* PATH NULL: AUTH_SOCKET. Connects lazily, reconnects by itself. */
auth_client *auth_client_new(sd_event *event, const char *path);
void auth_client_free(auth_client *c);   /* pending callbacks get AUTH_TEMPFAIL */

/* PROTOCOL: "imap", "pop3", "smtp", "sieve". PASSWORD may be a ticket. CLIENT_IP
 * is for lockout, audit and the log. Returns a request id > 0 for auth_cancel(). */
uint64_t auth_login(auth_client *c, const char *protocol, const char *user, const char *password,
                    const char *client_ip, auth_callback cb, void *data);
/* Who receives mail for ADDRESS on this system, by account (alias, alias domain
 * considered). No credentials involved. */
uint64_t auth_resolve(auth_client *c, const char *address, auth_callback cb, void *data);
/* login + a fresh ticket for PROTOCOL (the proxy's route lookup): result in
 * auth_result, ticket in the callback's TICKET. */
typedef void (*auth_ticket_callback)(const auth_result *result, const char *ticket, void *data);
uint64_t auth_login_ticket(auth_client *c, const char *protocol, const char *user, const char *password,
                           const char *client_ip, auth_ticket_callback cb, void *data);
/* May SENDER (an account's name when LOGGED_IN, else an envelope sender, "" for
 * the null one) send to ADDRESS? AUTH_OK for all but a distribution list whose
 * sendToDistList grants leave him out: AUTH_DENIED with the list's name. */
uint64_t auth_may_send(auth_client *c, const char *address, const char *sender, bool logged_in,
                       auth_callback cb, void *data);
/* The callback of request ID is not called any more. */
void auth_cancel(auth_client *c, uint64_t id);

#endif
