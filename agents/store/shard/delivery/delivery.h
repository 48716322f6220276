/* Deliveries in a shard: answers intake's questions about recipients and stores
 * its messages (design §6, steps 1 and 4-6). Runs in the shard's loop. */
#ifndef MAILSTEAD_STORE_DELIVERY_H
#define MAILSTEAD_STORE_DELIVERY_H

#include <stdbool.h>

#include "agents/store/shard/mailbox.h"
#include "agents/store/wire/wire.h"

typedef struct delivery delivery;
/* SHARD must outlive it; NUMBER of COUNT tells whose accounts are ours. */
delivery *delivery_new(shard *s, unsigned number, unsigned count);
void delivery_free(delivery *d);

/* Takes M (a request of connection C, not NULL) when it is WIRE_RCPT_CHECK or
 * WIRE_DELIVER and answers it on C, a delivery after its commit; false: not
 * a delivery's message. */
bool delivery_message(delivery *d, wire_conn *c, wire_message *m);

#endif
