/* The shard's state, shared by the files of the core. Everything here belongs to
 * the loop, except what a job was given. */
#ifndef MAILSTEAD_STORE_SHARD_INTERNAL_H
#define MAILSTEAD_STORE_SHARD_INTERNAL_H

#include "agents/store/shard/blobs.h"
#include "agents/store/shard/content.h"
#include "agents/store/shard/group-db.h"
#include "agents/store/shard/header-db.h"
#include "agents/store/shard/jobs.h"
#include "agents/store/shard/mailbox.h"
#include "agents/store/shard/redo-log.h"

enum {
    MAILBOX_ID_STRIDE = 64,                     /* shards a server can have; docs/decisions/mailbox-ids.md */
    GROUPS_PER_HOST = 100,
    UNAPPLIED_MAX = 128 * 1024 * 1024,
    GROUP_APPLY_BYTES = 256 * 1024,
    LINKS_MAX = 8192,                           /* descriptors that wait for their link */
    HELD_MAX = 1000,                            /* messages that wait for room in the log */
    VOLUME_FULL_PERCENT = 95,
    IDLE_SECONDS = 60,
    SPOOL_QUEUES = 4,
};

typedef struct {
    shard *shard;
    unsigned number;
    job_queue *queue;
    group_db *db;               /* worker */
    char *path;
    GQueue pending;             /* op: logged, not known to be in the database; LSN order */
    size_t pending_bytes;
    unsigned links;             /* link jobs not done */
    bool applying, held;        /* a batch is with the worker; none may be */
    bool open, wal_large, has_unlinks;
    uint64_t unlinked;          /* worker: blobs expunged below were removed */
} group;

struct mailbox {
    shard *shard;
    group *group;
    mailbox_header header;
    unsigned refs;
    int64_t quota;
    uint64_t last_end;          /* log end of its last change */
    content *content;           /* NULL: not loaded */
    GArray *load_waiters;       /* load_waiter; NULL: no load under way */
    GHashTable *folder_loads;   /* folder id -> GArray of load_waiter */
    GHashTable *fresh;          /* item -> op that made it, while pending */
    GPtrArray *watches;
    gint64 idle_since;          /* monotonic, when refs is 0 */
};

typedef void (*load_fn)(int r, mailbox *m, void *data);
typedef struct { load_fn fn; void *data; } load_waiter;

/* What is called once the log is durable up to END. */
typedef struct waiter waiter;
struct waiter {
    uint64_t end;
    mailbox *mailbox;
    uint32_t notify[2];         /* folders changed; NOTIFY_NONE: none, 0: the list */
    void (*fire)(waiter *w);
    union { commit_cb commit; append_cb append; view_cb view; void (*internal)(void *data); } cb;
    void *data;
    int r;
    uint32_t uidvalidity, uid;
    uint64_t begun_us;          /* of an append */
    folder_view *view;
};
enum { NOTIFY_NONE = UINT32_MAX };

typedef enum { CP_IDLE, CP_LOG, CP_APPLY, CP_HEADERS, CP_SYNC, CP_RECORD, CP_BACKFILL, CP_SYNC_BACKFILL, CP_RESET, CP_SYNC_RESET } cp_state;
typedef struct {
    cp_state state;
    uint64_t lsn;               /* what it covers */
    uint64_t done_lsn, done_end;    /* of the last one: covered; log end then */
    unsigned jobs;              /* of this step, not done */
    bool hold_all;              /* closing: reset every WAL */
    bool headers_held, headers_large;
    gint64 last;                /* monotonic time of the last start */
    int error;
} checkpoint;

struct shard {
    shard_config config;
    char *store_dir, *redolog_dir, *db_dir;
    sd_event *event;
    sd_event_source *wake, *timer;
    int eventfd, db_fd, lock_fd;
    job_pool *jobs;
    job_queue *control, *spool[SPOOL_QUEUES], *segments;
    redo_log *log;
    header_db *headers;
    blobs *blobs;
    group *groups;
    unsigned n_groups;
    GHashTable *by_account, *by_id;     /* mailbox; by_account owns */
    GHashTable *loaded;                 /* set of mailboxes with content */
    GHashTable *dirty;                  /* set of mailboxes whose header changed */
    uint64_t next_mailbox;
    GQueue waiters;
    GHashTable *keeping;                /* inode -> kept file in incoming/ */
    uint64_t next_incoming;
    GPtrArray *stuck;                   /* link jobs that found the disk full */
    GQueue held;                        /* append: accepted, not logged for want of room */
    checkpoint cp;
    GByteArray *payload;
    uint64_t unapplied;
    unsigned links;
    int volume_percent;
    bool closing;
    shard_stats stats;
};

/* shard.c */
int shard_admit(const shard *s);                /* 0, -EAGAIN, -ESHUTDOWN: may a change be made now */
void shard_after(shard *s, uint64_t end, void (*fn)(void *data), void *data);    /* once durable */
void shard_pump(shard *s);                      /* blocks until something happened, handles it */
group_db *group_opened(group *g);               /* worker */

/* mailbox.c */
mailbox *mailbox_new(shard *s, const mailbox_header *h);    /* copies account and name */
void mailbox_free(mailbox *m);
mailbox *mailbox_get(shard *s, const char *account_id, const char *name, int *ret_error);
void mailbox_load(mailbox *m, load_fn fn, void *data);      /* folders; may call at once */
void mailbox_load_folder(mailbox *m, uint32_t id, load_fn fn, void *data);   /* records */
void mailbox_evict_idle(shard *s);

/* submit.c */
waiter *waiter_commit(mailbox *m, commit_cb cb, void *data, uint32_t notify, uint32_t notify_too);
void submit(mailbox *m, op *o, waiter *w);      /* takes both; W may be NULL */
void submit_nothing(mailbox *m, int r, commit_cb cb, void *data);   /* reports R after what was logged before */
void waiters_run(shard *s);
void group_apply(group *g);                     /* hands durable operations to the worker */

/* append.c */
void keeps_drop(shard *s, uint64_t lsn);
void keeps_free(shard *s);
void links_retry(shard *s);
void appends_release(shard *s);                 /* those held back, when there is room again */
void link_copies(mailbox *m, const op *o);

/* checkpoint.c */
void checkpoint_start(shard *s);
void checkpoint_applied(shard *s, int r);       /* a batch is in its database */

/* recovery.c */
int shard_recover(shard *s);

#endif
