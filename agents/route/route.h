/* Where a mail host is: its address for nginx, which takes no names. Answers come
 * from memcached (one hour by default) or the resolver, in threads of their own;
 * memcached is a help, never needed.
 *
 * Key "route:proto=PROTOCOL;user=ACCOUNT", as zmproxypurge knows it; value "IP:PORT
 * HOST MAC": MAC is the HMAC-SHA256 of key and the rest under the system's route
 * key, so that nobody else who reaches memcached can send a login elsewhere. */
#ifndef MAILSTEAD_AGENTS_ROUTE_ROUTE_H
#define MAILSTEAD_AGENTS_ROUTE_ROUTE_H

#include <glib.h>
#include <stdint.h>
#include <systemd/sd-event.h>

typedef struct finder finder;
/* ADDRESS: numeric, NULL when HOST has none (then PROBLEM says why). Borrowed. */
typedef void (*finder_done_fn)(const char *address, const char *problem, void *data);

finder *finder_new(sd_event *event, char **memcached, unsigned ttl_sec, unsigned timeout_ms, GError **error);
/* Waits for what is being looked up; its DONE is called. */
void finder_free(finder *f);
/* Never calls DONE from within. KEY: hex. */
void finder_find(finder *f, const char *protocol, const char *account, const char *host, uint16_t port,
                 const char *key, finder_done_fn done, void *data);

/* The value for a route, and back: the address when VALUE is signed, for this
 * HOST and PORT; NULL otherwise. Caller frees. */
char *route_value(const char *cache_key, const char *address, uint16_t port, const char *host, const char *key);
char *route_address(const char *cache_key, const char *value, uint16_t port, const char *host, const char *key);

#endif
