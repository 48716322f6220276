/* IMAP sessions in a shard's loop (RFC 3501, RFC 9051 §6.3-6.4; extensions in
 * cmd-session.c). The shard's main gives hand-overs to it; everything else goes
 * through mailbox.h. */
#ifndef MAILSTEAD_STORE_IMAP_H
#define MAILSTEAD_STORE_IMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "agents/store/shard/mailbox.h"
#include "agents/store/shard/session/work.h"
#include "agents/store/wire/wire.h"

typedef struct imap_server imap_server;
typedef struct {
    uint64_t max_append_bytes;     /* larger messages are refused */
    unsigned idle_seconds;         /* before an automatic logout; RFC 9051 §5.4: at least 30 minutes */
    const char *intake_path;       /* who parses appended messages */
} imap_settings;
extern const imap_settings imap_default_settings;

/* SHARD and WORK must outlive it. */
imap_server *imap_server_new(sd_event *event, shard *s, work_pool *work, const imap_settings *settings);
void imap_server_free(imap_server *i);       /* says BYE to its sessions */
/* Takes M when it is an IMAP session's hand-over; false: not for us. */
bool imap_server_message(imap_server *i, wire_message *m);
unsigned imap_server_sessions(const imap_server *i);
/* The table of commands, for statistics; NULL past the end. */
const char *imap_command_name(unsigned i);

#endif
