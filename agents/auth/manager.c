/* The way of a question: see manager.h.
 *
 * Three caches, all dropped by change notices: successful logins (keyed by
 * operation, protocol and name; the reader must show the HMAC of the password
 * under a key of this process), recipients (kept when stale, for the time the
 * directory is away) and lists. Without notices answers live a minute. An answer
 * is cached only if no notice came while it was being made. Refusals are never
 * cached. */
#include "agents/auth/manager.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "agents/auth/audit.h"
#include "agents/auth/cache.h"
#include "agents/auth/changes.h"
#include "agents/auth/keys.h"
#include "agents/auth/workers.h"
#include "lib/journal/journal.h"
#include "lib/ticket/ticket.h"

#define CACHE_MAX 20000
#define LIFE_USEC (60 * G_USEC_PER_SEC)
#define LIFE_NOTICED_USEC (15 * 60 * G_USEC_PER_SEC)

struct manager {
    sd_event *event;
    unsigned denied_delay_ms;
    keys *keys;
    workers *workers;
    changes *changes;
    cache *logins, *recipients, *lists;
    freshness fresh;
    uint8_t proof_key[32];
    GHashTable *delayed;        /* set of pending: refused, waiting to say so */
    statpage *numbers;
};

typedef struct {
    manager *m;
    question *q;
    char *key;                  /* in its cache */
    uint8_t proof[CACHE_PROOF_LEN];
    gint notices;               /* so many had come when it was asked */
    manager_done_fn done;
    void *data;
    answer *refused;
    sd_event_source *timer;
} pending;

static void pending_free(pending *p)
{
    sd_event_source_disable_unref(p->timer);
    answer_unref(p->refused);
    question_free(p->q);
    explicit_bzero(p->proof, sizeof p->proof);
    g_free(p->key);
    g_free(p);
}

static void finish(pending *p, const answer *a)
{
    p->done(a, p->data);
    pending_free(p);
}

static bool is_login(const pending *p)
{
    return p->q->op == AUTH_OP_LOGIN || p->q->op == AUTH_OP_TICKET;
}

static cache *cache_of(const pending *p)
{
    switch (p->q->op) {
    case AUTH_OP_RESOLVE:
        return p->m->recipients;
    case AUTH_OP_MAY_SEND:
        return p->m->lists;
    default:
        return p->m->logins;
    }
}

static void make_key(pending *p)
{
    const question *q = p->q;
    if (is_login(p)) {
        unsigned len = sizeof p->proof;
        g_autofree char *user = g_ascii_strdown(q->user, -1);
        p->key = g_strdup_printf("%d %s %s", (int) q->op, q->protocol, user);
        const uint8_t *made = HMAC(EVP_sha256(), p->m->proof_key, sizeof p->m->proof_key,
                                   (const uint8_t *) q->password, strlen(q->password), p->proof, &len);
        g_assert(made && len == sizeof p->proof);
    } else {
        p->key = g_ascii_strdown(q->address, -1);
    }
}

/* ---- refusals wait ---- */

static int on_delay_over(sd_event_source *s, uint64_t usec, void *data)
{
    pending *p = data;
    g_hash_table_remove(p->m->delayed, p);
    finish(p, p->refused);
    return 0;
}

static void refuse_later(pending *p, answer *a)
{
    p->refused = answer_ref(a);
    if (sd_event_add_time_relative(p->m->event, &p->timer, CLOCK_MONOTONIC, p->m->denied_delay_ms * 1000ull,
                                   50 * 1000, on_delay_over, p) < 0) {
        finish(p, a);
        return;
    }
    g_hash_table_add(p->m->delayed, p);
}

/* ---- caches ---- */

/* The answer from the cache, made good for this question; NULL: ask. */
static answer *from_cache(pending *p)
{
    gint64 now = g_get_monotonic_time();
    answer *kept = cache_get(cache_of(p), p->key, is_login(p) ? p->proof : NULL, now);
    if (!kept)
        return NULL;
    if (p->q->op != AUTH_OP_TICKET)
        return answer_ref(kept);
    if (keys_are_stale(p->m->keys, now))
        return NULL;
    answer *a = answer_copy(kept);
    a->ticket = keys_issue(p->m->keys, a->mail_host, a->account_id, p->q->protocol,
                           g_get_real_time() / G_USEC_PER_SEC);
    if (!a->ticket)
        g_clear_pointer(&a, answer_unref);
    return a;
}

static void to_cache(pending *p, answer *a)
{
    if (!a->keep || a->status != AUTH_OK || p->notices != g_atomic_int_get(&p->m->fresh.changes))
        return;
    gint64 life = changes_connected(p->m->changes) ? LIFE_NOTICED_USEC : LIFE_USEC;
    g_autoptr(answer) copy = answer_copy(a);
    cache_put(cache_of(p), p->key, is_login(p) ? p->proof : NULL,
              is_login(p) ? p->q->user : p->q->address, copy, g_get_monotonic_time() + life);
}

static void on_change(const char *dn, void *data)
{
    manager *m = data;
    g_atomic_int_inc(&m->fresh.changes);
    g_atomic_int_set(&m->fresh.noticed, changes_connected(m->changes));
    cache_drop_dn(m->logins, dn);
    cache_drop_dn(m->recipients, dn);
    cache_drop_all(m->lists);   /* grants and memberships hang on many entries */
    keys_invalidate(m->keys);
}

/* ---- questions ---- */

const statpage_def manager_numbers[NUMBERS] = {
    [NUMBER_OK] = { "logins_ok", STATPAGE_COUNTER }, [NUMBER_DENIED] = { "logins_denied", STATPAGE_COUNTER },
    [NUMBER_TEMPFAIL] = { "logins_tempfail", STATPAGE_COUNTER }, [NUMBER_CACHED] = { "logins_cached", STATPAGE_COUNTER },
    [NUMBER_TICKETS] = { "tickets", STATPAGE_COUNTER }, [NUMBER_OPEN_DESCRIPTORS] = { "open_descriptors", STATPAGE_GAUGE },
};

static void count(manager *m, const answer *a, bool kept)
{
    if (a->proof == PROOF_TICKET && a->status == AUTH_OK)
        statpage_inc(m->numbers, NUMBER_TICKETS);
    else
        statpage_inc(m->numbers, a->status == AUTH_OK ? NUMBER_OK : a->status == AUTH_DENIED ? NUMBER_DENIED : NUMBER_TEMPFAIL);
    if (kept && a->status == AUTH_OK)
        statpage_inc(m->numbers, NUMBER_CACHED);
}

static void on_answer(answer *a, void *data)
{
    pending *p = data;
    to_cache(p, a);
    if (is_login(p)) {
        audit_login(p->q, a, false);
        count(p->m, a, false);
        if (a->status == AUTH_DENIED) {
            refuse_later(p, a);
            return;
        }
    } else if (a->status == AUTH_TEMPFAIL) {
        answer *stale = cache_get_stale(cache_of(p), p->key);
        journal_debug("%s answered %s: %s", p->q->address, stale ? "from memory" : "temporary failure", a->reason);
        finish(p, stale ? stale : a);
        return;
    }
    finish(p, a);
}

void manager_ask(manager *m, question *q, manager_done_fn done, void *data)
{
    pending *p = g_new0(pending, 1);
    *p = (pending) { .m = m, .q = q, .notices = g_atomic_int_get(&m->fresh.changes), .done = done, .data = data };
    make_key(p);
    g_autoptr(answer) kept = from_cache(p);
    if (!kept) {
        workers_submit(m->workers, q, on_answer, p);
        return;
    }
    if (is_login(p)) {
        audit_login(q, kept, true);
        count(m, kept, true);
    }
    finish(p, kept);
}

manager *manager_new(sd_event *event, const manager_settings *settings, GError **error)
{
    manager *m = g_new0(manager, 1);
    m->event = sd_event_ref(event);
    m->denied_delay_ms = settings->denied_delay_ms;
    m->numbers = settings->numbers;
    int random = RAND_bytes(m->proof_key, sizeof m->proof_key);
    g_assert(random == 1);
    m->delayed = g_hash_table_new(NULL, NULL);
    m->logins = cache_new(CACHE_MAX, false);
    m->recipients = cache_new(CACHE_MAX, true);
    m->lists = cache_new(CACHE_MAX, true);
    m->keys = keys_new(settings->host);
    m->changes = changes_new(event, settings->changes_path, on_change, m);
    m->workers = workers_new(event, settings->threads, m->keys, &m->fresh, error);
    if (!m->workers)
        g_clear_pointer(&m, manager_free);
    return m;
}

void manager_free(manager *m)
{
    if (!m)
        return;
    workers_free(m->workers);
    GHashTableIter i;
    gpointer p;
    for (g_hash_table_iter_init(&i, m->delayed); g_hash_table_iter_next(&i, &p, NULL); g_hash_table_iter_init(&i, m->delayed)) {
        g_hash_table_iter_remove(&i);
        finish(p, ((pending *) p)->refused);
    }
    g_hash_table_unref(m->delayed);
    changes_free(m->changes);
    keys_free(m->keys);
    cache_free(m->logins);
    cache_free(m->recipients);
    cache_free(m->lists);
    explicit_bzero(m->proof_key, sizeof m->proof_key);
    sd_event_unref(m->event);
    g_free(m);
}
