/* Private to zmmailboxd-login: the manager and its clients.
 *
 * A client's life: PROXY header (from trusted proxies) -> TLS (implicit or by
 * command) -> a protocol's commands before login -> zmauthd's answer -> handed to
 * its shard. Without TLS the descriptor goes and the client is forgotten; under
 * TLS it stays as a relay. LMTP connections go to intake at once. */
#ifndef MAILSTEAD_LOGIN_LOGIN_H
#define MAILSTEAD_LOGIN_LOGIN_H

#include <openssl/ssl.h>

#include "agents/store/login/config.h"
#include "agents/store/login/hosts.h"
#include "agents/store/wire/wire.h"
#include "lib/auth/auth.h"
#include "lib/imap/imap.h"
#include "lib/statpage/statpage.h"

typedef struct login login;
typedef struct client client;

struct login {
    sd_event *event;
    login_config *config;
    SSL_CTX *tls;                  /* NULL: no certificate */
    auth_client *auth;
    wire_conn **shards;            /* NULL: not connected */
    wire_conn *intake;
    hosts *lmtp_hosts;
    GPtrArray *listeners;
    GHashTable *clients;           /* set of client */
    GHashTable *per_address;       /* address -> count */
    statpage *numbers;
};

/* Values of the statistics page (lib/statpage). A relay is a session under TLS; the
 * others are not seen any more once they are handed over. */
enum { NUMBER_LOGINS, NUMBER_FAILURES, NUMBER_WAITING, NUMBER_IMAP_RELAYS, NUMBER_POP3_RELAYS, NUMBER_OPEN_DESCRIPTORS, NUMBERS };

/* What a protocol does with a client before its login. */
typedef struct {
    const char *name;                                     /* as zmauthd knows it */
    wire_protocol wire;
    void (*greet)(client *c);
    int (*input)(client *c);                              /* takes from c->in; negative: close */
    void (*bye)(client *c, const char *reason);           /* temporary: overload, timeout */
    void (*refused)(client *c, const auth_result *result);/* login failed */
    void (*elsewhere)(client *c, const char *host);       /* the mailbox is on another server */
} protocol;
extern const protocol imap_protocol, pop3_protocol;

enum { CLIENT_INPUT_MAX = 16 * 1024, LOGIN_TRIES = 5 };

typedef enum { CLIENT_HEADER, CLIENT_HANDSHAKE, CLIENT_TALK, CLIENT_WAIT, CLIENT_CLOSING, CLIENT_RELAY } client_state;

struct client {
    login *login;
    const protocol *protocol;
    client_state state;
    int fd;
    sd_event_source *io, *timer, *deferred;
    char *address;                 /* the client's; a trusted proxy's word after its header */
    bool counted;                  /* in per_address */
    bool trusted;                  /* the peer may send a PROXY header */
    bool proxied;                  /* it did */
    bool greeted, implicit_tls, start_tls;
    SSL *ssl;
    bool read_wants_write, write_wants_read;
    GByteArray *in, *out;
    unsigned failures;
    uint64_t auth_id;
    auth_status failure;           /* answer that waits for its delay */
    /* of the protocols */
    imap_reader reader;
    char *tag, *user;
    bool sasl;                     /* the next line is a SASL response */
    /* relay */
    int pair;
    sd_event_source *pair_io;
    bool client_eof, pair_eof;
};

/* ---- client.c ---- */
void client_accept(login *l, int fd, const char *address, const protocol *p, bool implicit_tls);
void client_free(client *c);
void client_printf(client *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
void client_close_after_flush(client *c);
void client_update(client *c);               /* flushes and asks for the right events */
bool client_is_private(const client *c);     /* may a password be sent here? */
bool client_may_start_tls(const client *c);
/* Asks zmauthd; the answer hands over or calls protocol->refused. USER and
 * PASSWORD are copied by lib/auth. */
void client_login(client *c, const char *user, const char *password);
/* PLAIN (RFC 4616): false: malformed. */
bool client_login_plain(client *c, const char *base64);
void client_log(const client *c, int priority, const char *event, const char *detail);

/* ---- transport.c: plain or TLS; > 0 bytes, 0 end, -EAGAIN, negative errno ---- */
SSL_CTX *transport_context(const char *certificate, const char *key, GError **error);
int transport_start_tls(client *c);
int transport_handshake(client *c);          /* 1 done, -EAGAIN */
ssize_t transport_read(client *c, void *to, size_t n);
ssize_t transport_write(client *c, const void *from, size_t n);
uint32_t transport_events(const client *c, bool want_read, bool want_write);

/* ---- handoff.c ---- */
/* 0: the shard has it (FD is still the caller's); else negative errno. */
int handoff_session(login *l, const client *c, int fd, const auth_result *account);
int handoff_lmtp(login *l, int fd, const char *address);

/* ---- relay.c ---- */
/* Makes the pair; the shard's end in *RET_FD. */
int relay_prepare(client *c, int *ret_fd);
int relay_start(client *c);
int relay_run(client *c);

/* ---- listener.c ---- */
bool listeners_open(login *l, GError **error);
void listeners_close(login *l);

#endif
