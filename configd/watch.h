/* Follows the directory: a thread with one persistent search (RFC 4533).
 *
 * It tells of each changed entry; of a gap, after which anything may have
 * changed; and of the connection coming and going. Callbacks run on the main
 * thread, in order. */
#ifndef MAILSTEAD_CONFIGD_WATCH_H
#define MAILSTEAD_CONFIGD_WATCH_H

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct {
    /* CONFIG: the entry can matter to configuration. */
    void (*changed)(const char *csn, const char *dn, bool config, void *data);
    void (*gap)(void *data);
    /* REASON NULL: connected. */
    void (*state)(const char *reason, void *data);
} watch_callbacks;

typedef struct watch watch;

/* Starts the thread. LOCALCONFIG_PATH NULL: the installed one; it is read at
 * each connection. COOKIE_PATH: where the cookie is kept over restarts. */
watch *watch_new(sd_event *event, const char *localconfig_path, const char *cookie_path, const watch_callbacks *callbacks, void *data, GError **error);
/* Connects at once if it waits to try again (localconfig changed). */
void watch_retry(watch *w);
void watch_free(watch *w);

#endif
