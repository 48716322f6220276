/* See logfile.h. */
#include "agents/logger/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal/journal.h"

enum { DAY_LEN = 10, KEEP_BUFFER = 1 << 20 };

struct logfile {
    db *d;
    char *folder, *name, *path;
    GString *buffer;
    guint64 lines;          /* in the buffer */
    int fd;
    guint64 inode, length;  /* of the open file, as far as it is good */
    char day[DAY_LEN + 1];  /* of its first line */
    guint64 dropped;
    int error;
    /* As it was before the last flush, for when its batch is rolled back; in memory, since
     * the database that cannot be written may not be read either. */
    struct { bool wrote; guint64 length, dropped; int error; } before;
};

static void today(char day[DAY_LEN + 1])
{
    time_t now = (time_t) (g_get_real_time() / G_USEC_PER_SEC);
    struct tm tm;
    if (!localtime_r(&now, &tm) || strftime(day, DAY_LEN + 1, "%Y-%m-%d", &tm) == 0)
        g_strlcpy(day, "0000-00-00", DAY_LEN + 1);
}

logfile *logfile_new(db *d, const char *folder, const char *name)
{
    logfile *f = g_new0(logfile, 1);
    *f = (logfile) { .d = d, .folder = g_strdup(folder), .name = g_strdup(name), .fd = -1,
                     .path = g_build_filename(folder, name, NULL), .buffer = g_string_new(NULL) };
    return f;
}

static void close_file(logfile *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

void logfile_free(logfile *f)
{
    if (!f)
        return;
    close_file(f);
    g_free(f->folder);
    g_free(f->name);
    g_free(f->path);
    g_string_free(f->buffer, TRUE);
    g_free(f);
}

const char *logfile_path(const logfile *f)
{
    return f->path;
}

static void save_place(logfile *f)
{
    db_run(f->d, SQL_SET_PLACE, "tiit", f->path, (gint64) f->inode, (gint64) f->length, f->day);
}

static bool open_file(logfile *f)
{
    struct stat st;
    f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
    if (f->fd >= 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if (f->inode != st.st_ino)
            today(f->day);
        f->inode = st.st_ino;
        f->length = (guint64) st.st_size;
        return true;
    }
    f->error = errno ? errno : EINVAL;
    close_file(f);
    return false;
}

void logfile_recover(logfile *f)
{
    struct stat st;
    sqlite3_stmt *row = db_row(f->d, SQL_GET_PLACE, "t", f->path);
    close_file(f);
    g_string_truncate(f->buffer, 0);
    f->lines = 0;
    f->inode = 0;
    if (!row)
        return;
    guint64 length = (guint64) sqlite3_column_int64(row, 1);
    f->inode = (guint64) sqlite3_column_int64(row, 0);
    g_strlcpy(f->day, (const char *) sqlite3_column_text(row, 2), sizeof f->day);
    db_done(row);
    if (lstat(f->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == f->inode && (guint64) st.st_size > length &&
        truncate(f->path, (off_t) length) < 0)
        journal_warning("%s: %s: its last lines may be there twice", f->path, g_strerror(errno));
}

void logfile_take_back(logfile *f)
{
    g_string_truncate(f->buffer, 0);
    f->lines = 0;
    if (f->before.wrote && f->fd >= 0) {
        if (ftruncate(f->fd, (off_t) f->before.length) < 0)
            journal_warning("%s: %s: its last lines may be there twice", f->path, g_strerror(errno));
        f->length = f->before.length;
    }
    f->dropped = f->before.dropped;
    f->error = f->before.error;
    f->before.wrote = false;
}

GString *logfile_buffer(logfile *f)
{
    return f->buffer;
}

void logfile_line_done(logfile *f)
{
    f->lines++;
}

/* The name of the day's file, another one when that is taken. */
static char *rotated_name(const logfile *f)
{
    char *name = g_strdup_printf("%s.%s", f->path, f->day);
    for (int i = 1; i < 100 && access(name, F_OK) == 0; i++) {
        g_free(name);
        name = g_strdup_printf("%s.%s-%d", f->path, f->day, i);
    }
    return name;
}

void logfile_new_day(logfile *f)
{
    char now[DAY_LEN + 1];
    today(now);
    if (!f->inode || !f->day[0] || g_str_equal(now, f->day))
        return;
    struct stat st;
    close_file(f);
    if (lstat(f->path, &st) == 0 && st.st_ino == f->inode && st.st_size > 0) {
        g_autofree char *name = rotated_name(f);
        if (rename(f->path, name) < 0) {
            journal_warning("%s cannot be renamed for the new day: %s; it goes on", f->path, g_strerror(errno));
            g_strlcpy(f->day, now, sizeof f->day);
            return;
        }
        f->inode = 0;
    }
    if (open_file(f)) {
        g_strlcpy(f->day, now, sizeof f->day);
        save_place(f);
    }
}

/* Moved or removed by somebody: the path names another file than ours. */
static void look_for_ours(logfile *f)
{
    struct stat st;
    if (f->fd >= 0 && (lstat(f->path, &st) < 0 || st.st_ino != f->inode))
        close_file(f);
    if (f->fd >= 0)
        f->length = (guint64) st.st_size;
}

static bool write_all(logfile *f, const char *text, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(f->fd, text + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            f->error = n < 0 ? errno : ENOSPC;
            (void) !ftruncate(f->fd, (off_t) f->length);    /* no half lines; it cannot fail worse */
            return false;
        }
        done += (size_t) n;
    }
    f->length += len;
    return true;
}

static bool tell_dropped(logfile *f)
{
    if (!f->dropped)
        return true;
    g_autofree char *line = g_strdup_printf("zmloggerd: %" G_GUINT64_FORMAT " lines are missing here (%s); the journal has them\n",
                                            f->dropped, g_strerror(f->error));
    return write_all(f, line, strlen(line));
}

static bool write_buffer(logfile *f)
{
    look_for_ours(f);
    if (f->fd < 0 && !open_file(f))
        return false;
    f->before.wrote = true;
    f->before.length = f->length;
    return tell_dropped(f) && write_all(f, f->buffer->str, f->buffer->len);
}

void logfile_flush(logfile *f)
{
    f->before.wrote = false;
    f->before.dropped = f->dropped;
    f->before.error = f->error;
    if (!f->lines)
        return;
    if (write_buffer(f)) {
        f->dropped = 0;
        f->error = 0;
        save_place(f);
    } else {
        f->dropped += f->lines;
    }
    f->lines = 0;
    g_string_truncate(f->buffer, 0);
    if (f->buffer->allocated_len > KEEP_BUFFER) {
        g_string_free(f->buffer, TRUE);
        f->buffer = g_string_new(NULL);
    }
}

guint64 logfile_dropped(const logfile *f, int *error)
{
    *error = f->error;
    return f->dropped;
}

/* NAME.YYYY-MM-DD, with what compression or a second one of the day adds. */
static bool is_rotated(const logfile *f, const char *name, char day[DAY_LEN + 1])
{
    size_t n = strlen(f->name);
    if (!g_str_has_prefix(name, f->name) || name[n] != '.' || strlen(name) < n + 1 + DAY_LEN)
        return false;
    g_strlcpy(day, name + n + 1, DAY_LEN + 1);
    for (int i = 0; i < DAY_LEN; i++)
        if (i == 4 || i == 7 ? day[i] != '-' : !g_ascii_isdigit(day[i]))
            return false;
    return true;
}

void logfile_prune(const logfile *f, unsigned days)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autoptr(GDateTime) limit = g_date_time_add_days(now, -(int) days);
    g_autofree char *oldest = g_date_time_format(limit, "%Y-%m-%d");
    g_autoptr(GDir) folder = g_dir_open(f->folder, 0, NULL);
    const char *name;
    char day[DAY_LEN + 1];
    while (folder && (name = g_dir_read_name(folder))) {
        if (!is_rotated(f, name, day) || strcmp(day, oldest) >= 0)
            continue;
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        if (unlink(path) < 0 && errno != ENOENT)
            journal_warning("old log file %s cannot be removed: %s", path, g_strerror(errno));
    }
}
