/* Proof of a password by LDAP simple bind as the account (design §7): one kept
 * connection, for one thread. It is bound as whoever was checked last and is used
 * for nothing but binds. */
#ifndef MAILSTEAD_AGENTS_AUTH_BIND_H
#define MAILSTEAD_AGENTS_AUTH_BIND_H

#include "lib/localconfig/localconfig.h"

typedef struct binder binder;

typedef enum { BIND_RIGHT, BIND_WRONG, BIND_UNAVAILABLE } bind_result;

/* ldap_url and ldap_starttls_supported of LC; connects at the first check. */
binder *binder_new(localconfig *lc);
void binder_free(binder *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(binder, binder_free)

/* Blocks up to about ten seconds. A connection that went away is opened again
 * once. RET_REASON (may be NULL) gets slapd's words for BIND_UNAVAILABLE; caller
 * frees. PASSWORD must not be empty (that would be an anonymous bind). */
bind_result binder_check(binder *b, const char *dn, const char *password, char **ret_reason);

#endif
