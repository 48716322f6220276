/* Settings of zmmailboxd-login: conf/mailboxd/mailboxd.conf, rendered by zmconfigd
 * (keys: zmmailboxd(8)). */
#ifndef MAILSTEAD_LOGIN_CONFIG_H
#define MAILSTEAD_LOGIN_CONFIG_H

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LOGIN_CONFIG_PATH PREFIX "/conf/mailboxd/mailboxd.conf"

typedef struct {
    char *hostname;               /* this server's name in zimbraMailHost; "" accepts any */
    unsigned shards;
    char *bind_address;           /* "": every address */
    unsigned lmtp_port, imap_port, imaps_port, pop3_port, pop3s_port;   /* 0: off */
    char *certificate, *key;      /* "": no TLS */
    GPtrArray *trusted_proxies;   /* of GInetAddressMask: may send a PROXY header and talk plain text */
    GPtrArray *lmtp_networks;     /* of GInetAddressMask: may deliver */
    char **lmtp_hosts;            /* names of hosts that may deliver as well */
    bool cleartext_login;
    unsigned max_connections, max_per_address;
    unsigned timeout_seconds;     /* idle before login */
    unsigned failure_delay_ms;
    char *auth_socket;            /* NULL: lib/auth's */
    char *store_dir;              /* sockets of shards and intake */
} login_config;

login_config *login_config_load(const char *path, GError **error);
void login_config_free(login_config *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(login_config, login_config_free)

/* True when ADDRESS (numeric) is in one of MASKS. */
bool login_network_matches(const GPtrArray *masks, const char *address);

#endif
