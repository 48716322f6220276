/* A shard: opening, closing, and the loop's two sources: an eventfd rung by the
 * log thread and by workers, and a timer once a second. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"
#include "agents/store/shard/numbers.h"
#include "agents/store/shard/shard-internal.h"
#include "agents/store/wire/wire.h"
#include "lib/alert/alert.h"
#include "lib/journal/journal.h"

enum { TICK_USEC = 1000000, WAL_DEFAULT = 4 * 1024 * 1024 };

unsigned shard_of(const char *account_id, unsigned count)
{
    return wire_shard_of(account_id, count);
}

int shard_admit(const shard *s)
{
    if (s->closing)
        return -ESHUTDOWN;
    bool room = s->unapplied < UNAPPLIED_MAX && s->links < LINKS_MAX && redo_log_ready(s->log);
    return room ? 0 : -EAGAIN;
}

group_db *group_opened(group *g)
{
    if (!g->db)
        g->db = group_db_open(g->path);
    return g->db;
}

void shard_get_stats(const shard *s, shard_stats *ret)
{
    *ret = s->stats;
    ret->flushes = redo_log_flushes(s->log);
    ret->mailboxes = g_hash_table_size(s->by_id);
    ret->mailboxes_loaded = g_hash_table_size(s->loaded);
    ret->bytes_unapplied = s->unapplied;
}

const shard_numbers *shard_get_numbers(const shard *s)
{
    static const shard_numbers none;
    return s->config.numbers ? s->config.numbers : &none;
}

static void publish_numbers(const shard *s)
{
    statpage *to = shard_get_numbers(s)->page;
    shard_stats st;
    shard_get_stats(s, &st);
    const struct { unsigned number; uint64_t value; } all[] = {
        { NUMBER_APPENDS, st.appends }, { NUMBER_APPENDED_BYTES, st.appended_bytes }, { NUMBER_CHANGES, st.changes },
        { NUMBER_FLUSHES, st.flushes }, { NUMBER_LOGGED_BYTES, st.bytes_logged }, { NUMBER_CHECKPOINTS, st.checkpoints },
        { NUMBER_UNAPPLIED_BYTES, st.bytes_unapplied }, { NUMBER_MAILBOXES, st.mailboxes },
        { NUMBER_MAILBOXES_LOADED, st.mailboxes_loaded },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        statpage_set(to, all[i].number, all[i].value);
}

/* ---- the loop ---- */

static void handle_events(shard *s)
{
    uint64_t count;
    (void) !read(s->eventfd, &count, sizeof count);    /* empty: somebody was quicker */
    waiters_run(s);
    job_pool_reap(s->jobs);
    waiters_run(s);
    appends_release(s);
}

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *data)
{
    handle_events(data);
    return 0;
}

void shard_pump(shard *s)
{
    struct pollfd p = { .fd = s->eventfd, .events = POLLIN };
    (void) poll(&p, 1, 1000);    /* a timeout only looks again */
    handle_events(s);
}

bool shard_busy(const shard *s)
{
    return s->waiters.length > 0 || s->held.length > 0 || job_pool_outstanding(s->jobs) > 0 || s->cp.state != CP_IDLE;
}

static void tick(shard *s)
{
    publish_numbers(s);
    s->volume_percent = blobs_percent_used(s->blobs);
    if (s->stuck->len > 0)
        links_retry(s);
    appends_release(s);
    for (unsigned i = 0; i < s->n_groups; i++)
        if (s->groups[i].pending_bytes > GROUP_APPLY_BYTES)
            group_apply(&s->groups[i]);
    gint64 age = g_get_monotonic_time() - s->cp.last;
    bool due = age >= (gint64) s->config.checkpoint_seconds * G_USEC_PER_SEC;
    if (due && redo_log_end(s->log) > s->cp.done_end)
        checkpoint_start(s);
    else if (due)
        mailbox_evict_idle(s);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
    shard *s = data;
    tick(s);
    int r = sd_event_source_set_time_relative(source, TICK_USEC);
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int add_sources(shard *s)
{
    int r = sd_event_add_io(s->event, &s->wake, s->eventfd, EPOLLIN, on_wake, s);
    if (r >= 0)
        r = sd_event_add_time_relative(s->event, &s->timer, CLOCK_MONOTONIC, TICK_USEC, 0, on_tick, s);
    return MIN(r, 0);
}

/* ---- opening ---- */

static int make_dirs(shard *s)
{
    g_autofree char *groups = g_strdup_printf("%s/%u", s->db_dir, s->config.number);
    g_autofree char *log = g_strdup_printf("%s/%u", s->redolog_dir, s->config.number);
    const char *const dirs[] = { s->store_dir, groups, log };
    for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++)
        if (g_mkdir_with_parents(dirs[i], 0700) < 0) {
            int r = -errno;
            journal_error("%s cannot be made: %s; its parent must belong to the store's user", dirs[i], g_strerror(-r));
            return r;
        }
    return 0;
}

static shard *shard_new(sd_event *event, const shard_config *config)
{
    shard *s = g_new0(shard, 1);
    s->config = *config;
    s->store_dir = g_strdup(config->store_dir);
    s->redolog_dir = g_strdup(config->redolog_dir);
    s->db_dir = g_strdup(config->db_dir);
    s->event = sd_event_ref(event);
    s->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->db_fd = s->lock_fd = -1;
    s->jobs = job_pool_new(MAX(config->workers, 1), s->eventfd);
    s->control = job_queue_new(s->jobs);
    s->segments = job_queue_new(s->jobs);
    for (unsigned i = 0; i < SPOOL_QUEUES; i++)
        s->spool[i] = job_queue_new(s->jobs);
    s->by_account = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) mailbox_free);
    s->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    s->loaded = g_hash_table_new(NULL, NULL);
    s->dirty = g_hash_table_new(NULL, NULL);
    s->stuck = g_ptr_array_new();
    s->payload = g_byte_array_new();
    s->next_mailbox = MAILBOX_ID_STRIDE + config->number;
    s->next_incoming = (uint64_t) g_get_real_time();    /* names of this run differ from the last one's */
    s->cp.last = g_get_monotonic_time();
    g_queue_init(&s->waiters);
    g_queue_init(&s->held);
    if (s->config.segment_bytes == 0)
        s->config.segment_bytes = REDO_SEGMENT_DEFAULT;
    if (s->config.wal_bytes == 0)
        s->config.wal_bytes = WAL_DEFAULT;
    return s;
}

static void shard_free(shard *s)
{
    sd_event_source_unref(s->wake);
    sd_event_source_unref(s->timer);
    job_pool_drain(s->jobs);
    keeps_free(s);
    redo_log_stop(s->log);
    for (unsigned i = 0; i < s->n_groups && s->groups; i++) {
        g_queue_clear_full(&s->groups[i].pending, (GDestroyNotify) op_free);
        group_db_close(s->groups[i].db);
        job_queue_free(s->groups[i].queue);
        g_free(s->groups[i].path);
    }
    g_free(s->groups);
    header_db_close(s->headers);
    blobs_close(s->blobs);
    job_queue_free(s->control);
    job_queue_free(s->segments);
    for (unsigned i = 0; i < SPOOL_QUEUES; i++)
        job_queue_free(s->spool[i]);
    job_pool_free(s->jobs);
    g_hash_table_unref(s->loaded);
    g_hash_table_unref(s->dirty);
    g_hash_table_unref(s->by_id);
    g_hash_table_unref(s->by_account);
    g_ptr_array_unref(s->stuck);
    g_byte_array_unref(s->payload);
    if (s->db_fd >= 0)
        close(s->db_fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    close(s->eventfd);
    sd_event_unref(s->event);
    g_free(s->store_dir);
    g_free(s->redolog_dir);
    g_free(s->db_dir);
    g_free(s);
}

/* The process that has the lock on FD, from proc(5)'s locks: "n: FLOCK ADVISORY WRITE
 * PID MAJOR:MINOR:INODE …"; 0 when it cannot be told. */
static unsigned lock_owner(int fd)
{
    struct stat st;
    g_autofree char *text = NULL;
    if (fstat(fd, &st) < 0 || !g_file_get_contents("/proc/locks", &text, NULL, NULL))
        return 0;
    g_autofree char *inode = g_strdup_printf(":%" G_GUINT64_FORMAT, (guint64) st.st_ino);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        unsigned pid;
        char file[64];
        if (sscanf(lines[i], "%*s FLOCK %*s WRITE %u %63s", &pid, file) == 2 && g_str_has_suffix(file, inode))
            return pid;
    }
    return 0;
}

/* The lock is what keeps a second process off; that somebody tries is for the
 * administrator to know. */
static void report_duplicate(shard *s, const char *log)
{
    g_autofree char *command = NULL;
    gsize len = 0;
    if (g_file_get_contents("/proc/self/cmdline", &command, &len, NULL))
        for (gsize i = 0; i + 1 < len; i++)
            if (command[i] == '\0')
                command[i] = ' ';
    g_autofree char *number = g_strdup_printf("%u", s->config.number), *pid = g_strdup_printf("%d", (int) getpid());
    g_autofree char *parent = g_strdup_printf("%d", (int) getppid()), *process_group = g_strdup_printf("%d", (int) getpgrp());
    g_autofree char *owner = g_strdup_printf("%u", lock_owner(s->lock_fd));
    alert_raise("store-duplicate", "SHARD", number, "PATH", log, "OWNER_PID", owner, "DUPLICATE_PID", pid,
                "DUPLICATE_PPID", parent, "DUPLICATE_PGRP", process_group, "DUPLICATE_CMD", command ? command : "", NULL);
}

/* One process a shard. */
static int lock_shard(shard *s)
{
    g_autofree char *log = g_strdup_printf("%s/%u", s->redolog_dir, s->config.number);
    s->lock_fd = open(log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->lock_fd >= 0 && flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int r = -errno;
    if (r == -EWOULDBLOCK && s->lock_fd >= 0)
        report_duplicate(s, log);
    journal_error("Shard %u cannot be locked (%s): %s", s->config.number, log, r == -EWOULDBLOCK ? "another process has it open" : g_strerror(-r));
    return r;
}

static int open_dirs(shard *s)
{
    int r = make_dirs(s);
    if (r == 0)
        r = lock_shard(s);
    if (r < 0)
        return r;
    s->db_fd = open(s->db_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = s->db_fd < 0 ? -errno : blobs_open(s->store_dir, s->config.number, &s->blobs);
    if (r < 0)
        journal_error("%s or %s cannot be opened: %s", s->db_dir, s->store_dir, g_strerror(-r));
    return r;
}

int shard_open(sd_event *event, const shard_config *config, shard **ret)
{
    g_return_val_if_fail(config->count > 0 && config->count <= MAILBOX_ID_STRIDE && config->number < config->count, -EINVAL);
    shard *s = shard_new(event, config);
    int r = open_dirs(s);
    if (r == 0)
        r = shard_recover(s);
    if (r == 0)
        r = add_sources(s);
    if (r < 0) {
        shard_free(s);
        return r;
    }
    s->volume_percent = blobs_percent_used(s->blobs);
    *ret = s;
    return 0;
}

/* ---- closing ---- */

void shard_close(shard *s)
{
    if (!s)
        return;
    s->closing = true;
    while (shard_busy(s))
        shard_pump(s);
    s->cp.hold_all = true;
    checkpoint_start(s);
    while (shard_busy(s))
        shard_pump(s);
    shard_free(s);
}
