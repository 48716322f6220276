/* See debounce.h. */
#include "agents/alerts/debounce.h"

debounce_verdict debounce_see(debounce *d, debounce_seen seen, gint64 now_usec, gint64 born_usec)
{
    if (!d->since_usec || d->seen != seen) {
        if (seen == SEEN_ON_ITS_WAY)
            d->left_usec = now_usec;
        d->seen = seen;
        d->since_usec = now_usec;
    }
    bool in_grace = !d->ran && now_usec - born_usec < DEBOUNCE_GRACE_S * G_USEC_PER_SEC;
    bool held = now_usec - d->since_usec >= DEBOUNCE_HOLD_S * G_USEC_PER_SEC;
    switch (seen) {
    case SEEN_RUNNING:
        d->ran = true;
        return held ? SAID_RUNNING : SAID_NOTHING;
    case SEEN_STOPPED:
        return held && !in_grace ? SAID_STOPPED : SAID_NOTHING;
    default:
        return now_usec - d->left_usec >= DEBOUNCE_UNSETTLED_S * G_USEC_PER_SEC && !in_grace ? SAID_STOPPED : SAID_NOTHING;
    }
}
