/* The shard's socket: peers are login@ and intake@; each message goes to the
 * first service that takes it. */
#include <errno.h>

#include "agents/store/shard/service.h"
#include "lib/journal/journal.h"

enum { SERVICES_MAX = 8 };

struct shard_server {
    wire_listener *listener;
    void *running[SERVICES_MAX];
    unsigned n;
};

static void on_message(wire_conn *c, wire_message *m, void *data)
{
    shard_server *s = data;
    if (!m)
        return;
    for (unsigned i = 0; i < s->n; i++)
        if (shard_services[i]->message(s->running[i], c, m))
            return;
    journal_warning("A message of type %d that no service of the shard takes was dropped; are all parts of the store of one version?", m->type);
}

static int start_services(shard_server *s, const shard_context *c)
{
    for (; shard_services[s->n]; s->n++) {
        g_assert(s->n < SERVICES_MAX);
        s->running[s->n] = shard_services[s->n]->start(c);
        if (!s->running[s->n]) {
            journal_error("Service %s of shard %u did not start", shard_services[s->n]->name, c->settings->store.number);
            return -EIO;
        }
    }
    return 0;
}

int shard_listen(const shard_context *c, shard_server **ret)
{
    static const char *const peers[] = { "zmlogin", "zmintake", NULL };
    shard_server *s = g_new0(shard_server, 1);
    g_autofree char *path = g_strdup_printf("%s/shard-%u", c->settings->socket_dir, c->settings->store.number);
    int r = start_services(s, c);
    if (r == 0 && (r = wire_listen(c->event, path, peers, on_message, s, &s->listener)) < 0)
        journal_error("%s cannot be listened on: %s", path, g_strerror(-r));
    if (r < 0) {
        shard_server_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void shard_server_free(shard_server *s)
{
    if (!s)
        return;
    wire_listener_free(s->listener);
    while (s->n > 0) {
        s->n--;
        shard_services[s->n]->stop(s->running[s->n]);
    }
    g_free(s);
}
