/* Connections to the shards and to intake, and what is handed to them. They are
 * made when first needed and again after they were lost. */
#include "agents/store/login/login.h"

#include <errno.h>

static void on_lost(wire_conn *c, wire_message *m, void *data)
{
    wire_conn **slot = data;
    if (m)       /* nobody answers a hand-over */
        return;
    *slot = NULL;
    wire_conn_unref(c);
}

static int send_to(login *l, wire_conn **slot, const char *name, const wire_message *m)
{
    g_autofree char *path = g_build_filename(l->config->store_dir, name, NULL);
    int r = *slot ? wire_send(*slot, m) : -ENOTCONN;
    if (r != -ENOTCONN)
        return r;
    if (*slot)
        on_lost(*slot, NULL, slot);
    r = wire_connect(l->event, path, on_lost, slot, slot);
    return r < 0 ? r : wire_send(*slot, m);
}

int handoff_session(login *l, const client *c, int fd, const auth_result *account)
{
    unsigned number = wire_shard_of(account->account_id, l->config->shards);
    g_autofree char *name = g_strdup_printf("shard-%u", number);
    wire_message m = {
        .type = WIRE_HANDOFF, .n_fds = 1, .fds = { fd },
        .handoff = { .protocol = c->protocol->wire, .tls = c->ssl != NULL, .quota_bytes = account->quota_bytes,
                     .account_id = account->account_id, .name = account->name, .client = c->address, .tag = c->tag,
                     .unread = { c->in->data, c->in->len } },
    };
    return send_to(l, &l->shards[number], name, &m);
}

int handoff_lmtp(login *l, int fd, const char *address)
{
    wire_message m = { .type = WIRE_LMTP, .n_fds = 1, .fds = { fd }, .lmtp = { .client = address } };
    return send_to(l, &l->intake, "intake", &m);
}
