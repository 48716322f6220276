/* RFC 4533 messages: bytes of controls and intermediate responses in, what they
 * say out. No connection, no state. */
#ifndef MAILSTEAD_CONFIGD_SYNC_H
#define MAILSTEAD_CONFIGD_SYNC_H

#include <glib.h>
#include <lber.h>
#include <stdbool.h>

#define SYNC_REQUEST_OID "1.3.6.1.4.1.4203.1.9.1.1"
#define SYNC_STATE_OID "1.3.6.1.4.1.4203.1.9.1.2"
#define SYNC_INFO_OID "1.3.6.1.4.1.4203.1.9.1.4"

typedef enum { SYNC_PRESENT = 0, SYNC_ADD = 1, SYNC_MODIFY = 2, SYNC_DELETE = 3 } sync_state;

/* The value of a Sync Request control for refreshAndPersist from COOKIE (NULL:
 * from nothing); false when out of memory. Free with ber_memfree(ret->bv_val). */
bool sync_request_value(const char *cookie, struct berval *ret);

/* Sync State control of an entry. *RET_COOKIE: caller frees, NULL when none. */
bool sync_parse_state(const struct berval *value, sync_state *ret_state, char **ret_cookie);

typedef struct {
    char *cookie;         /* NULL: none */
    bool refresh_done;    /* the refresh ends; what follows are changes */
    bool deleted_ids;     /* entries are gone, only their UUIDs are told */
    bool present;         /* present phase: what is not named is gone */
} sync_info;

/* Sync Info message. Clear with sync_info_clear. */
bool sync_parse_info(const struct berval *value, sync_info *ret);
void sync_info_clear(sync_info *i);

/* ---- cookies: "rid=001,csn=A;B", one CSN for each server id; NULL is the empty one ---- */

/* The newest CSN of any server; caller frees, NULL when none. */
char *sync_newest_csn(const char *cookie);
/* A cookie that asks for everything after CSNS; caller frees. */
char *sync_cookie(const char *const *csns);
/* A and B as one: of each server the newer CSN. Caller frees; NULL when both are empty. */
char *sync_merge(const char *a, const char *b);
/* True when B has a CSN of some server that A has not reached. */
bool sync_is_behind(const char *a, const char *b);

#endif
