/* Private to the POP3 sessions. */
#ifndef MAILSTEAD_STORE_POP3_SESSION_H
#define MAILSTEAD_STORE_POP3_SESSION_H

#include "agents/store/shard/pop3/dots.h"
#include "agents/store/shard/pop3/pop3.h"
#include "agents/store/shard/session/stream.h"

typedef struct session session;

struct pop3_server {
    sd_event *event;
    shard *shard;
    work_pool *work;
    unsigned idle_seconds;
    GHashTable *sessions;
};

struct session {
    pop3_server *server;
    unsigned refs;
    bool closed;
    stream *stream;
    char *name;
    mailbox *mailbox;
    folder_view *view;         /* the maildrop */
    uint8_t *deleted;          /* per message; NULL: none yet */
    uint32_t n_deleted;
    uint64_t deleted_bytes, bytes;
    bool busy;                 /* an answer is being made */
    bool counting;             /* of the command NUMBER, since BEGUN_US */
    unsigned number;
    uint64_t begun_us;
    void (*produce)(session *s);
    /* LIST, UIDL of all */
    void (*put_line)(session *s, uint32_t index);
    uint32_t next;
    /* RETR, TOP */
    int fd;
    uint64_t offset;
    dot_stuffer dots;
    bool waiting, running;
};

session *pop3_session_ref(session *s);
void pop3_session_unref(session *s);
GString *pop3_session_out(session *s);
/* Ends the answer at hand; the next command may come. */
void pop3_session_done(session *s);
bool pop3_session_is_deleted(const session *s, uint32_t index);
/* The command that runs, if one does, is over: for statistics. */
void pop3_session_count(session *s);

/* ---- commands.c ---- */
void pop3_command(session *s, const char *line);
/* ---- retrieve.c ---- */
void retrieve_start(session *s, uint32_t index, uint32_t body_lines);   /* UINT32_MAX: all */

#endif
