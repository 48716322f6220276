/* See manager.h. The way of an entry: reader → log files (route.c) and trace → one
 * commit with cursor, files' lengths and counts. A batch that cannot be committed
 * leaves nothing behind: files are cut, totals are what they were, and it is read again. */
#include "agents/logger/manager.h"

#include <signal.h>

#include "agents/logger/config.h"
#include "agents/logger/logfile.h"
#include "agents/logger/reader.h"
#include "agents/logger/route.h"
#include "agents/logger/trace.h"
#include "lib/alert/alert.h"
#include "lib/journal/journal.h"

enum { PUBLISH_S = 2, PRUNE_S = 600, PRUNE_ROWS = 20000 };

struct manager {
    sd_event *event;
    sd_event_source *hangup, *publish, *prune;
    char *config_path, *counts_path;
    logger_config config;
    db *d;
    counts *c;
    trace *t;
    reader *r;
    logfile *files[ROUTE_MAX_FILES];
    bool told[ROUTE_MAX_FILES];     /* that a file is not written */
    bool told_database;
    size_t n_files;
};

static void configure(manager *m)
{
    g_autofree char *problem = NULL;
    m->config = logger_config_load(m->config_path, &problem);
    if (problem)
        journal_warning("settings: %s", problem);
}

static void raise_stopped(const char *what, const char *error)
{
    alert_raise("log-stopped", "FILE", what, "ERROR", error, NULL);
}

/* ---- a batch ---- */

static void batch_begin(void *data)
{
    manager *m = data;
    for (size_t i = 0; i < m->n_files; i++)
        logfile_new_day(m->files[i]);
    db_begin(m->d);
}

static void batch_entry(const entry *e, void *data)
{
    manager *m = data;
    size_t n;
    const route_file *table = route_files(&n);
    unsigned to = route_entry(e, m->config.log_to_syslog);
    for (size_t i = 0; i < n; i++) {
        if (!(to & (1u << i)))
            continue;
        table[i].form(logfile_buffer(m->files[i]), e);
        logfile_line_done(m->files[i]);
    }
    trace_entry(m->t, e);
}

/* An alert when a file can no longer be written, and when it can again. */
static void look_at_file(manager *m, size_t i)
{
    int error;
    bool stopped = logfile_dropped(m->files[i], &error) > 0;
    if (stopped == m->told[i])
        return;
    m->told[i] = stopped;
    if (stopped)
        raise_stopped(logfile_path(m->files[i]), g_strerror(error));
    else
        alert_raise("log-resumed", "FILE", logfile_path(m->files[i]), NULL);
}

static void look_at_database(manager *m, const char *problem)
{
    if (m->told_database == (problem != NULL))
        return;
    m->told_database = problem != NULL;
    if (problem)
        raise_stopped(MAILLOG_PATH, problem);
    else
        alert_raise("log-resumed", "FILE", MAILLOG_PATH, NULL);
}

static void take_back(manager *m)
{
    for (size_t i = 0; i < m->n_files; i++)
        logfile_take_back(m->files[i]);
    counts_take_back(m->c);
}

static bool batch_commit(const char *cursor, gint64 time_usec, void *data)
{
    manager *m = data;
    const char *problem = NULL;
    for (size_t i = 0; i < m->n_files; i++)
        logfile_flush(m->files[i]);
    counts_save(m->c);
    db_run(m->d, SQL_SET_META, "tt", "cursor", cursor);
    db_run(m->d, SQL_SET_META, "ti", "cursor_time", time_usec);
    bool done = db_commit(m->d, &problem);
    if (done)
        counts_keep(m->c);
    else
        take_back(m);
    look_at_database(m, problem);
    for (size_t i = 0; done && i < m->n_files; i++)
        look_at_file(m, i);
    return done;
}

static char *local_time(gint64 usec)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_local(usec / G_USEC_PER_SEC);
    return t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
}

static void on_gap(gint64 time_usec, gint64 next_usec, void *data)
{
    g_autofree char *from = local_time(time_usec), *to = local_time(next_usec);
    journal_warning("the journal no longer has the entry that was read last: records between %s and %s may be missing "
                    "in log files and counts; it goes on with the oldest one there is", from, to);
}

/* ---- timers ---- */

static void again(sd_event_source *s, unsigned seconds)
{
    int r = sd_event_source_set_time_relative(s, seconds * UINT64_C(1000000));
    if (r >= 0)
        r = sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    g_assert(r >= 0);
}

static int on_publish(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    (void) counts_publish(m->c, m->counts_path);    /* it has said why not */
    again(s, PUBLISH_S);
    return 0;
}

static void prune_rows(manager *m)
{
    gint64 now = g_get_real_time();
    gint64 raw = now - m->config.raw_lifetime_s * G_USEC_PER_SEC, hours = now / G_USEC_PER_SEC - m->config.summary_lifetime_s;
    const char *problem = NULL;
    db_begin(m->d);
    db_run(m->d, SQL_PRUNE_EVENTS, "ii", raw, (gint64) PRUNE_ROWS);
    db_run(m->d, SQL_PRUNE_MESSAGES, "ii", raw, (gint64) PRUNE_ROWS);
    db_run(m->d, SQL_PRUNE_HOURS, "i", hours / 3600);
    db_run(m->d, SQL_PRUNE_REPORTS, "i", raw);
    if (!db_commit(m->d, &problem))
        journal_warning("old records cannot be removed: %s; tried again later", problem);
}

static int on_prune(sd_event_source *s, uint64_t usec, void *data)
{
    manager *m = data;
    prune_rows(m);
    for (size_t i = 0; i < m->n_files; i++) {
        logfile_new_day(m->files[i]);
        logfile_prune(m->files[i], m->config.keep_days);
    }
    again(s, PRUNE_S);
    return 0;
}

static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *info, void *data)
{
    configure(data);
    return 0;
}

/* ---- life ---- */

static reader *start_reader(manager *m, const char *folder)
{
    const reader_handler h = { .begin = batch_begin, .entry = batch_entry, .commit = batch_commit, .gap = on_gap, .data = m };
    g_autofree char *cursor = NULL;
    gint64 time_usec = 0;
    sqlite3_stmt *row = db_row(m->d, SQL_GET_META, "t", "cursor");
    if (row) {
        cursor = g_strdup((const char *) sqlite3_column_text(row, 0));
        db_done(row);
    }
    row = db_row(m->d, SQL_GET_META, "t", "cursor_time");
    if (row) {
        time_usec = sqlite3_column_int64(row, 0);
        db_done(row);
    }
    return reader_new(m->event, folder, cursor, time_usec, &h);
}

static void open_files(manager *m, const char *root)
{
    const route_file *table = route_files(&m->n_files);
    for (size_t i = 0; i < m->n_files; i++) {
        g_autofree char *folder = g_strconcat(root ? root : "", table[i].folder, NULL);
        m->files[i] = logfile_new(m->d, folder, table[i].name);
        logfile_recover(m->files[i]);
    }
}

manager *manager_new(sd_event *event, const manager_paths *paths, GError **error)
{
    manager *m = g_new0(manager, 1);
    m->event = sd_event_ref(event);
    m->config_path = g_strdup(paths->config);
    m->counts_path = g_strdup(paths->counts);
    m->d = db_open(paths->database, error);
    if (!m->d) {
        manager_free(m);
        return NULL;
    }
    configure(m);
    m->c = counts_new(m->d);
    counts_load(m->c);
    m->t = trace_new(m->d, m->c);
    open_files(m, paths->log_root);
    int r = sd_event_add_time_relative(event, &m->publish, CLOCK_MONOTONIC, 0, 0, on_publish, m);
    if (r >= 0)
        r = sd_event_add_time_relative(event, &m->prune, CLOCK_MONOTONIC, PRUNE_S * UINT64_C(100000), 0, on_prune, m);
    if (r >= 0)
        r = sd_event_add_signal(event, &m->hangup, SIGHUP, on_hangup, m);
    g_assert(r >= 0);
    m->r = start_reader(m, paths->journal);
    return m;
}

void manager_free(manager *m)
{
    if (!m)
        return;
    reader_free(m->r);
    if (m->c)
        (void) counts_publish(m->c, m->counts_path);
    for (size_t i = 0; i < m->n_files; i++)
        logfile_free(m->files[i]);
    trace_free(m->t);
    counts_free(m->c);
    db_close(m->d);
    sd_event_source_disable_unref(m->hangup);
    sd_event_source_disable_unref(m->publish);
    sd_event_source_disable_unref(m->prune);
    sd_event_unref(m->event);
    g_free(m->config_path);
    g_free(m->counts_path);
    g_free(m);
}
