/* See hosts.h. One thread at a time; it hands its finding over under a lock. A miss
 * starts another look-up when the last is old enough. */
#include "agents/store/login/hosts.h"

#include <arpa/inet.h>
#include <netdb.h>

enum { FRESH_SECONDS = 15 };

struct hosts {
    char **names;
    GMutex lock;
    GHashTable *addresses;     /* set of char*; guarded */
    GThread *thread;
    bool running;              /* guarded */
    gint64 looked_up;          /* when the last look-up started */
};

static void add_addresses(GHashTable *set, const char *name)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            g_hash_table_add(set, g_strdup(text));
    }
    freeaddrinfo(found);
}

static void *look_up(void *data)
{
    hosts *h = data;
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (char **name = h->names; *name; name++)
        if (**name)
            add_addresses(found, *name);
    g_mutex_lock(&h->lock);
    if (g_hash_table_size(found) > 0) {   /* a name server that is away takes nothing back */
        GHashTable *old = h->addresses;
        h->addresses = g_steal_pointer(&found);
        found = old;
    }
    h->running = false;
    g_mutex_unlock(&h->lock);
    return NULL;
}

/* With the lock held. */
static void start_unless_fresh(hosts *h)
{
    gint64 now = g_get_monotonic_time();
    if (h->running || !h->names[0] || (h->looked_up && now - h->looked_up < FRESH_SECONDS * G_USEC_PER_SEC))
        return;
    if (h->thread)
        g_thread_join(h->thread);   /* over already */
    h->looked_up = now;
    h->running = true;
    h->thread = g_thread_new("hosts", look_up, h);
}

hosts *hosts_new(const char *const *names)
{
    hosts *h = g_new0(hosts, 1);
    h->names = g_strdupv((char **) names);
    h->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&h->lock);
    g_mutex_lock(&h->lock);
    start_unless_fresh(h);
    g_mutex_unlock(&h->lock);
    return h;
}

void hosts_free(hosts *h)
{
    if (!h)
        return;
    if (h->thread)
        g_thread_join(h->thread);
    g_hash_table_unref(h->addresses);
    g_mutex_clear(&h->lock);
    g_strfreev(h->names);
    g_free(h);
}

bool hosts_have(hosts *h, const char *address)
{
    g_mutex_lock(&h->lock);
    bool have = g_hash_table_contains(h->addresses, address);
    if (!have)
        start_unless_fresh(h);
    g_mutex_unlock(&h->lock);
    return have;
}
