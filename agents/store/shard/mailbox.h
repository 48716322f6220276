/* A shard's mailboxes: the one interface between the store's core (redo log,
 * SQLite, blobs, recovery; design §6) and the protocol sessions that run in the
 * shard's loop (IMAP, POP3, delivery).
 *
 * All calls are made from the shard's loop and never block. A change is applied
 * in memory and logged at once; its callback comes after the log's fdatasync
 * (group commit), in the loop. Only then may a client be told. A change of one
 * mailbox made after another is never durable without it. */
#ifndef MAILSTEAD_STORE_MAILBOX_H
#define MAILSTEAD_STORE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* ---- the shard ---- */

typedef struct shard shard;
typedef struct {
    unsigned number, count;        /* this shard of N */
    const char *store_dir;         /* volume: /opt/zimbra/store/0 */
    const char *redolog_dir;       /* /opt/zimbra/redolog */
    const char *db_dir;            /* /opt/zimbra/db */
    uint64_t checkpoint_bytes;     /* 64 MiB */
    unsigned checkpoint_seconds;   /* 60 */
    unsigned workers;              /* SQLite and file workers */
} shard_config;

/* Opens and recovers: after it every message that was acknowledged is there and
 * none is half there. Blocks (start-up). Negative errno; the journal has why. */
int shard_open(sd_event *event, const shard_config *config, shard **ret);
/* Flushes, checkpoints, closes; blocks (shutdown). */
void shard_close(shard *s);
/* shard number of an account */
unsigned shard_of(const char *account_id, unsigned count);

typedef struct {      /* counters since start; one snapshot */
    uint64_t deliveries, delivered_bytes, appends, commits, flushes, mailboxes_open, checkpoint_count, bytes_unapplied;
} shard_stats;
void shard_get_stats(const shard *s, shard_stats *ret);

/* ---- mailboxes ---- */

typedef struct mailbox mailbox;
typedef void (*mailbox_cb)(int r, mailbox *m, void *data);
/* Opens (loading or creating it: Inbox, Sent, Drafts, Trash, Junk subscribed).
 * On 0 the callback owns one reference. May call back before it returns. */
void mailbox_open(shard *s, const char *account_id, const char *name, mailbox_cb cb, void *data);
mailbox *mailbox_ref(mailbox *m);
void mailbox_unref(mailbox *m);
uint64_t mailbox_id(const mailbox *m);
const char *mailbox_account_id(const mailbox *m);
void mailbox_set_quota(mailbox *m, int64_t quota_bytes);   /* 0: none */
uint64_t mailbox_size(const mailbox *m);                   /* bytes of all messages */

/* ---- folders ---- */

enum {   /* folder_info.special_use (RFC 6154) */
    FOLDER_INBOX = 1, FOLDER_SENT = 2, FOLDER_DRAFTS = 4, FOLDER_TRASH = 8, FOLDER_JUNK = 16,
};
typedef struct {
    uint32_t id;                 /* never reused */
    const char *name;            /* full path, UTF-8, '/' separated; "INBOX" in upper case */
    unsigned special_use;
    bool subscribed, noselect;
    uint32_t uidvalidity, uidnext, messages, unseen;
    uint64_t highestmodseq;
} folder_info;
/* Borrowed, valid until the loop is re-entered. NULL: none. */
const folder_info *mailbox_folder(mailbox *m, uint32_t id);
const folder_info *mailbox_folder_by_name(mailbox *m, const char *name);   /* INBOX in any case */
const folder_info *mailbox_folder_at(mailbox *m, unsigned index);          /* name order; NULL past the end */

typedef void (*commit_cb)(int r, void *data);
/* 0: logged, the callback will come; negative errno: refused now, no callback.
 * -EEXIST, -ENOENT, -EINVAL (name), -EPERM (INBOX and special rules), -EDQUOT. */
int mailbox_create_folder(mailbox *m, const char *name, unsigned special_use, commit_cb cb, void *data, uint32_t *ret_id);
int mailbox_delete_folder(mailbox *m, uint32_t id, commit_cb cb, void *data);
int mailbox_rename_folder(mailbox *m, uint32_t id, const char *new_name, commit_cb cb, void *data); /* INBOX: RFC 9051 §6.3.6 */
int mailbox_subscribe(mailbox *m, uint32_t id, bool subscribed, commit_cb cb, void *data);

/* ---- messages ---- */

enum {   /* message_record.flags */
    MSG_SEEN = 1, MSG_ANSWERED = 2, MSG_FLAGGED = 4, MSG_DELETED = 8, MSG_DRAFT = 16, MSG_FORWARDED = 32, MSG_JUNK = 64, MSG_NOTJUNK = 128,
};
typedef struct {         /* 40 bytes, as in the page table */
    uint32_t uid, item, flags, tags_lo;   /* tags: 64 keywords a mailbox */
    uint32_t tags_hi, size;
    uint64_t modseq;
    int64_t date;        /* INTERNALDATE, Unix time */
} message_record;

/* Immutable, counted snapshot of a folder, ascending by uid. */
typedef struct { uint32_t folder, n; uint64_t highestmodseq; const message_record *records; } folder_view;
typedef void (*view_cb)(int r, folder_view *v, void *data);
/* The current snapshot; the callback owns one reference. May call back at once. */
void mailbox_view(mailbox *m, uint32_t folder, view_cb cb, void *data);
folder_view *folder_view_ref(folder_view *v);
void folder_view_unref(folder_view *v);

/* A message to store. BODY (inline, <= 32 KiB) or FD (O_TMPFILE of
 * shard_spool_fd(), complete) holds it, as CRLF text. Not consumed. */
typedef struct {
    int fd;                         /* -1 when only inline */
    const void *body; size_t body_len;
    uint64_t size;
    const void *summary; size_t summary_len;   /* mime_summary_encode() */
    unsigned flags; uint64_t tags; int64_t date;
    const char *incoming;           /* path once linked below incoming/ and durable, else NULL */
} new_message;
typedef void (*append_cb)(int r, uint32_t uidvalidity, uint32_t uid, void *data);
#define STORE_INLINE_MAX (32 * 1024)
int mailbox_append(mailbox *m, uint32_t folder, const new_message *msg, append_cb cb, void *data);
/* A descriptor on the volume to spool a message into (O_TMPFILE). */
int shard_spool_fd(shard *s);

typedef enum { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE } flags_op;
/* UIDS ascending. TAGS: bits of mailbox_tag(). */
int mailbox_set_flags(mailbox *m, uint32_t folder, const uint32_t *uids, size_t n, flags_op op, unsigned flags, uint64_t tags, commit_cb cb, void *data);
/* COPY (RFC 4315): *RET_UIDS has n new uids (caller frees) when 0 is returned. */
int mailbox_copy(mailbox *m, uint32_t folder, const uint32_t *uids, size_t n, uint32_t to, bool move, commit_cb cb, void *data, uint32_t **ret_uids);
/* Removes those of UIDS that exist. */
int mailbox_expunge(mailbox *m, uint32_t folder, const uint32_t *uids, size_t n, commit_cb cb, void *data);

/* Keyword <-> bit (at most 64 a mailbox). -ENOSPC when full, -ENOENT when CREATE is false. */
int mailbox_tag(mailbox *m, const char *keyword, bool create);
const char *mailbox_tag_name(mailbox *m, unsigned bit);

/* ---- reading ---- */

typedef void (*summary_cb)(int r, const void *summary, size_t len, void *data);
void mailbox_summary(mailbox *m, uint32_t item, summary_cb cb, void *data);
typedef void (*blob_cb)(int r, int fd, uint64_t size, void *data);   /* fd is the callback's */
void mailbox_blob(mailbox *m, uint32_t item, blob_cb cb, void *data);

/* ---- changes, for IDLE and unsolicited responses ---- */

/* Called in the loop after a change of FOLDER was committed; take a new view and
 * compare. FOLDER 0: folders changed. */
typedef struct mailbox_watch mailbox_watch;
typedef void (*watch_fn)(mailbox *m, uint32_t folder, void *data);
mailbox_watch *mailbox_watch_add(mailbox *m, watch_fn fn, void *data);
void mailbox_watch_remove(mailbox_watch *w);

#endif
