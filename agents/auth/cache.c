/* The cache: see cache.h. An entry depends on three DNs: account, domain, and the
 * one that its address would have (an alias of its own); they are kept as hashes
 * of the lower-case text, as a false match only costs a look-up. A change below
 * cn=zimbra (COS, servers, global config) concerns every answer. */
#include "agents/auth/cache.h"

#include <openssl/crypto.h>
#include <string.h>

#include "lib/directory/directory.h"

#define N_DNS 3

typedef struct {
    char *key;
    answer *a;
    bool has_proof;
    uint8_t proof[CACHE_PROOF_LEN];
    gint64 fresh_until_usec;
    guint dns[N_DNS];
    GList link;          /* in `used` */
} slot;

struct cache {
    size_t max;
    bool keep_stale;
    GHashTable *slots;   /* key -> slot, owned */
    GQueue used;         /* of slot, last used first */
};

static void slot_free(void *p)
{
    slot *s = p;
    explicit_bzero(s->proof, sizeof s->proof);
    g_free(s->key);
    answer_unref(s->a);
    g_free(s);
}

cache *cache_new(size_t max, bool keep_stale)
{
    cache *c = g_new0(cache, 1);
    c->max = max;
    c->keep_stale = keep_stale;
    c->slots = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, slot_free);
    g_queue_init(&c->used);
    return c;
}

void cache_free(cache *c)
{
    if (!c)
        return;
    g_hash_table_unref(c->slots);
    g_free(c);
}

static guint dn_hash(const char *dn)
{
    g_autofree char *lower = dn ? g_ascii_strdown(dn, -1) : NULL;
    return lower ? g_str_hash(lower) : 0;
}

static void remove_slot(cache *c, slot *s)
{
    g_queue_unlink(&c->used, &s->link);
    g_hash_table_remove(c->slots, s->key);
}

void cache_put(cache *c, const char *key, const uint8_t *proof, const char *address,
               answer *a, gint64 fresh_until_usec)
{
    slot *old = g_hash_table_lookup(c->slots, key);
    if (old)
        remove_slot(c, old);
    else if (c->used.length >= c->max)
        remove_slot(c, g_queue_peek_tail(&c->used));
    g_autofree char *own_dn = address && strchr(address, '@') ? directory_account_dn(address) : NULL;
    slot *s = g_new0(slot, 1);
    s->key = g_strdup(key);
    s->a = answer_ref(a);
    s->fresh_until_usec = fresh_until_usec;
    s->dns[0] = dn_hash(a->account_dn);
    s->dns[1] = dn_hash(a->domain_dn);
    s->dns[2] = dn_hash(own_dn);
    s->has_proof = proof != NULL;
    if (proof)
        memcpy(s->proof, proof, sizeof s->proof);
    s->link.data = s;
    g_hash_table_insert(c->slots, s->key, s);
    g_queue_push_head_link(&c->used, &s->link);
}

answer *cache_get(cache *c, const char *key, const uint8_t *proof, gint64 now_usec)
{
    slot *s = g_hash_table_lookup(c->slots, key);
    if (!s || s->fresh_until_usec <= now_usec)
        return NULL;
    if (s->has_proof && (!proof || CRYPTO_memcmp(s->proof, proof, sizeof s->proof) != 0))
        return NULL;
    g_queue_unlink(&c->used, &s->link);
    g_queue_push_head_link(&c->used, &s->link);
    return s->a;
}

answer *cache_get_stale(cache *c, const char *key)
{
    slot *s = g_hash_table_lookup(c->slots, key);
    return s && !s->has_proof ? s->a : NULL;
}

static void drop(cache *c, slot *s)
{
    if (c->keep_stale)
        s->fresh_until_usec = 0;
    else
        remove_slot(c, s);
}

static bool concerns_all(const char *dn)
{
    return strcmp(dn, "*") == 0 || g_ascii_strcasecmp(dn, "cn=zimbra") == 0
        || (strlen(dn) > 10 && g_ascii_strcasecmp(dn + strlen(dn) - 10, ",cn=zimbra") == 0);
}

void cache_drop_dn(cache *c, const char *dn)
{
    if (concerns_all(dn)) {
        cache_drop_all(c);
        return;
    }
    guint hash = dn_hash(dn);
    for (GList *l = c->used.head, *next; l; l = next) {
        slot *s = l->data;
        next = l->next;
        for (size_t i = 0; i < N_DNS; i++)
            if (s->dns[i] == hash) {
                drop(c, s);
                break;
            }
    }
}

void cache_drop_all(cache *c)
{
    for (GList *l = c->used.head, *next; l; l = next) {
        next = l->next;
        drop(c, l->data);
    }
}

size_t cache_size(const cache *c)
{
    return c->used.length;
}
