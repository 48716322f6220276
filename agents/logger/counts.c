/* See counts.h. One hour is added up at a time: a batch is nearly always of one. */
#include "agents/logger/counts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal/journal.h"

#define HOUR_USEC ((gint64) 3600 * G_USEC_PER_SEC)

struct counts {
    db *d;
    gint64 total[MAILLOG_COUNTERS];
    gint64 kept[MAILLOG_COUNTERS];      /* total of the last commit */
    gint64 added[MAILLOG_COUNTERS];
    gint64 hour;
    bool changed;           /* since the file was written */
    int complained;
};

counts *counts_new(db *d)
{
    counts *c = g_new0(counts, 1);
    c->d = d;
    return c;
}

void counts_free(counts *c)
{
    g_free(c);
}

void counts_load(counts *c)
{
    for (int i = 0; i < MAILLOG_COUNTERS; i++) {
        sqlite3_stmt *row = db_row(c->d, SQL_GET_TOTAL, "t", maillog_counter_name((maillog_counter) i));
        c->total[i] = row ? sqlite3_column_int64(row, 0) : 0;
        c->added[i] = 0;
        if (row)
            db_done(row);
    }
    counts_keep(c);
    c->changed = true;
}

void counts_keep(counts *c)
{
    memcpy(c->kept, c->total, sizeof c->kept);
}

void counts_take_back(counts *c)
{
    memcpy(c->total, c->kept, sizeof c->total);
    memset(c->added, 0, sizeof c->added);
    c->changed = true;
}

void counts_save(counts *c)
{
    for (int i = 0; i < MAILLOG_COUNTERS; i++) {
        const char *name = maillog_counter_name((maillog_counter) i);
        if (c->added[i] == 0)
            continue;
        db_run(c->d, SQL_ADD_TOTAL, "ti", name, c->added[i]);
        db_run(c->d, SQL_ADD_HOUR, "iti", c->hour, name, c->added[i]);
        c->added[i] = 0;
    }
}

void counts_add(counts *c, gint64 time_usec, maillog_counter which, gint64 n)
{
    gint64 hour = time_usec / HOUR_USEC;
    if (hour != c->hour)
        counts_save(c);
    c->hour = hour;
    c->added[which] += n;
    c->total[which] += n;
    c->changed = true;
}

gint64 counts_total(const counts *c, maillog_counter which)
{
    return c->total[which];
}

static int write_file(const char *path, const GString *text)
{
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    bool whole = fchmod(fd, 0644) == 0 && write(fd, text->str, text->len) == (ssize_t) text->len;
    int r = whole ? 0 : errno ? -errno : -EIO;
    close(fd);
    if (r == 0 && rename(fresh, path) < 0)
        r = -errno;
    return r;
}

int counts_publish(counts *c, const char *path)
{
    if (!c->changed)
        return 0;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < MAILLOG_COUNTERS; i++)
        g_string_append_printf(text, "mta:%s %" G_GINT64_FORMAT "\n", maillog_counter_name((maillog_counter) i), c->total[i]);
    int r = write_file(path, text);
    c->changed = r < 0;
    if (r < 0 && r != c->complained)
        journal_warning("counts cannot be handed to the statistics: %s: %s", path, g_strerror(-r));
    c->complained = r;
    return r;
}
