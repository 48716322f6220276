/* The services of a shard, in the order in which they are asked. */
#include "agents/store/shard/delivery/delivery.h"
#include "agents/store/shard/service.h"
#include "agents/store/shard/sessions.h"

static void *delivery_start(const shard_context *c)
{
    return delivery_new(c->shard, c->settings->store.number, c->settings->store.count);
}

static bool delivery_take(void *service, wire_conn *c, wire_message *m)
{
    return delivery_message(service, c, m);
}

static void delivery_stop(void *service)
{
    delivery_free(service);
}

static const shard_service delivery_service = { "delivery", delivery_start, delivery_take, delivery_stop };

const shard_service *const shard_services[] = { &delivery_service, &sessions_service, NULL };
