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
    unsigned route_life_sec;
} config;

/* [route] listen (default 127.0.0.1), port (7072), memcached (list; none),
 * route_life (seconds, 3600). The error names file, key and what is allowed. */
config *config_load(const char *path, GError **error);
void config_free(config *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config, config_free)

#endif
