/* The shard's statistics page (lib/statpage): which value is what. The shard copies
 * its own counters once a second; sessions count where they know. */
#ifndef MAILSTEAD_STORE_NUMBERS_H
#define MAILSTEAD_STORE_NUMBERS_H

#include "agents/store/shard/mailbox.h"
#include "lib/statpage/statpage.h"

enum {
    NUMBER_APPENDS, NUMBER_APPENDED_BYTES, NUMBER_APPENDS_DONE, NUMBER_APPEND_US, NUMBER_CHANGES, NUMBER_FLUSHES, NUMBER_LOGGED_BYTES,
    NUMBER_CHECKPOINTS, NUMBER_UNAPPLIED_BYTES, NUMBER_MAILBOXES, NUMBER_MAILBOXES_LOADED, NUMBER_IMAP_COMMANDS, NUMBER_IMAP_TIMED,
    NUMBER_IMAP_US, NUMBER_IMAP_SESSIONS, NUMBER_POP3_COMMANDS, NUMBER_POP3_US, NUMBER_POP3_SESSIONS, NUMBER_OPEN_DESCRIPTORS,
    NUMBER_FIXED,
};

/* Behind the fixed ones two for each command: its count and its microseconds. */
struct shard_numbers {
    statpage *page;             /* NULL: nobody counts */
    unsigned imap_first, pop3_first;
};

/* Page zmmailboxd-shard-NUMBER. Never NULL. */
shard_numbers *shard_numbers_new(unsigned number);
void shard_numbers_free(shard_numbers *n);

/* Of a shard; its page is NULL where the shard was given none. */
const shard_numbers *shard_get_numbers(const shard *s);

/* Command I of a protocol whose first one is at FIRST. */
static inline void shard_count_command(const shard_numbers *n, unsigned first, unsigned i, uint64_t us)
{
    statpage_inc(n->page, first + 2 * i);
    statpage_add(n->page, first + 2 * i + 1, us);
}

#endif
