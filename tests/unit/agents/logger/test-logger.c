/* Counting, tracing and log files without a journal: entries are given by hand, and
 * a batch that fails leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/logger/config.h"
#include "agents/logger/logfile.h"
#include "agents/logger/trace.h"

typedef struct {
    char *folder, *path;
    db *d;
    counts *c;
    trace *t;
    gint64 now;
} fixture;

static int set_up(void **state)
{
    fixture *f = g_new0(fixture, 1);
    f->folder = g_dir_make_tmp("logger-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "mail.sqlite", NULL);
    f->d = db_open(f->path, NULL);
    assert_non_null(f->d);
    f->c = counts_new(f->d);
    counts_load(f->c);
    f->t = trace_new(f->d, f->c);
    f->now = g_get_real_time();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    trace_free(f->t);
    counts_free(f->c);
    db_close(f->d);
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)); ) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        unlink(path);
    }
    rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
    g_free(f);
    return 0;
}

static void give(fixture *f, const char *unit, const char *ident, const char *message)
{
    const struct { const char *name, *value; } fields[] = { { "_SYSTEMD_UNIT", unit }, { "SYSLOG_IDENTIFIER", ident }, { "MESSAGE", message } };
    entry *e = entry_new();
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *text = g_strdup_printf("%s=%s", fields[i].name, fields[i].value);
        entry_set(e, text, strlen(text));
    }
    entry_finish(e, f->now++);
    trace_entry(f->t, e);
    entry_free(e);
}

static void postfix(fixture *f, const char *program, const char *message)
{
    g_autofree char *ident = g_strconcat("postfix/", program, NULL);
    give(f, "zimbra-postfix.service", ident, message);
}

static bool commit(fixture *f)
{
    const char *problem;
    counts_save(f->c);
    return db_commit(f->d, &problem);
}

static gint64 total(fixture *f, maillog_counter which)
{
    counts_load(f->c);
    return counts_total(f->c, which);
}

static gint64 value_of(fixture *f, const char *sql)
{
    sqlite3 *reader = maillog_open(f->path, false, NULL);
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(reader, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    gint64 n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(reader);
    return n;
}

/* One message to three people, as the host writes it. */
static void three(fixture *f)
{
    postfix(f, "smtpd", "02FCE57E28E: client=g[10.77.0.1]");
    postfix(f, "cleanup", "02FCE57E28E: message-id=<three@lab>");
    postfix(f, "qmgr", "02FCE57E28E: from=<out@outside.test>, size=300, nrcpt=3 (queue active)");
    postfix(f, "amavisd/smtpd", "85FF857E295: client=localhost[127.0.0.1], orig_queue_id=02FCE57E28E, orig_client=g[10.77.0.1]");
    postfix(f, "cleanup", "85FF857E295: message-id=<three@lab>");
    postfix(f, "qmgr", "85FF857E295: from=<out@outside.test>, size=1000, nrcpt=3 (queue active)");
    give(f, "zimbra-amavis.service", "amavis", "(00141-01) Passed CLEAN {RelayedInbound}, [10.77.0.1]:54472 <out@outside.test> -> <a@e.test>,<b@e.test>,"
         "<c@e.test>, Queue-ID: 02FCE57E28E, Message-ID: <three@lab>, mail_id: R, Hits: 2.14, size: 295, queued_as: 85FF857E295, 557 ms");
    static const char *const people[] = { "a", "b", "c" };
    for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
        g_autofree char *filter = g_strdup_printf("02FCE57E28E: to=<%s@e.test>, relay=127.0.0.1[127.0.0.1]:10024, delay=0.5, delays=0/0/0/0.5, "
            "dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 85FF857E295)", people[i]);
        g_autofree char *store = g_strdup_printf("85FF857E295: to=<%s@e.test>, relay=m[10.77.0.10]:7025, delay=0.07, delays=0/0/0/0, dsn=2.0.0, "
            "status=sent (250 2.0.0 stored)", people[i]);
        postfix(f, "smtp", filter);
        postfix(f, "lmtp", store);
    }
    postfix(f, "qmgr", "02FCE57E28E: removed");
    postfix(f, "qmgr", "85FF857E295: removed");
}

static void one_message_to_three_counts_six_and_one(void **state)
{
    fixture *f = *state;
    db_begin(f->d);
    three(f);
    assert_true(commit(f));
    assert_int_equal(total(f, MAILLOG_N_MESSAGES), 6);
    assert_int_equal(total(f, MAILLOG_N_BYTES), 3 * 300 + 3 * 1000);
    assert_int_equal(total(f, MAILLOG_N_SCANNED), 1);
    assert_int_equal(total(f, MAILLOG_N_RECEIVED), 1);
    assert_int_equal(total(f, MAILLOG_N_DELIVERED), 3);
    assert_int_equal(value_of(f, "SELECT count(*) FROM message WHERE done IS NULL"), 0);
    assert_int_equal(value_of(f, "SELECT count(*) FROM message m JOIN message p ON m.parent=p.id"), 1);
    /* Postfix uses ids again. */
    db_begin(f->d);
    three(f);
    assert_true(commit(f));
    assert_int_equal(total(f, MAILLOG_N_MESSAGES), 12);
    assert_int_equal(value_of(f, "SELECT count(*) FROM message"), 4);
}

static void a_batch_taken_back_counts_nothing(void **state)
{
    fixture *f = *state;
    db_begin(f->d);
    three(f);
    counts_save(f->c);
    db_rollback(f->d);
    assert_int_equal(total(f, MAILLOG_N_MESSAGES), 0);
    assert_int_equal(value_of(f, "SELECT count(*) FROM event"), 0);
}

static void retries_and_expiry(void **state)
{
    fixture *f = *state;
    db_begin(f->d);
    postfix(f, "pickup", "02FCE57E28E: uid=0 from=<a@e.test>");
    postfix(f, "cleanup", "02FCE57E28E: message-id=<x@y>");
    for (int i = 0; i < 3; i++) {
        postfix(f, "qmgr", "02FCE57E28E: from=<a@e.test>, size=300, nrcpt=2 (queue active)");
        postfix(f, "smtp", "02FCE57E28E: to=<x@far.test>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (refused)");
    }
    postfix(f, "smtp", "02FCE57E28E: to=<y@far.test>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (refused)");
    postfix(f, "smtp", "02FCE57E28E: to=<y@far.test>, relay=far[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)");
    postfix(f, "qmgr", "02FCE57E28E: from=<a@e.test>, status=expired, returned to sender");
    assert_true(commit(f));
    assert_int_equal(total(f, MAILLOG_N_MESSAGES), 2);
    assert_int_equal(total(f, MAILLOG_N_DEFERRED), 2);
    assert_int_equal(total(f, MAILLOG_N_BOUNCED), 1);
    assert_int_equal(total(f, MAILLOG_N_DELIVERED), 1);
    assert_int_equal(value_of(f, "SELECT count(*) FROM event WHERE kind=3"), 4);
}

static void others_words_do_not_count(void **state)
{
    fixture *f = *state;
    db_begin(f->d);
    give(f, "user@1000.service", "postfix/smtpd", "02FCE57E28E: client=g[10.77.0.1]");
    give(f, "user@1000.service", "postfix/qmgr", "02FCE57E28E: from=<o@o>, size=300, nrcpt=3 (queue active)");
    give(f, "user@1000.service", "amavis", "(1-1) Blocked SPAM {X}, <o@o> -> <a@b>, Hits: 9, size: 1, 1 ms");
    assert_true(commit(f));
    assert_int_equal(total(f, MAILLOG_N_MESSAGES), 0);
    assert_int_equal(total(f, MAILLOG_N_SPAM), 0);
    assert_int_equal(value_of(f, "SELECT count(*) FROM message"), 0);
}

static void a_long_verdict_in_pieces(void **state)
{
    fixture *f = *state;
    db_begin(f->d);
    postfix(f, "smtpd", "02FCE57E28E: client=g[10.77.0.1]");
    give(f, "zimbra-amavis.service", "amavis", "(00141-01) Passed SPAM {RelayedInbound}, [10.77.0.1]:1 <o@o> -> <a@e.test>,<b@...");
    give(f, "zimbra-amavis.service", "amavis", "(00141-01) ...e.test>, Queue-ID: 02FCE57E28E, Message-ID: <t@l>, Hits: 2, size: 1, 1 ms");
    assert_true(commit(f));
    assert_int_equal(total(f, MAILLOG_N_SPAM), 1);
    assert_int_equal(value_of(f, "SELECT count(*) FROM event WHERE kind=6 AND message=1"), 1);
}

static void statistics_file(void **state)
{
    fixture *f = *state;
    g_autofree char *path = g_build_filename(f->folder, "mta", NULL), *text = NULL;
    db_begin(f->d);
    three(f);
    assert_true(commit(f));
    assert_int_equal(counts_publish(f->c, path), 0);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_non_null(strstr(text, "mta:messages 6\n"));
    unlink(path);
    assert_int_equal(counts_publish(f->c, path), 0);
    assert_int_equal(access(path, F_OK), -1);       /* no change, no write */
}

static void write_line(logfile *l, const char *text)
{
    g_string_append(logfile_buffer(l), text);
    logfile_line_done(l);
}

static void has(const char *path, const char *expected)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, expected);
}

static void what_was_not_committed_is_cut_off(void **state)
{
    fixture *f = *state;
    logfile *l = logfile_new(f->d, f->folder, "test.log");
    logfile_recover(l);
    db_begin(f->d);
    write_line(l, "one\n");
    logfile_flush(l);
    assert_true(commit(f));
    db_begin(f->d);
    write_line(l, "two\n");
    logfile_flush(l);
    has(logfile_path(l), "one\ntwo\n");
    db_rollback(f->d);
    logfile_free(l);                    /* as by kill -9 */
    l = logfile_new(f->d, f->folder, "test.log");
    logfile_recover(l);
    has(logfile_path(l), "one\n");
    db_begin(f->d);
    write_line(l, "three\n");
    logfile_flush(l);
    assert_true(commit(f));
    has(logfile_path(l), "one\nthree\n");
    logfile_free(l);
}

/* A full disk: the database can neither be written nor, for the moment, read. */
static void a_batch_is_taken_back_without_the_database(void **state)
{
    fixture *f = *state;
    int error;
    logfile *l = logfile_new(f->d, f->folder, "test.log");
    logfile_recover(l);
    db_begin(f->d);
    write_line(l, "one\n");
    logfile_flush(l);
    assert_true(commit(f));
    counts_add(f->c, 1, MAILLOG_N_SPAM, 3);
    counts_keep(f->c);
    for (int i = 0; i < 3; i++) {
        db_begin(f->d);
        write_line(l, "two\n");
        counts_add(f->c, 1, MAILLOG_N_SPAM, 1);
        db_run(f->d, SQL_SET_META, "?", 0);         /* an error of the database */
        assert_null(db_row(f->d, SQL_GET_PLACE, "t", logfile_path(l)));
        logfile_flush(l);
        has(logfile_path(l), "one\ntwo\n");
        logfile_take_back(l);
        counts_take_back(f->c);
        has(logfile_path(l), "one\n");
        assert_int_equal(counts_total(f->c, MAILLOG_N_SPAM), 3);
        assert_int_equal(logfile_dropped(l, &error), 0);
    }
    db_rollback(f->d);
    db_begin(f->d);
    write_line(l, "two\n");
    logfile_flush(l);
    assert_true(commit(f));
    has(logfile_path(l), "one\ntwo\n");
    logfile_free(l);
}

static void a_moved_file_is_made_again(void **state)
{
    fixture *f = *state;
    logfile *l = logfile_new(f->d, f->folder, "test.log");
    g_autofree char *moved = g_build_filename(f->folder, "moved", NULL);
    db_begin(f->d);
    write_line(l, "one\n");
    logfile_flush(l);
    assert_int_equal(rename(logfile_path(l), moved), 0);
    write_line(l, "two\n");
    logfile_flush(l);
    assert_true(commit(f));
    has(moved, "one\n");
    has(logfile_path(l), "two\n");
    struct stat st;
    assert_int_equal(stat(logfile_path(l), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    logfile_free(l);
}

static void a_file_that_cannot_be_written(void **state)
{
    fixture *f = *state;
    int error;
    logfile *l = logfile_new(f->d, f->folder, "test.log");
    assert_int_equal(symlink("/nonexistent", logfile_path(l)), 0);
    db_begin(f->d);
    write_line(l, "one\n");
    write_line(l, "two\n");
    logfile_flush(l);
    assert_int_equal(logfile_dropped(l, &error), 2);
    assert_int_equal(error, ELOOP);
    unlink(logfile_path(l));
    write_line(l, "three\n");
    logfile_flush(l);
    assert_int_equal(logfile_dropped(l, &error), 0);
    assert_true(commit(f));
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(logfile_path(l), &text, NULL, NULL));
    assert_true(g_str_has_prefix(text, "zmloggerd: 2 lines are missing here"));
    assert_true(g_str_has_suffix(text, "\nthree\n"));
    logfile_free(l);
}

static void old_files_are_removed(void **state)
{
    fixture *f = *state;
    static const struct { const char *name; bool stays; } cases[] = {
        { "test.log.2001-01-01", false }, { "test.log.2001-01-01.gz", false }, { "test.log.2001-01-01-1", false },
        { "test.log.2999-01-01", true }, { "test.log.old", true }, { "other.log.2001-01-01", true }, { "test.log", true },
    };
    logfile *l = logfile_new(f->d, f->folder, "test.log");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(f->folder, cases[i].name, NULL);
        assert_true(g_file_set_contents(path, "x", 1, NULL));
    }
    logfile_prune(l, 8);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(f->folder, cases[i].name, NULL);
        assert_int_equal(access(path, F_OK) == 0, cases[i].stays);
    }
    logfile_free(l);
}

static void a_new_day_is_a_new_file(void **state)
{
    fixture *f = *state;
    logfile *l = logfile_new(f->d, f->folder, "test.log");
    struct stat st;
    db_begin(f->d);
    write_line(l, "yesterday\n");
    logfile_flush(l);
    assert_true(commit(f));
    assert_int_equal(stat(logfile_path(l), &st), 0);
    db_run(f->d, SQL_SET_PLACE, "tiit", logfile_path(l), (gint64) st.st_ino, (gint64) st.st_size, "2026-01-31");
    logfile_recover(l);
    logfile_new_day(l);
    db_begin(f->d);
    write_line(l, "today\n");
    logfile_flush(l);
    assert_true(commit(f));
    g_autofree char *old = g_strconcat(logfile_path(l), ".2026-01-31", NULL);
    has(old, "yesterday\n");
    has(logfile_path(l), "today\n");
    logfile_free(l);
}

static void settings(void **state)
{
    fixture *f = *state;
    g_autofree char *path = g_build_filename(f->folder, "logger.conf", NULL), *problem = NULL;
    assert_true(g_file_set_contents(path, "[logger]\nlog_to_syslog=TRUE\nkeep_days=many\nraw_lifetime=7d\nsummary_lifetime=3600\n", -1, NULL));
    logger_config c = logger_config_load(path, &problem);
    assert_true(c.log_to_syslog);
    assert_int_equal(c.keep_days, 8);
    assert_int_equal(c.raw_lifetime_s, 7 * 86400);
    assert_int_equal(c.summary_lifetime_s, 3600);
    assert_non_null(strstr(problem, "keep_days=many"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_message_to_three_counts_six_and_one), TEST(a_batch_taken_back_counts_nothing), TEST(retries_and_expiry),
        TEST(others_words_do_not_count), TEST(a_long_verdict_in_pieces), TEST(statistics_file),
        TEST(what_was_not_committed_is_cut_off), TEST(a_batch_is_taken_back_without_the_database), TEST(a_moved_file_is_made_again), TEST(a_file_that_cannot_be_written),
        TEST(old_files_are_removed), TEST(a_new_day_is_a_new_file), TEST(settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
