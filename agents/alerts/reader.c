/* See reader.h. A batch of entries a turn of the loop, so that a long way to catch
 * up does not hold everything else. */
#include "agents/alerts/reader.h"

#include <errno.h>
#include <string.h>
#include "lib/journal/journal.h"

#define GROUP "cursors"
enum { BATCH = 200, RETRY_S = 10 };

struct reader {
    manager *m;
    char *name;
    char **matches;
    unsigned back_s;
    reader_entry_fn fn;
    void *data;
    sd_journal *journal;
    sd_event_source *io, *timer;
    bool complained;
};

char *reader_field(sd_journal *journal, const char *name, size_t max)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;
    if (sd_journal_get_data(journal, name, &data, &len) < 0 || len < skip || len - skip > max)
        return NULL;
    return g_strndup((const char *) data + skip, len - skip);
}

static void save_place(reader *r)
{
    char *cursor = NULL;
    if (sd_journal_get_cursor(r->journal, &cursor) < 0)
        return;
    g_key_file_set_string(keep_state(manager_keep(r->m)), GROUP, r->name, cursor);
    manager_state_changed(r->m);
    free(cursor);
}

static void wake(reader *r, uint64_t usec)
{
    int e = sd_event_source_set_time_relative(r->timer, usec);
    if (e >= 0)
        e = sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
    g_assert(e >= 0);
}

static void read_batch(reader *r)
{
    int n = 0;
    while (n < BATCH && sd_journal_next(r->journal) > 0) {
        uint64_t usec;
        if (sd_journal_get_realtime_usec(r->journal, &usec) >= 0)
            r->fn(r->journal, (gint64) usec, r->data);
        n++;
    }
    if (n > 0)
        save_place(r);
    wake(r, n == BATCH ? 0 : RETRY_S * UINT64_C(1000000));
}

static int on_change(sd_event_source *s, int fd, uint32_t events, void *data)
{
    reader *r = data;
    int e = sd_journal_process(r->journal);
    if (e != SD_JOURNAL_NOP)
        read_batch(r);
    return 0;
}

/* Before the first entry that is to be read. */
static int go_to_place(reader *r)
{
    uint64_t oldest = (uint64_t) g_get_real_time() - r->back_s * UINT64_C(1000000), at = 0;
    g_autofree char *cursor = g_key_file_get_string(keep_state(manager_keep(r->m)), GROUP, r->name, NULL);
    if (!cursor || sd_journal_seek_cursor(r->journal, cursor) < 0 || sd_journal_next(r->journal) <= 0 ||
        sd_journal_get_realtime_usec(r->journal, &at) < 0 || at < oldest)
        return sd_journal_seek_realtime_usec(r->journal, oldest);
    if (sd_journal_test_cursor(r->journal, cursor) > 0)
        return 0;                           /* stands on the last one read */
    return sd_journal_previous(r->journal); /* that one is gone: the next newer one is to be read */
}

static int open_journal(reader *r)
{
    int e = sd_journal_open(&r->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
    for (size_t i = 0; e >= 0 && r->matches[i]; i++)
        e = sd_journal_add_match(r->journal, r->matches[i], 0);
    if (e >= 0)
        e = go_to_place(r);
    int fd = e >= 0 ? sd_journal_get_fd(r->journal) : e;
    int events = fd >= 0 ? sd_journal_get_events(r->journal) : fd;
    if (events < 0)
        return events;
    return sd_event_add_io(manager_event(r->m), &r->io, fd, (uint32_t) events, on_change, r);
}

static void close_journal(reader *r)
{
    r->io = sd_event_source_disable_unref(r->io);
    if (r->journal)
        sd_journal_close(r->journal);
    r->journal = NULL;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
    reader *r = data;
    int e = r->journal ? sd_journal_process(r->journal) : open_journal(r);
    if (e >= 0) {
        read_batch(r);
        return 0;
    }
    if (!r->complained)
        journal_error("the journal cannot be read (%s), tried again every %d s: is zmalert in group systemd-journal?",
                      g_strerror(-e), RETRY_S);
    r->complained = true;
    close_journal(r);
    wake(r, RETRY_S * UINT64_C(1000000));
    return 0;
}

reader *reader_new(manager *m, const char *name, const char *const *matches, unsigned back_s,
                   reader_entry_fn fn, void *data)
{
    reader *r = g_new0(reader, 1);
    *r = (reader) { .m = m, .name = g_strdup(name), .matches = g_strdupv((char **) matches), .back_s = back_s,
                    .fn = fn, .data = data };
    int e = sd_event_add_time(manager_event(m), &r->timer, CLOCK_MONOTONIC, 0, 0, on_timer, r);
    g_assert(e >= 0);
    return r;
}

void reader_free(reader *r)
{
    if (!r)
        return;
    close_journal(r);
    sd_event_source_disable_unref(r->timer);
    g_free(r->name);
    g_strfreev(r->matches);
    g_free(r);
}
