/* When a service that was seen running or not is said to be so. Pure.
 *
 * A state must hold HOLD_S. While a service is on its way (starting, stopping) its
 * state is open, for at most UNSETTLED_S: one that tries for ever is stopped.
 * In the first GRACE_S after this program's start a service that has not run yet
 * is not called stopped: at boot all are. */
#ifndef MAILSTEAD_ALERTS_DEBOUNCE_H
#define MAILSTEAD_ALERTS_DEBOUNCE_H

#include <glib.h>
#include <stdbool.h>

typedef enum { SEEN_STOPPED, SEEN_ON_ITS_WAY, SEEN_RUNNING } debounce_seen;
typedef enum { SAID_NOTHING, SAID_STOPPED, SAID_RUNNING } debounce_verdict;

enum { DEBOUNCE_HOLD_S = 5, DEBOUNCE_UNSETTLED_S = 90, DEBOUNCE_GRACE_S = 90 };

typedef struct {
    debounce_seen seen;
    gint64 since_usec;          /* of SEEN; 0: never seen */
    gint64 left_usec;           /* when it was last seen to leave a state of rest */
    bool ran;                   /* was seen to run since watching began */
} debounce;

/* BORN_USEC: when watching began. Times are monotonic. */
debounce_verdict debounce_see(debounce *d, debounce_seen seen, gint64 now_usec, gint64 born_usec);

#endif
