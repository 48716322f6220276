/* conf/route/route.conf: what zmconfigd renders for zmrouted. */
#ifndef MAILSTEAD_AGENTS_ROUTE_CONFIG_H
#define MAILSTEAD_AGENTS_ROUTE_CONFIG_H

#include <glib.h>
#include <stdint.h>
#include <sys/socket.h>

#define CONFIG_PATH PREFIX "/conf/route/route.conf"

typedef struct {
    struct sockaddr_storage listen;   /* a loopback address */
    socklen_t listen_len;
    char **memcached;                 /* "host:port" each; NULL-terminated, may be empty */
    unsigned cache_ttl_sec, cache_timeout_ms;
    unsigned auth_wait_sec;           /* before a refused client hears of it */
    unsigned login_limit_ip, login_limit_ip_sec;       /* logins in so many seconds; 0 no limit */
    unsigned login_limit_user, login_limit_user_sec;
} config;

/* Group [route]; a key that is absent or empty has its default:
 *   listen 127.0.0.1, port 7072, memcached (none: a list of host:port),
 *   cache_ttl 1h, cache_timeout 3s, auth_wait 10s,
 *   login_limit_ip 0, login_limit_ip_seconds 3600, login_limit_user 0,
 *   login_limit_user_seconds 3600
 * The error names file, key and what is allowed. */
config *config_load(const char *path, GError **error);
void config_free(config *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config, config_free)

#endif
