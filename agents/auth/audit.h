/* The audit record of a login: one a login, valid or not, with client address,
 * protocol, account and reason; never the password. The words of MESSAGE are
 * those of the guide's audit.log. */
#ifndef MAILSTEAD_AGENTS_AUTH_AUDIT_H
#define MAILSTEAD_AGENTS_AUTH_AUDIT_H

#include "agents/auth/question.h"

/* FROM_CACHE: the proof was the cache of successes. */
void audit_login(const question *q, const answer *a, bool from_cache);

#endif
