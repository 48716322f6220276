/* What an account may do under its domain's status (guide's tables of account and
 * domain status; rulings: one table). */
#ifndef MAILSTEAD_AGENTS_AUTH_STATUS_H
#define MAILSTEAD_AGENTS_AUTH_STATUS_H

#include <stdbool.h>

/* The effective status: active, maintenance (mail queues), locked or lockout
 * (mail is delivered), pending or closed (mail bounces). Only active may log in.
 * NULL counts as active; an unknown word as closed. */
const char *status_effective(const char *account, const char *domain);
bool status_may_log_in(const char *effective);

#endif
