/* Finding of mail hosts: see route.h. */
#include "agents/route/route.h"

#include <errno.h>
#include <libmemcached/memcached.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS 4
#define VALUE_MAX 512

struct finder {
    memcached_st *model;        /* cloned by each thread; NULL: no memcached */
    unsigned ttl_sec;
    GThreadPool *pool;
    GAsyncQueue *done;
    int wakeup;
    sd_event_source *source;
};

typedef struct {
    char *protocol, *account, *host, *key;
    uint16_t port;
    char *address, *problem;
    finder_done_fn done;
    void *data;
} search;

/* ---- the cached value ---- */

static char *mac(const char *cache_key, const char *route, const char *key)
{
    g_autofree char *text = g_strdup_printf("%s\n%s", cache_key, route);
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const uint8_t *made = HMAC(EVP_sha256(), key, (int) strlen(key), (const uint8_t *) text, strlen(text), out, &len);
    g_assert(made);
    GString *hex = g_string_new(NULL);
    for (unsigned i = 0; i < len; i++)
        g_string_append_printf(hex, "%02x", out[i]);
    return g_string_free(hex, FALSE);
}

char *route_value(const char *cache_key, const char *address, uint16_t port, const char *host, const char *key)
{
    bool v6 = strchr(address, ':') != NULL;
    g_autofree char *route = g_strdup_printf("%s%s%s:%u %s", v6 ? "[" : "", address, v6 ? "]" : "", port, host);
    g_autofree char *signature = mac(cache_key, route, key);
    return g_strdup_printf("%s %s", route, signature);
}

char *route_address(const char *cache_key, const char *value, uint16_t port, const char *host, const char *key)
{
    const char *sign = strrchr(value, ' ');
    if (!sign || sign == value)
        return NULL;
    g_autofree char *route = g_strndup(value, (gsize) (sign - value));
    g_autofree char *expected = mac(cache_key, route, key);
    if (strlen(sign + 1) != strlen(expected) || CRYPTO_memcmp(sign + 1, expected, strlen(expected)) != 0)
        return NULL;
    g_autofree char *tail = g_strdup_printf(":%u %s", port, host);
    if (!g_str_has_suffix(route, tail))
        return NULL;   /* the account has moved, or the port was changed */
    size_t len = strlen(route) - strlen(tail);
    bool v6 = route[0] == '[' && len > 2;
    return v6 ? g_strndup(route + 1, len - 2) : g_strndup(route, len);
}

/* ---- threads ---- */

static void memcached_done(void *p)
{
    memcached_free(p);
}

static GPrivate own_memcached = G_PRIVATE_INIT(memcached_done);

static memcached_st *thread_memcached(finder *f)
{
    memcached_st *m = g_private_get(&own_memcached);
    if (!m && f->model) {
        m = memcached_clone(NULL, f->model);
        g_private_set(&own_memcached, m);
    }
    return m;
}

static char *ask_memcached(memcached_st *m, const char *cache_key, const search *s)
{
    size_t len = 0;
    uint32_t flags = 0;
    memcached_return_t r;
    char *raw = memcached_get(m, cache_key, strlen(cache_key), &len, &flags, &r);
    g_autofree char *value = raw && len < VALUE_MAX ? g_strndup(raw, len) : NULL;
    free(raw);
    return value ? route_address(cache_key, value, s->port, s->host, s->key) : NULL;
}

static char *ask_resolver(const char *host, char **ret_problem)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
    char address[NI_MAXHOST];
    int r = getaddrinfo(host, NULL, &hints, &found);
    if (r == 0) {
        const struct addrinfo *best = found;
        for (const struct addrinfo *a = found; a && best->ai_family != AF_INET; a = a->ai_next)
            if (a->ai_family == AF_INET)
                best = a;
        r = getnameinfo(best->ai_addr, best->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(found);
    }
    if (r == 0)
        return g_strdup(address);
    *ret_problem = g_strdup_printf("mail host %s has no address: %s", host, gai_strerror(r));
    return NULL;
}

static void find(void *item, void *data)
{
    search *s = item;
    finder *f = data;
    memcached_st *m = thread_memcached(f);
    g_autofree char *cache_key = g_strdup_printf("route:proto=%s;user=%s", s->protocol, s->account);
    if (strlen(cache_key) >= MEMCACHED_MAX_KEY)
        m = NULL;
    s->address = m ? ask_memcached(m, cache_key, s) : NULL;
    if (!s->address) {
        s->address = ask_resolver(s->host, &s->problem);
        g_autofree char *value = s->address && m ? route_value(cache_key, s->address, s->port, s->host, s->key) : NULL;
        if (value)   /* a cache that does not take it costs nothing but the next look-up */
            (void) memcached_set(m, cache_key, strlen(cache_key), value, strlen(value), f->ttl_sec, 0);
    }
    uint64_t one = 1;
    g_async_queue_push(f->done, s);
    ssize_t n = write(f->wakeup, &one, sizeof one);
    g_assert(n == sizeof one || errno == EAGAIN);
}

/* ---- the loop's side ---- */

static void deliver_all(finder *f)
{
    for (search *s; (s = g_async_queue_try_pop(f->done)) != NULL; ) {
        s->done(s->address, s->problem, s->data);
        g_free(s->protocol);
        g_free(s->account);
        g_free(s->host);
        g_free(s->key);
        g_free(s->address);
        g_free(s->problem);
        g_free(s);
    }
}

static int on_done(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return -errno;
    deliver_all(data);
    return 0;
}

void finder_find(finder *f, const char *protocol, const char *account, const char *host, uint16_t port,
                 const char *key, finder_done_fn done, void *data)
{
    search s = { .protocol = g_strdup(protocol), .account = g_strdup(account), .host = g_strdup(host),
                 .key = g_strdup(key), .port = port, .done = done, .data = data };
    g_thread_pool_push(f->pool, g_memdup2(&s, sizeof s), NULL);
}

static memcached_st *connect_memcached(char **servers, unsigned timeout_ms)
{
    memcached_st *m = memcached_create(NULL);
    for (size_t i = 0; servers[i]; i++) {
        const char *colon = strrchr(servers[i], ':');
        g_autofree char *host = g_strndup(servers[i], (gsize) (colon - servers[i]));
        guint64 port = g_ascii_strtoull(colon + 1, NULL, 10);
        (void) memcached_server_add(m, host, (in_port_t) port);   /* only memory can fail here */
    }
    const struct { memcached_behavior_t what; uint64_t value; } behaviours[] = {
        { MEMCACHED_BEHAVIOR_NO_BLOCK, 1 },
        { MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, timeout_ms },
        { MEMCACHED_BEHAVIOR_POLL_TIMEOUT, timeout_ms },
        { MEMCACHED_BEHAVIOR_SND_TIMEOUT, timeout_ms * 1000ull },
        { MEMCACHED_BEHAVIOR_RCV_TIMEOUT, timeout_ms * 1000ull },
        { MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 2 },
        { MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(behaviours); i++)
        (void) memcached_behavior_set(m, behaviours[i].what, behaviours[i].value);
    return m;
}

finder *finder_new(sd_event *event, char **memcached, unsigned ttl_sec, unsigned timeout_ms, GError **error)
{
    finder *f = g_new0(finder, 1);
    f->ttl_sec = ttl_sec;
    f->done = g_async_queue_new();
    f->model = memcached[0] ? connect_memcached(memcached, timeout_ms) : NULL;
    f->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = f->wakeup < 0 ? -errno : sd_event_add_io(event, &f->source, f->wakeup, EPOLLIN, on_done, f);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-r), "eventfd: %s", g_strerror(-r));
    else
        f->pool = g_thread_pool_new(find, f, THREADS, TRUE, error);
    if (!f->pool)
        g_clear_pointer(&f, finder_free);
    return f;
}

void finder_free(finder *f)
{
    if (!f)
        return;
    if (f->pool)
        g_thread_pool_free(f->pool, FALSE, TRUE);
    deliver_all(f);
    sd_event_source_disable_unref(f->source);
    if (f->wakeup >= 0)
        close(f->wakeup);
    if (f->model)
        memcached_free(f->model);
    g_async_queue_unref(f->done);
    g_free(f);
}
