/* Private to the IMAP sessions: the handlers of the command table, a file or group
 * of files each. */
#ifndef MAILSTEAD_STORE_IMAP_CMD_H
#define MAILSTEAD_STORE_IMAP_CMD_H

#include "agents/store/shard/imap/session.h"

void cmd_capability(session *s, imap_cursor *args);    /* cmd-session.c */
void cmd_noop(session *s, imap_cursor *args);
void cmd_logout(session *s, imap_cursor *args);
void cmd_id(session *s, imap_cursor *args);
void cmd_enable(session *s, imap_cursor *args);
void cmd_namespace(session *s, imap_cursor *args);
void cmd_idle(session *s, imap_cursor *args);
void cmd_select(session *s, imap_cursor *args);        /* cmd-select.c */
void cmd_examine(session *s, imap_cursor *args);
void cmd_unselect(session *s, imap_cursor *args);
void cmd_close(session *s, imap_cursor *args);
void cmd_create(session *s, imap_cursor *args);        /* cmd-folder.c */
void cmd_delete(session *s, imap_cursor *args);
void cmd_rename(session *s, imap_cursor *args);
void cmd_subscribe(session *s, imap_cursor *args);
void cmd_unsubscribe(session *s, imap_cursor *args);
void cmd_list(session *s, imap_cursor *args);          /* cmd-list.c */
void cmd_lsub(session *s, imap_cursor *args);
void cmd_status(session *s, imap_cursor *args);        /* cmd-status.c */
void cmd_append(session *s, imap_cursor *args);        /* cmd-append.c */
void cmd_expunge(session *s, imap_cursor *args);       /* cmd-expunge.c */
void cmd_search(session *s, imap_cursor *args);        /* cmd-search.c */
void cmd_fetch(session *s, imap_cursor *args);         /* cmd-fetch.c */
void cmd_store(session *s, imap_cursor *args);         /* cmd-store.c */
void cmd_copy(session *s, imap_cursor *args);          /* cmd-copy.c */
void cmd_move(session *s, imap_cursor *args);

/* The literal just announced is APPEND's message: append_start() decides on it. */
bool append_wants_literal(const imap_reader *r);
void append_start(session *s, imap_cursor *args);
/* One STATUS answer; ITEMS: bits of status_items(). */
bool status_items(imap_cursor *args, unsigned *ret);   /* "(MESSAGES UNSEEN)" */
void status_put(session *s, GString *out, const folder_info *f, unsigned items);

#endif
