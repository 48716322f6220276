/* Ticket keys and replay memory: see keys.h.
 *
 * A redeemed ticket's nonce is remembered until the ticket expires; nonces are
 * kept in the order of redeeming, and as all tickets live equally long the sweep
 * from the old end stops at the first that is still good (give or take the life
 * of one ticket, which only keeps some a little longer). */
#include "agents/auth/keys.h"

#include <errno.h>
#include <string.h>

#include "lib/ticket/ticket.h"

#define REMEMBER_MAX 200000

typedef struct {
    uint8_t nonce[TICKET_NONCE_LEN];
    int64_t expires;
} redeemed;

struct keys {
    GMutex lock;
    char *host;
    GPtrArray *secrets;      /* of char, newest first */
    gint64 good_until_usec;
    GHashTable *nonces;      /* set of redeemed */
    GQueue by_age;           /* of redeemed */
};

static guint nonce_hash(gconstpointer p)
{
    guint h;
    memcpy(&h, ((const redeemed *) p)->nonce, sizeof h);
    return h;
}

static gboolean nonce_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(((const redeemed *) a)->nonce, ((const redeemed *) b)->nonce, TICKET_NONCE_LEN) == 0;
}

static void secret_free(void *p)
{
    explicit_bzero(p, strlen(p));
    g_free(p);
}

keys *keys_new(const char *host)
{
    keys *k = g_new0(keys, 1);
    g_mutex_init(&k->lock);
    k->host = g_strdup(host);
    k->secrets = g_ptr_array_new_with_free_func(secret_free);
    k->nonces = g_hash_table_new_full(nonce_hash, nonce_equal, g_free, NULL);
    g_queue_init(&k->by_age);
    return k;
}

void keys_free(keys *k)
{
    if (!k)
        return;
    g_queue_clear(&k->by_age);
    g_hash_table_unref(k->nonces);
    g_ptr_array_unref(k->secrets);
    g_mutex_clear(&k->lock);
    g_free(k->host);
    g_free(k);
}

bool keys_are_stale(keys *k, gint64 now_usec)
{
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&k->lock);
    return k->secrets->len == 0 || k->good_until_usec < now_usec;
}

void keys_invalidate(keys *k)
{
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&k->lock);
    k->good_until_usec = 0;
}

/* Newest first, by the leading version number, then by the text. */
static gint newest_first(gconstpointer a, gconstpointer b)
{
    const char *x = *(const char *const *) a, *y = *(const char *const *) b;
    guint64 m = g_ascii_strtoull(x, NULL, 10), n = g_ascii_strtoull(y, NULL, 10);
    return m != n ? (m > n ? -1 : 1) : strcmp(y, x);
}

void keys_set(keys *k, const char *const *secrets, gint64 good_until_usec)
{
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&k->lock);
    g_ptr_array_set_size(k->secrets, 0);
    for (size_t i = 0; secrets[i]; i++)
        if (*secrets[i])
            g_ptr_array_add(k->secrets, g_strdup(secrets[i]));
    g_ptr_array_sort(k->secrets, newest_first);
    k->good_until_usec = good_until_usec;
}

char *keys_issue(keys *k, const char *host, const char *account_id, const char *purpose, gint64 now_sec)
{
    uint8_t key[TICKET_KEY_LEN];
    g_mutex_lock(&k->lock);
    bool have = k->secrets->len > 0 && ticket_derive_key(k->secrets->pdata[0], host, key) == 0;
    g_mutex_unlock(&k->lock);
    char *ticket = have ? ticket_issue(key, sizeof key, account_id, purpose, now_sec + KEYS_TICKET_LIFE_SEC) : NULL;
    explicit_bzero(key, sizeof key);
    return ticket;
}

char *keys_route_key(keys *k)
{
    uint8_t key[TICKET_KEY_LEN];
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&k->lock);
    /* No host is named so: a name has no space. */
    if (k->secrets->len == 0 || ticket_derive_key(k->secrets->pdata[0], "route cache", key) < 0)
        return NULL;
    GString *hex = g_string_new(NULL);
    for (size_t i = 0; i < sizeof key; i++)
        g_string_append_printf(hex, "%02x", key[i]);
    return g_string_free(hex, FALSE);
}

static int remember(keys *k, const redeemed *r, gint64 now_sec)
{
    for (redeemed *old; (old = g_queue_peek_head(&k->by_age)) != NULL && old->expires < now_sec; ) {
        g_queue_pop_head(&k->by_age);
        g_hash_table_remove(k->nonces, old);
    }
    if (g_hash_table_contains(k->nonces, r))
        return -EALREADY;
    if (g_hash_table_size(k->nonces) >= REMEMBER_MAX)
        return -ENOSPC;
    redeemed *copy = g_memdup2(r, sizeof *r);
    g_hash_table_add(k->nonces, copy);
    g_queue_push_tail(&k->by_age, copy);
    return 0;
}

int keys_redeem(keys *k, const char *ticket, const char *purpose, gint64 now_sec, char **ret_account_id)
{
    g_autofree char *account = NULL;
    redeemed once = { .expires = 0 };
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&k->lock);
    int r = -ENOKEY;
    for (guint i = 0; i < k->secrets->len && (r == -ENOKEY || r == -EBADMSG); i++) {
        uint8_t key[TICKET_KEY_LEN];
        if (ticket_derive_key(k->secrets->pdata[i], k->host, key) < 0)
            return -ENOKEY;
        r = ticket_verify(key, sizeof key, ticket, purpose, now_sec, &account, once.nonce, &once.expires);
        explicit_bzero(key, sizeof key);
    }
    if (r == 0)
        r = remember(k, &once, now_sec);
    if (r == 0)
        *ret_account_id = g_steal_pointer(&account);
    return r;
}
