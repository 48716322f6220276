/* The n-th write or flush fails, for every n: the process ends, and after the next
 * start every message it acknowledged is there, whole.
 *
 * This file stands in for disk.c: it counts, and at FAIL_AT the call fails (a
 * write after half of its bytes). The work is done in a child process that tells
 * each acknowledgement through a pipe. */
#include "tests/unit/agents/store/shard/fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"

enum { MESSAGES = 12, FAIL_MAX = 1000 };

/* ---- in place of disk.c ---- */

static gint calls, fail_at, fail_with;

static bool fails(void)
{
    return g_atomic_int_add(&calls, 1) + 1 == fail_at;
}

int disk_write(int fd, const void *bytes, size_t len, uint64_t offset)
{
    bool torn = fails();
    size_t n = torn ? len / 2 : len;
    assert_true(pwrite(fd, bytes, n, (off_t) offset) == (ssize_t) n);
    return torn ? -fail_with : 0;
}

int disk_read(int fd, void *bytes, size_t len, uint64_t offset)
{
    return pread(fd, bytes, len, (off_t) offset) == (ssize_t) len ? 0 : -ENODATA;
}

int disk_flush_data(int fd) { return fails() ? -fail_with : fdatasync(fd); }
int disk_flush(int fd) { return fails() ? -fail_with : fsync(fd); }
int disk_flush_fs(int fd) { return fails() ? -fail_with : 0; }

void disk_fatal(const char *format, ...)
{
    _exit(EX_IOERR);
}

/* ---- the work ---- */

static char *text_of(unsigned i, size_t *ret_len)
{
    *ret_len = i % 4 == 3 ? 40000 + i : 100 + i;
    char *text = g_malloc(*ret_len);
    memset(text, 'a' + (int) i, *ret_len);
    return text;
}

/* An event loop does not work in another process than its maker's. */
static void own_event(fixture *f)
{
    assert_true(sd_event_new(&f->event) >= 0);
}

/* Tells the index of each acknowledged message. */
static void work(fixture *f, int out)
{
    own_event(f);
    if (shard_open(f->event, &f->config, &f->shard) < 0)
        _exit(EX_IOERR);
    mailbox *m = open_mailbox(f, ACCOUNT);
    for (unsigned char i = 0; i < MESSAGES; i++) {
        size_t len;
        g_autofree char *text = text_of(i, &len);
        if (append_text(f, m, FOLDER_ID_INBOX, text, len, 0, len > STORE_INLINE_MAX, NULL) == 0)
            assert_int_equal(write(out, &i, 1), 1);
    }
    mailbox_unref(m);
    shard_close(f->shard);
    _exit(EXIT_SUCCESS);
}

static int work_in_child(fixture *f, GByteArray *acknowledged)
{
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t child = fork();
    if (child == 0)
        work(f, p[1]);
    close(p[1]);
    for (guint8 i; read(p[0], &i, 1) == 1; )
        g_byte_array_append(acknowledged, &i, 1);
    close(p[0]);
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool holds(fixture *f, mailbox *m, const folder_view *v, unsigned i)
{
    size_t want_len, len = 0;
    g_autofree char *want = text_of(i, &want_len);
    for (uint32_t k = 0; k < v->n; k++) {
        const message_record *r = folder_view_at(v, k);
        if (r->size != want_len)
            continue;
        g_autofree char *have = blob_text(f, m, r->item, &len);
        return have && len == want_len && memcmp(have, want, len) == 0;
    }
    return false;
}

static void check(fixture *f, const GByteArray *acknowledged)
{
    fixture_open(f);
    mailbox *m = open_mailbox(f, ACCOUNT);
    folder_view *v = view_of_folder(f, m, FOLDER_ID_INBOX);
    for (guint i = 0; i < acknowledged->len; i++)
        assert_true(holds(f, m, v, acknowledged->data[i]));
    /* None is half there either. */
    for (uint32_t k = 0; k < v->n; k++) {
        size_t len = 0;
        g_autofree char *text = blob_text(f, m, folder_view_at(v, k)->item, &len);
        assert_non_null(text);
        assert_int_equal(len, folder_view_at(v, k)->size);
    }
    folder_view_unref(v);
    mailbox_unref(m);
}

/* In a child as well: threads must not be there when the next one is forked. */
static void check_in_child(fixture *f, const GByteArray *acknowledged)
{
    pid_t child = fork();
    if (child == 0) {
        fail_at = 0;
        own_event(f);
        check(f, acknowledged);
        fixture_close(f);
        _exit(EXIT_SUCCESS);
    }
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

static void every_failure(int error)
{
    for (fail_at = 1; fail_at < FAIL_MAX; fail_at++) {
        fixture *f = fixture_new();
        g_autoptr(GByteArray) acknowledged = g_byte_array_new();
        fail_with = error;
        calls = 0;
        int status = work_in_child(f, acknowledged);
        assert_true(status == EXIT_SUCCESS || status == EX_IOERR);
        check_in_child(f, acknowledged);
        fixture_free(f);
        if (status == EXIT_SUCCESS && acknowledged->len == MESSAGES)
            return;      /* nothing was left to fail */
    }
    fail_msg("the work never came to its end");
}

static void failed_io_loses_nothing(void **state) { every_failure(EIO); }
static void full_disk_loses_nothing(void **state) { every_failure(ENOSPC); }

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(failed_io_loses_nothing), cmocka_unit_test(full_disk_loses_nothing) };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
