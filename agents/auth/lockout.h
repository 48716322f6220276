/* Failed passwords and the account's status lockout (guide: account status
 * "LockOut"; zimbraPasswordLockout… of account or COS). The counters are attributes
 * of the account, so that every host of a system counts together. */
#ifndef MAILSTEAD_AGENTS_AUTH_LOCKOUT_H
#define MAILSTEAD_AGENTS_AUTH_LOCKOUT_H

#include "lib/directory/directory.h"

/* Locked at NOW_MS (Unix time)? An expired lockout does not count. */
bool lockout_is_locked(const entry *account, gint64 now_ms);

/* Changes to write after a wrong and after a right password: NULL when there are
 * none. *RET_LOCKS: this failure locks the account. Caller frees with
 * lockout_changes_free(). */
GArray *lockout_failure(const entry *account, gint64 now_ms, bool *ret_locks);
GArray *lockout_success(const entry *account);
void lockout_changes_free(GArray *changes);   /* of attr_change */

/* GeneralizedTime to Unix time in milliseconds; -1 when malformed. */
gint64 lockout_parse_time(const char *text);
char *lockout_format_time(gint64 ms);

#endif
