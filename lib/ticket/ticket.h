/* One-time signed tickets: what travels on after zmauthd has checked a password
 * (design §5, §7). HMAC-SHA256 over account id, mechanism-independent purpose,
 * expiry and nonce; the key is derived from zimbraAuthTokenKey of the global
 * config and the name of the server that will accept the ticket, so that any
 * host of a system can issue and exactly one can redeem. A ticket is printable
 * ASCII without spaces, at most TICKET_MAX bytes, so that it fits a password
 * field (nginx Auth-Pass). */
#ifndef MAILSTEAD_TICKET_H
#define MAILSTEAD_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICKET_MAX 200
#define TICKET_PREFIX "zt1."
#define TICKET_ACCOUNT_MAX 64
#define TICKET_PURPOSE_MAX 16
#define TICKET_KEY_LEN 32
#define TICKET_NONCE_LEN 16

/* HKDF-SHA256 of SECRET (a value of zimbraAuthTokenKey) for the server HOST
 * (zimbraServiceHostname, case does not matter). 0, or -EINVAL for an empty
 * secret or host. */
int ticket_derive_key(const char *secret, const char *host, uint8_t ret_key[TICKET_KEY_LEN]);

/* Ticket for ACCOUNT_ID (zimbraId) and PURPOSE ("imap", "pop3", …), good until
 * EXPIRES (Unix time, seconds). NULL when one of the two is empty or longer than
 * its limit above. Caller frees. */
char *ticket_issue(const uint8_t *key, size_t key_len, const char *account_id, const char *purpose, int64_t expires);

/* Whether PASSWORD has a ticket's prefix (says nothing about its signature). */
bool ticket_is(const char *password);

/* Checks form, signature, purpose and expiry at NOW. 0 and *RET_ACCOUNT_ID (caller
 * frees), *RET_NONCE and *RET_EXPIRES (for the replay memory; may be NULL);
 * -EBADMSG form or signature, -ETIME expired, -EPERM purpose. Constant time in
 * the signature. */
int ticket_verify(const uint8_t *key, size_t key_len, const char *ticket, const char *purpose,
                  int64_t now, char **ret_account_id, uint8_t ret_nonce[TICKET_NONCE_LEN],
                  int64_t *ret_expires);

#endif
