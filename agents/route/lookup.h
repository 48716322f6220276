/* One route lookup: nginx's request headers in, the answer's headers out. */
#ifndef MAILSTEAD_AGENTS_ROUTE_LOOKUP_H
#define MAILSTEAD_AGENTS_ROUTE_LOOKUP_H

#include <glib.h>

#include "agents/route/limit.h"
#include "agents/route/route.h"
#include "lib/auth/auth.h"

typedef struct {
    const char *method, *protocol, *user, *password, *client_ip, *attempt;   /* as sent; NULL: absent */
} lookup_request;

typedef struct { const char *name; char *value; } lookup_header;

/* What all lookups share; borrowed. */
typedef struct {
    auth_client *auth;
    finder *finder;
    limit *by_ip, *by_user;
    unsigned auth_wait_sec;
} lookup_services;

typedef struct lookup lookup;
/* Called once, when lookup_headers() is complete; perhaps from within. */
typedef void (*lookup_done_fn)(lookup *l, void *data);

/* NULL: not a protocol that is proxied. */
lookup *lookup_new(const lookup_services *s, const lookup_request *r, lookup_done_fn done, void *data);
/* Not while the finder is asked (between request and DONE only after the auth
 * client and the finder are gone). */
void lookup_free(lookup *l);
bool lookup_is_done(const lookup *l);
const GArray *lookup_headers(const lookup *l);   /* of lookup_header */

#endif
