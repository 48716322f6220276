/* Private to the IMAP sessions.
 *
 * One command runs at a time. Its handler ends it with session_ok/no/bad, at once
 * or from a callback; then untagged changes are sent where the command allows, and
 * the tagged answer. Callbacks of the store hold the session by session_ref() and
 * look at session->closed first: the client may be gone.
 *
 * The client's picture of the selected folder is session->view: sequence numbers
 * are its indexes + 1. It changes in sync.c alone. */
#ifndef MAILSTEAD_STORE_IMAP_SESSION_H
#define MAILSTEAD_STORE_IMAP_SESSION_H

#include "agents/store/shard/imap/imap.h"
#include "agents/store/shard/session/stream.h"
#include "lib/imap/imap.h"

typedef struct session session;

enum {   /* command.flags */
    NEEDS_SELECTED = 1,
    KEEPS_NUMBERS = 2,      /* no EXPUNGE may be sent while it runs (RFC 9051 §7.5.1) */
    HAS_UID_FORM = 4,
    NO_SYNC = 8,            /* the answer comes without untagged changes */
};

typedef struct {
    const char *name;
    unsigned flags;
    void (*run)(session *s, imap_cursor *args);   /* ARGS after the name: a space or the end */
} imap_command;
extern const imap_command imap_commands[];
extern const size_t imap_n_commands;
extern const char imap_capabilities[];

typedef struct { uint32_t uid, flags; uint64_t tags; } told_flags;   /* the client knows these already */

struct session {
    imap_server *server;
    unsigned refs;
    bool closed;
    stream *stream;
    char *account_id, *name, *client;
    imap_reader reader;
    mailbox *mailbox;
    mailbox_watch *watch;

    /* selected folder */
    uint32_t folder;                /* 0: none */
    bool read_only;
    folder_view *view;
    GArray *recent;                 /* of imap_range: uids that are \Recent here */
    uint32_t recent_next;           /* uids from here were not judged yet */
    uint64_t known_tags;            /* keywords the client was told of by FLAGS */

    /* running command */
    const imap_command *command;
    char *tag;
    bool uid;                       /* UID form */
    uint64_t begun_us;
    GStringChunk *strings;
    void *state;
    GDestroyNotify state_free;
    void (*produce)(session *s);    /* called when there is room for output */
    void (*take_input)(session *s); /* input is the command's own (APPEND, IDLE) */
    GArray *told;                   /* of told_flags, ascending */
    char *answer;                   /* "OK text" while changes are being sent */
    unsigned bad_commands;

    /* sync.c */
    bool idling, syncing, sync_again;
    void (*sync_then)(session *s);
};

struct imap_server {
    sd_event *event;
    shard *shard;
    work_pool *work;
    imap_settings settings;
    char *intake_path;
    wire_conn *intake;
    GHashTable *sessions;           /* set */
    GHashTable *recent;             /* folder key -> first uid that no session has seen */
};

/* ---- session.c ---- */
session *session_ref(session *s);
void session_unref(session *s);
GString *session_out(session *s);
void session_ok(session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
void session_no(session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
void session_bad(session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* NO with the response code and text for what mailbox.h refused. */
void session_no_errno(session *s, int r);
void session_bye(session *s, const char *reason);
/* The command's own data until it ends. */
void session_set_state(session *s, void *state, GDestroyNotify state_free);
/* Waits for input of the command's own kind (true) or not (false). */
void session_take_input(session *s, void (*take)(session *s));

/* ---- selected.c: numbers, flags, \Recent ---- */
void session_deselect(session *s);
/* A set of the command's kind (numbers or UIDs) -> indexes of s->view, ascending;
 * NULL after session_bad(). */
GArray *session_indexes(session *s, imap_cursor *args);
/* UIDs of these indexes that exist in LATEST as well. */
GArray *session_uids(session *s, const GArray *indexes, const folder_view *latest);
void session_claim_recent(session *s, const folder_view *v);
bool session_is_recent(const session *s, uint32_t uid);
uint32_t session_count_recent(const session *s);
uint32_t server_recent_of(imap_server *i, uint64_t mailbox_number, const folder_info *f);
void session_put_flag_lists(session *s, GString *out);    /* FLAGS, and PERMANENTFLAGS at SELECT */
void session_put_permanent_flags(session *s, GString *out);
void session_put_flags(session *s, GString *out, const message_record *m);
/* Sends FLAGS again when MESSAGE has a keyword the client was not told of. */
void session_tell_keywords(session *s, GString *out, const message_record *m);
uint64_t record_tags(const message_record *m);
void session_told(session *s, const message_record *m);
/* Parses "(\Seen foo)" or a bare list; creates keywords. 0, -EBADMSG, or mailbox_tag()'s errno. */
int session_flag_list(session *s, imap_cursor *args, unsigned *ret_flags, uint64_t *ret_tags);

/* ---- sync.c ---- */
/* Sends what changed in the selected folder (EXPUNGE only if EXPUNGE), then THEN. */
void session_sync(session *s, bool expunge, void (*then)(session *s));
void session_changed(mailbox *m, uint32_t folder, void *data);   /* a watch_fn */

#endif
