/* The directory's change stream.
 *
 * The cookie (one CSN for each server of the directory) says how far we have
 * heard. It is kept in a file over restarts and sent with every request, so that
 * the server tells what changed meanwhile. The content itself is not kept: the
 * engine reads it anew for every run. Where the server cannot name everything
 * that changed, callers are told of a gap, which makes the engine read all and
 * the caches forget all: at the first connection; after a present phase (what
 * is gone is what was not named, and we keep no UUIDs); for deletions told by
 * UUID only; after refreshRequired; and when contextCSN is older than the cookie:
 * a directory that was restored from a backup.
 *
 * libldap may hold a message that poll(2) on the socket does not show, so after
 * every wake-up ldap_result() is called until it has nothing left.
 *
 * A persistent search is silent when its server is gone: TCP keepalive finds a
 * dead host; contextCSN, compared every minute, finds a session that does not
 * deliver. */
#include "configd/watch.h"

#include <errno.h>
#include <ldap.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "configd/sync.h"
#include "configd/watch-connect.h"
#include "lib/journal/journal.h"

#define CHECK_INTERVAL_MS 60000
#define CHECK_AGAIN_MS 5000
#define RETRY_MS 100            /* a change is late by this at most once slapd is back soon */
#define RETRY_SLOW_MS 500
#define QUICK_TRIES 100         /* ten seconds; a slapd that takes longer is not being restarted */
#define SAVE_EACH_MS 5000
#define COOKIE_MAX_BYTES 8192

typedef enum { EVENT_CHANGED, EVENT_GAP, EVENT_WENT_BACK, EVENT_UP, EVENT_DOWN } event_kind;

typedef struct {
    event_kind kind;
    char *csn, *text;
    bool config;
} watch_event;

struct watch {
    sd_event_source *io;
    int to_main, to_thread;      /* eventfds */
    GAsyncQueue *events;
    watch_callbacks callbacks;
    void *data;
    char *localconfig_path, *cookie_path;
    pthread_t thread;
    int stopping;                /* atomic */
    /* of the thread */
    LDAP *ld;
    int sync_id, check_id;       /* message ids; 0 none */
    bool refreshed;
    bool gap;                    /* this session cannot tell all that changed */
    char *cookie;                /* how far we have heard */
    char *saved;                 /* the cookie on disk */
    gint64 saved_at;             /* monotonic ms */
    gint64 check_at;             /* monotonic ms */
    char *suspect;               /* cookie the server has and we do not */
    bool done;                   /* the session is over */
    char *reason;
};

static void event_free(watch_event *e)
{
    g_free(e->csn);
    g_free(e->text);
    g_free(e);
}

static void wake(int fd)
{
    uint64_t one = 1;
    (void) !write(fd, &one, sizeof one);   /* full counter: the reader is awake anyway */
}

static watch_event *event_new(event_kind kind, const char *csn, const char *text, bool config)
{
    watch_event *e = g_new0(watch_event, 1);
    e->kind = kind;
    e->csn = g_strdup(csn);
    e->text = g_strdup(text);
    e->config = config;
    return e;
}

static void tell(watch *w, event_kind kind, const char *csn, const char *text, bool config)
{
    g_async_queue_push(w->events, event_new(kind, csn, text, config));
    wake(w->to_main);
}

static gint64 now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

/* ---- messages ---- */

/* Servers, domains and what is below cn=zimbra; not accounts. */
static bool matters(const char *dn)
{
    if (!g_ascii_strncasecmp(dn, "uid=", 4))
        return false;
    size_t len = strlen(dn), tail = strlen("cn=zimbra");
    return !g_ascii_strncasecmp(dn, "dc=", 3) || (len >= tail && !g_ascii_strcasecmp(dn + len - tail, "cn=zimbra"));
}

static void note_cookie(watch *w, const char *cookie)
{
    if (!cookie || !sync_is_behind(w->cookie, cookie))
        return;
    char *merged = sync_merge(w->cookie, cookie);
    g_free(w->cookie);
    w->cookie = merged;
}

static void on_entry(watch *w, LDAPMessage *m)
{
    LDAPControl **controls = NULL;
    g_autofree char *cookie = NULL;
    sync_state state = SYNC_PRESENT;
    char *dn = ldap_get_dn(w->ld, m);

    if (dn && ldap_get_entry_controls(w->ld, m, &controls) == LDAP_SUCCESS) {
        LDAPControl *c = controls ? ldap_control_find(SYNC_STATE_OID, controls, NULL) : NULL;
        if (c && sync_parse_state(&c->ldctl_value, &state, &cookie)) {
            g_autofree char *csn = cookie ? sync_newest_csn(cookie) : NULL;
            if (w->refreshed)        /* within the refresh a cookie does not cover what is still to come */
                note_cookie(w, cookie);
            if (state != SYNC_PRESENT)
                tell(w, EVENT_CHANGED, csn, dn, matters(dn));
        }
    }
    ldap_controls_free(controls);
    ldap_memfree(dn);
}

static void tell_gap(watch *w)
{
    if (w->gap)
        tell(w, EVENT_GAP, NULL, NULL, true);
    w->gap = false;
}

static void on_info(watch *w, LDAPMessage *m)
{
    char *oid = NULL;
    struct berval *value = NULL;
    sync_info info = { 0 };

    if (ldap_parse_intermediate(w->ld, m, &oid, &value, NULL, 0) == LDAP_SUCCESS && oid && value &&
        g_str_equal(oid, SYNC_INFO_OID) && sync_parse_info(value, &info)) {
        if (info.deleted_ids || info.present)
            w->gap = true;
        if (info.refresh_done && !w->refreshed) {
            w->refreshed = true;
            tell(w, EVENT_UP, NULL, NULL, false);
        }
        if (w->refreshed) {
            tell_gap(w);
            note_cookie(w, info.cookie);
        }
        sync_info_clear(&info);
    }
    ldap_memfree(oid);
    ber_bvfree(value);
}

static void end_session(watch *w, const char *reason)
{
    w->done = true;
    g_free(w->reason);
    w->reason = g_strdup(reason);
}

/* The server's contextCSN against what we have heard. */
static void on_check(watch *w, LDAPMessage *m)
{
    g_autofree char *theirs = watch_cookie_of(w->ld, m);
    if (!theirs || !sync_is_behind(w->cookie, theirs)) {
        g_clear_pointer(&w->suspect, g_free);
    } else if (w->suspect && sync_is_behind(w->cookie, w->suspect)) {
        end_session(w, "the change stream does not deliver");
    } else {
        g_free(w->suspect);
        w->suspect = g_steal_pointer(&theirs);
        w->check_at = now_ms() + CHECK_AGAIN_MS;
    }
}

/* The end of a search that should have none. A server that cannot continue from
 * our cookie says so before the refresh is done (refreshRequired; unwilling, when
 * we have heard of more than it knows): from nothing, then. */
static void on_result(watch *w, LDAPMessage *m)
{
    int code = LDAP_OTHER;
    char *text = NULL;
    (void) ldap_parse_result(w->ld, m, &code, NULL, &text, NULL, NULL, 0);
    g_autofree char *reason = g_strdup_printf("the change stream ended: %s%s%s", ldap_err2string(code), text && *text ? ": " : "", text ? text : "");
    ldap_memfree(text);
    if (!w->refreshed || code == LDAP_SYNC_REFRESH_REQUIRED) {
        g_clear_pointer(&w->cookie, g_free);
        w->gap = true;
    }
    end_session(w, reason);
}

static void on_message(watch *w, LDAPMessage *m)
{
    int id = ldap_msgid(m), type = ldap_msgtype(m);
    if (id == w->check_id) {
        if (type == LDAP_RES_SEARCH_ENTRY)
            on_check(w, m);
        else if (type == LDAP_RES_SEARCH_RESULT)
            w->check_id = 0;
        return;
    }
    if (id != w->sync_id)
        return;
    switch (type) {
    case LDAP_RES_SEARCH_ENTRY: on_entry(w, m); break;
    case LDAP_RES_INTERMEDIATE: on_info(w, m); break;
    case LDAP_RES_SEARCH_RESULT: on_result(w, m); break;
    default: break;
    }
}

/* Takes every message libldap has or can read without waiting. */
static void drain(watch *w)
{
    while (!w->done && !g_atomic_int_get(&w->stopping)) {
        struct timeval zero = { 0 };
        LDAPMessage *m = NULL;
        int rc = ldap_result(w->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &zero, &m);
        if (rc == 0)
            return;
        if (rc < 0) {
            int code = LDAP_SERVER_DOWN;
            ldap_get_option(w->ld, LDAP_OPT_RESULT_CODE, &code);
            end_session(w, ldap_err2string(code));
            return;
        }
        on_message(w, m);
        ldap_msgfree(m);
    }
}

/* ---- the cookie's file ---- */

static void load_cookie(watch *w)
{
    gsize len;
    if (!g_file_get_contents(w->cookie_path, &w->cookie, &len, NULL))
        return;
    if (len > COOKIE_MAX_BYTES || strlen(w->cookie) != len || !strstr(w->cookie, "csn="))
        g_clear_pointer(&w->cookie, g_free);
    else
        g_strchomp(w->cookie);
    w->saved = g_strdup(w->cookie);
}

/* Not for every change: an older cookie only makes the server tell more. NOW: at
 * the end, whatever the time. Returns ms until it wants to be called again. */
static gint64 save_cookie(watch *w, bool now)
{
    gint64 due = w->saved_at + SAVE_EACH_MS - now_ms();
    if (!g_strcmp0(w->cookie, w->saved) || !w->cookie)
        return CHECK_INTERVAL_MS;
    if (due > 0 && !now)
        return due;
    w->saved_at = now_ms();
    g_free(w->saved);
    w->saved = g_strdup(w->cookie);
    (void) g_file_set_contents_full(w->cookie_path, w->cookie, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, NULL);   /* a full disk: the older one does */
    return CHECK_INTERVAL_MS;
}

/* ---- a session ---- */

/* What to ask for: all after our cookie, or after the server's present state when
 * we have none, or when the server knows less than we have heard. */
static void choose_cookie(watch *w)
{
    g_autofree char *theirs = watch_start_cookie(w->ld);
    if (w->cookie && theirs && sync_is_behind(theirs, w->cookie)) {
        tell(w, EVENT_WENT_BACK, NULL, theirs, true);
        g_clear_pointer(&w->cookie, g_free);
        w->gap = true;
    }
    if (w->cookie)
        return;
    w->cookie = g_steal_pointer(&theirs);
    w->gap = true;
}

static bool start_session(watch *w)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&w->suspect, g_free);
    w->done = w->refreshed = false;
    w->check_id = 0;
    w->ld = watch_connect(w->localconfig_path, &error);
    if (w->ld) {
        choose_cookie(w);
        w->sync_id = watch_start_sync(w->ld, w->cookie, &error);
    }
    if (error)
        end_session(w, error->message);
    w->check_at = now_ms() + CHECK_INTERVAL_MS;
    return !error;
}

static void check_if_due(watch *w)
{
    if (now_ms() < w->check_at)
        return;
    if (w->check_id || !w->refreshed) {       /* a minute without an answer */
        end_session(w, "the directory does not answer");
        return;
    }
    w->check_at = now_ms() + CHECK_INTERVAL_MS;
    w->check_id = watch_start_check(w->ld);
    if (w->check_id < 0)
        end_session(w, "the directory cannot be asked");
}

/* Waits for the socket (FD >= 0), for somebody to wake us, or for MS. */
static void wait_for(watch *w, int fd, gint64 ms)
{
    struct pollfd fds[2] = { { .fd = w->to_thread, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
    if (poll(fds, fd >= 0 ? 2 : 1, CLAMP(ms, 0, CHECK_INTERVAL_MS)) > 0 && fds[0].revents) {
        uint64_t count;
        (void) !read(w->to_thread, &count, sizeof count);   /* only resets it */
    }
}

static void follow(watch *w)
{
    int fd = -1;
    ldap_get_option(w->ld, LDAP_OPT_DESC, &fd);
    for (;;) {
        drain(w);
        if (w->done || g_atomic_int_get(&w->stopping))
            return;
        check_if_due(w);
        gint64 save_in = save_cookie(w, false);
        if (!w->done)
            wait_for(w, fd, MIN(w->check_at - now_ms(), save_in));
    }
}

static void *run(void *data)
{
    watch *w = data;
    unsigned tries = 0;

    load_cookie(w);
    w->gap = true;               /* callers know nothing yet */
    while (!g_atomic_int_get(&w->stopping)) {
        if (start_session(w))
            follow(w);
        if (w->refreshed)
            tries = 0;
        if (w->ld)
            ldap_unbind_ext(w->ld, NULL, NULL);
        w->ld = NULL;
        if (g_atomic_int_get(&w->stopping))
            break;
        tell(w, EVENT_DOWN, NULL, w->reason, false);
        wait_for(w, -1, tries++ < QUICK_TRIES ? RETRY_MS : RETRY_SLOW_MS);
    }
    (void) save_cookie(w, true);
    return NULL;
}

/* ---- main thread ---- */

static void dispatch(watch *w, const watch_event *e)
{
    switch (e->kind) {
    case EVENT_CHANGED: w->callbacks.changed(e->csn, e->text, e->config, w->data); break;
    case EVENT_GAP: w->callbacks.gap(w->data); break;
    case EVENT_WENT_BACK:
        journal_warning("the directory went back to an older state (%s): everything is read anew", e->text);
        break;
    case EVENT_UP: w->callbacks.state(NULL, w->data); break;
    case EVENT_DOWN: w->callbacks.state(e->text, w->data); break;
    }
}

static int on_events(sd_event_source *s, int fd, uint32_t revents, void *data)
{
    watch *w = data;
    uint64_t count;
    (void) !read(fd, &count, sizeof count);   /* only resets it */
    for (watch_event *e; (e = g_async_queue_try_pop(w->events));) {
        dispatch(w, e);
        event_free(e);
    }
    return 0;
}

watch *watch_new(sd_event *event, const char *localconfig_path, const char *cookie_path, const watch_callbacks *callbacks, void *data, GError **error)
{
    watch *w = g_new0(watch, 1);
    sigset_t all, old;

    w->callbacks = *callbacks;
    w->data = data;
    w->localconfig_path = g_strdup(localconfig_path);
    w->cookie_path = g_strdup(cookie_path);
    w->events = g_async_queue_new_full((GDestroyNotify) event_free);
    w->to_main = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->to_thread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = w->to_main < 0 || w->to_thread < 0 ? -errno : sd_event_add_io(event, &w->io, w->to_main, EPOLLIN, on_events, w);
    if (rc >= 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        rc = -pthread_create(&w->thread, NULL, run, w);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    if (rc < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot start following the directory: %s", g_strerror(-rc));
        w->stopping = -1;
        watch_free(w);
        return NULL;
    }
    return w;
}

void watch_retry(watch *w)
{
    wake(w->to_thread);
}

void watch_free(watch *w)
{
    if (!w)
        return;
    if (g_atomic_int_get(&w->stopping) == 0) {
        g_atomic_int_set(&w->stopping, 1);
        wake(w->to_thread);
        pthread_join(w->thread, NULL);
    }
    sd_event_source_disable_unref(w->io);
    if (w->to_main >= 0)
        close(w->to_main);
    if (w->to_thread >= 0)
        close(w->to_thread);
    g_async_queue_unref(w->events);
    g_free(w->localconfig_path);
    g_free(w->cookie_path);
    g_free(w->cookie);
    g_free(w->saved);
    g_free(w->suspect);
    g_free(w->reason);
    g_free(w);
}
