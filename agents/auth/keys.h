/* The secrets behind tickets (zimbraAuthTokenKey of the global config) and the
 * memory of redeemed ones. Shared by all threads, locked inside. */
#ifndef MAILSTEAD_AGENTS_AUTH_KEYS_H
#define MAILSTEAD_AGENTS_AUTH_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define KEYS_TICKET_LIFE_SEC 60

typedef struct keys keys;

/* HOST: this server's name, the one that tickets redeemed here carry. */
keys *keys_new(const char *host);
void keys_free(keys *k);

/* True when the secrets must be read anew: never set, out of date, or invalidated. */
bool keys_are_stale(keys *k, gint64 now_usec);
void keys_invalidate(keys *k);
/* SECRETS: values of zimbraAuthTokenKey ("version:created:hex"); the newest
 * issues, all verify. GOOD_UNTIL_USEC on the monotonic clock. */
void keys_set(keys *k, const char *const *secrets, gint64 good_until_usec);

/* Ticket to be redeemed at HOST; NULL without a secret. Caller frees. */
char *keys_issue(keys *k, const char *host, const char *account_id, const char *purpose, gint64 now_sec);
/* Key, in hex, by which the proxies of a system sign routes in memcached (nobody
 * else may write there what nginx follows); NULL without a secret. Caller frees. */
char *keys_route_key(keys *k);
/* As ticket_verify(), and each ticket passes once: -EALREADY after that;
 * -ENOKEY without a secret; -ENOSPC when too many are remembered. */
int keys_redeem(keys *k, const char *ticket, const char *purpose, gint64 now_sec, char **ret_account_id);

#endif
