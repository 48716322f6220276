/* One-time signed tickets: what travels on after zmauthd has checked a password
 * (design §5, §7). HMAC-SHA256 over account id, mechanism-independent purpose,
 * expiry and nonce; the key is derived from zimbraAuthTokenKey of the global
 * config, so that every host of a system can verify. A ticket is printable
 * ASCII without spaces, at most TICKET_MAX bytes, so that it fits a password
 * field (nginx Auth-Pass). */
#ifndef MAILSTEAD_TICKET_H
#define MAILSTEAD_TICKET_H

#include <stddef.h>
#include <stdint.h>

#define TICKET_MAX 200
#define TICKET_PREFIX "zt1."

/* Ticket for ACCOUNT_ID (zimbraId) and PURPOSE ("imap", "pop3", …), good until
 * EXPIRES (Unix time, seconds). Caller frees. */
char *ticket_issue(const uint8_t *key, size_t key_len, const char *account_id, const char *purpose, int64_t expires);

/* Checks form, signature, purpose and expiry at NOW. 0 and *RET_ACCOUNT_ID (caller
 * frees) and *RET_NONCE (16 bytes, for replay memory); -EBADMSG form or signature,
 * -ETIME expired, -EPERM purpose. Constant time in the signature. */
int ticket_verify(const uint8_t *key, size_t key_len, const char *ticket, const char *purpose,
                  int64_t now, char **ret_account_id, uint8_t ret_nonce[16]);

#endif
