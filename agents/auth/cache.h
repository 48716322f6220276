/* Answers by key, limited in number (the one not used for longest goes first), and
 * dropped by change notices of the directory. Main thread only. */
#ifndef MAILSTEAD_AGENTS_AUTH_CACHE_H
#define MAILSTEAD_AGENTS_AUTH_CACHE_H

#include <stddef.h>

#include "agents/auth/question.h"

#define CACHE_PROOF_LEN 32

typedef struct cache cache;

/* KEEP_STALE: what is dropped or out of date stays for cache_get_stale(). */
cache *cache_new(size_t max, bool keep_stale);
void cache_free(cache *c);

/* PROOF (NULL: none): CACHE_PROOF_LEN bytes that a reader must show. ADDRESS: the
 * address that led to the answer; a change of that entry drops it too. */
void cache_put(cache *c, const char *key, const uint8_t *proof, const char *address,
               answer *a, gint64 fresh_until_usec);
/* Borrowed; NULL when there is none that is fresh, or PROOF is another. */
answer *cache_get(cache *c, const char *key, const uint8_t *proof, gint64 now_usec);
answer *cache_get_stale(cache *c, const char *key);

/* The entry DN has changed. */
void cache_drop_dn(cache *c, const char *dn);
void cache_drop_all(cache *c);
size_t cache_size(const cache *c);

#endif
