/* A shard's mailboxes: the one interface between the store's core (redo log,
 * SQLite, blobs, recovery; design §6) and the protocol sessions that run in the
 * shard's loop (IMAP, POP3, delivery).
 *
 * All calls are made from the shard's loop and never block. A change is applied
 * in memory and logged at once; its callback comes after the log's fdatasync
 * (group commit), in the loop, never before the call returned. Only then may a
 * client be told. A change of one mailbox made after another is never durable
 * without it. Callbacks always come while the shard is open; they keep the
 * mailbox alive by themselves (no reference needed for the time of a call). A
 * failed flush never calls back: the process ends. */
#ifndef MAILSTEAD_STORE_MAILBOX_H
#define MAILSTEAD_STORE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* ---- the shard ---- */

typedef struct shard shard;
typedef struct shard_numbers shard_numbers;    /* numbers.h */
typedef struct {
    unsigned number, count;        /* this shard of N */
    const char *store_dir;         /* volume: /opt/zimbra/store/0 */
    const char *redolog_dir;       /* /opt/zimbra/redolog */
    const char *db_dir;            /* /opt/zimbra/db */
    uint64_t checkpoint_bytes;     /* 64 MiB */
    unsigned checkpoint_seconds;   /* 60 */
    unsigned workers;              /* SQLite and file workers */
    uint32_t segment_bytes;        /* of the log; 0: 16 MiB */
    uint32_t wal_bytes;            /* a database's WAL is emptied above it; 0: 4 MiB */
    const shard_numbers *numbers;  /* statistics; NULL: none */
} shard_config;

/* Opens and recovers: after it every message that was acknowledged is there and
 * none is half there. Blocks (start-up). Negative errno; the journal has why. */
int shard_open(sd_event *event, const shard_config *config, shard **ret);
/* Flushes, checkpoints, closes; blocks (shutdown). */
void shard_close(shard *s);
/* Something is not durable or not done yet. */
bool shard_busy(const shard *s);
/* shard number of an account */
unsigned shard_of(const char *account_id, unsigned count);

typedef struct {      /* counters since start; one snapshot */
    uint64_t appends, appended_bytes, changes, flushes, checkpoints;
    uint64_t mailboxes, mailboxes_loaded, bytes_unapplied, bytes_logged;   /* now; logged: since start */
} shard_stats;
void shard_get_stats(const shard *s, shard_stats *ret);

/* ---- mailboxes ---- */

typedef struct mailbox mailbox;
typedef void (*mailbox_cb)(int r, mailbox *m, void *data);
/* Opens (loading or creating it: Inbox, Sent, Drafts, Trash, Junk subscribed).
 * NAME (the account's address) is kept for the administrator's eyes.
 * On 0 the callback owns one reference. May call back before it returns. */
void mailbox_open(shard *s, const char *account_id, const char *name, mailbox_cb cb, void *data);
/* The same for a delivery: does not load folders, so it costs nothing on a cold
 * mailbox. Only mailbox_append() (to any FOLDER_ID_...), id, account, quota and
 * size may be used on it. Returns one reference at once; NULL: not a valid id. */
mailbox *mailbox_open_header(shard *s, const char *account_id, const char *name);
mailbox *mailbox_ref(mailbox *m);
void mailbox_unref(mailbox *m);
uint64_t mailbox_id(const mailbox *m);
const char *mailbox_account_id(const mailbox *m);
/* Bytes, 0: none. Not stored: the directory owns it; set after each open. */
void mailbox_set_quota(mailbox *m, int64_t quota_bytes);
bool mailbox_over_quota(const mailbox *m, uint64_t more_bytes);
uint64_t mailbox_size(const mailbox *m);                   /* bytes of all messages */

/* Calls back when all that was logged for this mailbox before is durable (at
 * once when it is already): before STATUS or NOOP tells counts of folder_info,
 * which run ahead of the log by up to one flush. */
typedef void (*commit_cb)(int r, void *data);
void mailbox_barrier(mailbox *m, commit_cb cb, void *data);

/* ---- folders ---- */

enum {   /* ids of the folders every mailbox has; other ids start at 256 */
    FOLDER_ID_INBOX = 2, FOLDER_ID_TRASH = 3, FOLDER_ID_JUNK = 4, FOLDER_ID_SENT = 5, FOLDER_ID_DRAFTS = 6,
};

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

/* 0: logged, the callback will come; negative errno: refused now, no callback.
 * -EEXIST, -ENOENT, -EINVAL (name: empty part, control character, not UTF-8, too
 * long or deep), -EPERM (the five own folders cannot be deleted, nor but INBOX
 * renamed), -EDQUOT, -ENOSPC (volume 95 % full), -EAGAIN (too much unapplied:
 * answer with a temporary error).
 * Missing parents of a created or renamed folder are made \Noselect. Deleting
 * a folder that has children leaves it \Noselect; deleting such a one: -EPERM. */
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

/* Immutable, counted snapshot of a folder, ascending by uid. Records lie in pages
 * that snapshots share; any thread may read one it holds a reference of. */
typedef struct { uint32_t folder, n, uidvalidity, uidnext, unseen; uint64_t highestmodseq; } folder_view;
typedef void (*view_cb)(int r, folder_view *v, void *data);
/* The snapshot of now, handed out once all of it is durable (at once when it is,
 * perhaps before the call returns); the callback owns one reference. -ENOENT. */
void mailbox_view(mailbox *m, uint32_t folder, view_cb cb, void *data);
folder_view *folder_view_ref(folder_view *v);
void folder_view_unref(folder_view *v);
const message_record *folder_view_at(const folder_view *v, uint32_t index);   /* from 0 (sequence number - 1); NULL past the end */
uint32_t folder_view_lower(const folder_view *v, uint32_t uid);               /* index of the first uid >= UID; n: none */
const message_record *folder_view_find(const folder_view *v, uint32_t uid);   /* NULL: no such uid */
/* What changed from OLD to NEW (of one folder), ascending by uid. Expunged: AFTER
 * NULL, INDEX in OLD. New: BEFORE NULL, INDEX in NEW. Flags: both, INDEX in NEW. */
typedef void (*folder_diff_fn)(const message_record *before, const message_record *after, uint32_t index, void *data);
void folder_view_diff(const folder_view *before, const folder_view *after, folder_diff_fn fn, void *data);

/* A message to store, as CRLF text. FD: O_TMPFILE of shard_spool_fd(), complete;
 * give the same one to every recipient and they share the inode. BODY: the text
 * in memory; needed when there is no FD, useful (saves a read) up to
 * STORE_INLINE_MAX. Nothing is consumed; FD may be closed after the call. */
typedef struct {
    int fd;                         /* -1: BODY holds it all, SIZE <= STORE_INLINE_MAX */
    const void *body;               /* NULL or SIZE bytes */
    uint64_t size;                  /* 1 .. UINT32_MAX */
    const void *summary; size_t summary_len;   /* mime_summary_encode() */
    unsigned flags; uint64_t tags; int64_t date;
} new_message;
typedef void (*append_cb)(int r, uint32_t uidvalidity, uint32_t uid, void *data);
#define STORE_INLINE_MAX (32 * 1024)
/* 0: accepted, the callback will come once durable (or with an error, when the
 * message was over STORE_INLINE_MAX and its own flush found the disk full, or
 * the mailbox had to be loaded and the folder is gone); else as above. */
int mailbox_append(mailbox *m, uint32_t folder, const new_message *msg, append_cb cb, void *data);
/* A descriptor on the volume to spool a message into (O_TMPFILE). */
int shard_spool_fd(shard *s);

/* The folder of these three must have been viewed since the mailbox was opened
 * (its records stay in memory while the mailbox is referenced), else -EINVAL.
 * UIDS ascending; those that do not exist are passed over (copy: -ENOENT when
 * none is left, and *RET_UIDS then has 0 for a missing one). */
typedef enum { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE } flags_op;
/* TAGS: bits of mailbox_tag(). Raises modseq only of records that change. */
int mailbox_set_flags(mailbox *m, uint32_t folder, const uint32_t *uids, size_t n, flags_op op, unsigned flags, uint64_t tags, commit_cb cb, void *data);
/* COPY (RFC 4315): *RET_UIDS has n new uids (caller frees) when 0 is returned. */
int mailbox_copy(mailbox *m, uint32_t folder, const uint32_t *uids, size_t n, uint32_t to, bool move, commit_cb cb, void *data, uint32_t **ret_uids);
/* Removes those of UIDS that exist. */
int mailbox_expunge(mailbox *m, uint32_t folder, const uint32_t *uids, size_t n, commit_cb cb, void *data);

/* Keyword <-> bit (at most 64 a mailbox, kept for good). -ENOSPC when full,
 * -ENOENT when unknown and CREATE is false, -EINVAL: not an atom of <= 100 bytes.
 * A new one is durable no later than the change that uses it. */
int mailbox_tag(mailbox *m, const char *keyword, bool create);
const char *mailbox_tag_name(mailbox *m, unsigned bit);

/* ---- reading ---- */

/* ITEM from a message_record. May call back at once; -ENOENT when expunged and
 * cleaned away meanwhile (blobs outlive the expunge until a later checkpoint). */
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
