/* See reader.h. Mail comes in bursts: entries are read SETTLE_MS after the first
 * sign of one, so that a burst is few transactions.
 *
 * A cursor's entry may be gone (vacuum, a lost file). journald then goes to the
 * nearest one it has; what is certainly older than the cursor, by sequence number
 * or time, was read already and is passed over. */
#include "agents/logger/reader.h"

#include <errno.h>
#include <string.h>

#include "lib/journal/journal.h"

enum { BATCH = 1000, SETTLE_MS = 200, RETRY_S = 10, IDLE_S = 30, THRESHOLD = 32768, SKIP = 5000, BACK_S = 3600 };

struct reader {
    sd_event *event;
    sd_event_source *io, *timer;
    sd_journal *journal;
    char *folder, *cursor;
    gint64 time_usec;       /* of the cursor's entry */
    bool resync;            /* the cursor's entry was not found */
    bool more;              /* to pass over */
    bool complained;
    entry *e;
    reader_handler h;
};

static void wake(reader *r, uint64_t usec)
{
    int e = sd_event_source_set_time_accuracy(r->timer, usec ? 0 : 1);  /* 0: 250 ms, for what may wait */
    if (e >= 0)
        e = sd_event_source_set_time_relative(r->timer, usec);
    if (e >= 0)
        e = sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
    g_assert(e >= 0);
}

/* "s=" and "i=" of a cursor: the journal's identity and the entry's number in it. */
static bool number_of(const char *cursor, char id[33], guint64 *number)
{
    const char *i = cursor ? strstr(cursor, ";i=") : NULL;
    if (!i || !g_str_has_prefix(cursor, "s=") || strlen(cursor) < 34)
        return false;
    g_strlcpy(id, cursor + 2, 33);
    *number = g_ascii_strtoull(i + 3, NULL, 16);
    return true;
}

static bool was_read(const reader *r, const char *cursor, gint64 time_usec)
{
    char old_id[33], id[33];
    guint64 old_number, number;
    if (number_of(r->cursor, old_id, &old_number) && number_of(cursor, id, &number) && g_str_equal(old_id, id))
        return number <= old_number;
    return time_usec <= r->time_usec;
}

static void close_journal(reader *r)
{
    r->io = sd_event_source_disable_unref(r->io);
    if (r->journal)
        sd_journal_close(r->journal);
    r->journal = NULL;
}

/* Passes over what was read before: 1 on the first other entry, 0 none (BUDGET
 * used up: MORE), or -errno. */
static int skip_read(reader *r)
{
    for (int budget = SKIP; budget > 0; budget--) {
        uint64_t usec;
        g_autofree char *cursor = NULL;
        int n = sd_journal_next(r->journal);
        if (n > 0)
            n = sd_journal_get_cursor(r->journal, &cursor) < 0 ? -EIO : 1;
        if (n > 0)
            n = sd_journal_get_realtime_usec(r->journal, &usec) < 0 ? -EIO : 1;
        if (n <= 0)
            return n;
        if (was_read(r, cursor, (gint64) usec))
            continue;
        r->resync = false;
        r->h.gap(r->time_usec, (gint64) usec, r->h.data);
        return 1;
    }
    r->more = true;
    return 0;
}

static int next_entry(reader *r)
{
    return r->resync ? skip_read(r) : sd_journal_next(r->journal);
}

/* False: nothing of the batch was kept. */
static bool finish_batch(reader *r, char *cursor)
{
    gint64 usec = r->e->time_usec;
    if (!r->h.commit(cursor, usec, r->h.data)) {
        free(cursor);
        return false;
    }
    free(r->cursor);
    r->cursor = cursor;
    r->time_usec = usec;
    return true;
}

static void read_batch(reader *r)
{
    char *cursor = NULL;
    int handled = 0;
    r->more = false;
    while (handled < BATCH && next_entry(r) > 0) {
        char *place = NULL;
        if (sd_journal_get_cursor(r->journal, &place) < 0)
            continue;               /* a damaged entry */
        free(cursor);
        cursor = place;
        if (handled++ == 0)
            r->h.begin(r->h.data);
        if (entry_read(r->e, r->journal) >= 0)
            r->h.entry(r->e, r->h.data);
    }
    if (handled > 0 && !finish_batch(r, cursor)) {
        close_journal(r);           /* opened again at the place of the last commit */
        wake(r, RETRY_S * UINT64_C(1000000));
        return;
    }
    wake(r, handled == BATCH || r->more ? 0 : IDLE_S * UINT64_C(1000000));
}

static int on_change(sd_event_source *s, int fd, uint32_t events, void *data)
{
    reader *r = data;
    if (sd_journal_process(r->journal) != SD_JOURNAL_NOP)
        wake(r, SETTLE_MS * UINT64_C(1000));
    return 0;
}

static int go_to_place(reader *r)
{
    r->resync = false;
    if (!r->cursor)
        return sd_journal_seek_head(r->journal);
    int n = sd_journal_seek_cursor(r->journal, r->cursor);
    if (n >= 0)
        n = sd_journal_next(r->journal);
    if (n > 0 && sd_journal_test_cursor(r->journal, r->cursor) > 0)
        return 0;
    r->resync = true;
    return sd_journal_seek_realtime_usec(r->journal, (uint64_t) MAX(0, r->time_usec - BACK_S * (gint64) G_USEC_PER_SEC));
}

static int open_journal(reader *r)
{
    int e = r->folder ? sd_journal_open_directory(&r->journal, r->folder, 0)
                      : sd_journal_open(&r->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
    if (e >= 0)
        e = sd_journal_set_data_threshold(r->journal, THRESHOLD);
    if (e >= 0)
        e = go_to_place(r);
    int fd = e >= 0 ? sd_journal_get_fd(r->journal) : e;
    int events = fd >= 0 ? sd_journal_get_events(r->journal) : fd;
    if (events < 0)
        return events;
    return sd_event_add_io(r->event, &r->io, fd, (uint32_t) events, on_change, r);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    reader *r = data;
    int e = r->journal ? sd_journal_process(r->journal) : open_journal(r);
    if (e >= 0) {
        r->complained = false;
        read_batch(r);
        return 0;
    }
    if (!r->complained)
        journal_error("the journal cannot be read (%s), tried again every %d s: is zmlogger in group systemd-journal?",
                      g_strerror(-e), RETRY_S);
    r->complained = true;
    close_journal(r);
    wake(r, RETRY_S * UINT64_C(1000000));
    return 0;
}

reader *reader_new(sd_event *event, const char *folder, const char *cursor, gint64 time_usec, const reader_handler *h)
{
    reader *r = g_new0(reader, 1);
    *r = (reader) { .event = sd_event_ref(event), .folder = g_strdup(folder), .cursor = cursor ? strdup(cursor) : NULL,
                    .time_usec = time_usec, .e = entry_new(), .h = *h };
    int e = sd_event_add_time(event, &r->timer, CLOCK_MONOTONIC, 0, 0, on_timer, r);
    g_assert(e >= 0);
    return r;
}

void reader_free(reader *r)
{
    if (!r)
        return;
    close_journal(r);
    sd_event_source_disable_unref(r->timer);
    sd_event_unref(r->event);
    entry_free(r->e);
    g_free(r->folder);
    free(r->cursor);
    g_free(r);
}
