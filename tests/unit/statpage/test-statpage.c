#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/statpage/layout.h"
#include "lib/statpage/statpage.h"

enum { REQUESTS, SESSIONS, TIME };
static const statpage_def defs[] = {
    [REQUESTS] = { "requests", STATPAGE_COUNTER }, [SESSIONS] = { "sessions", STATPAGE_GAUGE }, [TIME] = { "imap.fetch.us", STATPAGE_COUNTER },
};

static char *folder;

static int make_folder(void **state)
{
    folder = g_dir_make_tmp("statpage-XXXXXX", NULL);
    return folder ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void) g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
    return 0;
}

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void a_value_written_is_a_value_read(void **state)
{
    int r = 1;
    g_autofree char *path = path_of("zmtestd-3");
    statpage *p = statpage_new(folder, "zmtestd-3", defs, G_N_ELEMENTS(defs), &r);
    assert_int_equal(r, 0);
    statpage_inc(p, REQUESTS);
    statpage_add(p, TIME, UINT64_C(1) << 40);
    statpage_set(p, SESSIONS, 7);
    statpage_dec(p, SESSIONS);
    statpage_copy c;
    assert_int_equal(statpage_read(path, &c), 0);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.pid, getpid());
    assert_true(statpage_copy_alive(&c));
    assert_string_equal(c.values[TIME].name, "imap.fetch.us");
    assert_int_equal(c.values[SESSIONS].kind, STATPAGE_GAUGE);
    uint64_t v;
    assert_true(statpage_copy_get(&c, "requests", &v) && v == 1);
    assert_true(statpage_copy_get(&c, "sessions", &v) && v == 6);
    assert_true(statpage_copy_get(&c, "imap.fetch.us", &v) && v == UINT64_C(1) << 40);
    assert_false(statpage_copy_get(&c, "absent", &v));
    statpage_copy_clear(&c);
    statpage_free(p);
    assert_int_equal(statpage_read(path, &c), -ENOENT);
}

static void a_new_process_starts_at_zero(void **state)
{
    g_autofree char *path = path_of("zmtestd");
    statpage *old = statpage_new(folder, "zmtestd", defs, G_N_ELEMENTS(defs), NULL);
    statpage_add(old, REQUESTS, 5);
    statpage *p = statpage_new(folder, "zmtestd", defs, G_N_ELEMENTS(defs), NULL);
    statpage_add(old, REQUESTS, 5);             /* goes nowhere, harms nobody */
    statpage_copy c;
    assert_int_equal(statpage_read(path, &c), 0);
    assert_int_equal(c.values[REQUESTS].value, 0);
    statpage_copy_clear(&c);
    statpage_free(old);
    statpage_free(p);
}

static void without_a_folder_the_daemon_goes_on(void **state)
{
    int r = 0;
    g_autofree char *missing = path_of("missing");
    statpage *p = statpage_new(missing, "zmtestd", defs, G_N_ELEMENTS(defs), &r);
    assert_int_equal(r, -ENOENT);
    statpage_inc(p, REQUESTS);
    assert_int_equal(statpage_get(p, REQUESTS), 1);
    statpage_inc(p, 1000);                      /* out of range: nothing */
    statpage_free(p);
    statpage_inc(NULL, REQUESTS);
    assert_int_equal(statpage_get(NULL, REQUESTS), 0);
}

/* A page's bytes, to be spoilt. */
static GByteArray *good_page(void)
{
    statpage_head head = { .version = STATPAGE_VERSION, .n = 2, .size = (uint32_t) statpage_size(2), .pid = 1 };
    statpage_entry entries[2] = { { "one", STATPAGE_COUNTER }, { "two", STATPAGE_GAUGE } };
    uint64_t values[2] = { 11, 22 };
    memcpy(head.magic, STATPAGE_MAGIC, sizeof head.magic);
    GByteArray *b = g_byte_array_new();
    g_byte_array_append(b, (const guint8 *) &head, sizeof head);
    g_byte_array_append(b, (const guint8 *) entries, sizeof entries);
    g_byte_array_append(b, (const guint8 *) values, sizeof values);
    return b;
}

static void bad_pages_are_refused(void **state)
{
    static const struct { size_t at; size_t len; const char *bytes; int error; } cases[] = {
        { 0, 1, "X", -EBADMSG },                            /* magic */
        { 8, 1, "\x02", -EPROTO },                          /* version */
        { 12, 4, "\0\0\0\0", -EBADMSG },                    /* no values */
        { 12, 4, "\xff\xff\xff\xff", -EBADMSG },            /* too many */
        { 12, 4, "\x03\0\0\0", -EMSGSIZE },                 /* more than there are */
        { 16, 4, "\xff\xff\xff\x7f", -EMSGSIZE },           /* size */
        { 20, 4, "\xff\xff\xff\xff", -EBADMSG },            /* pid -1 */
        { 40, 1, "\n", -EBADMSG },                          /* name: a line end would forge CSV */
        { 40, 1, "\0", -EBADMSG },                          /* name: empty */
        { 41, 1, ",", -EBADMSG },
        { 84, 1, "\x09", -EBADMSG },                        /* kind */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) b = good_page();
        statpage_copy c;
        memcpy(b->data + cases[i].at, cases[i].bytes, cases[i].len);
        assert_int_equal(statpage_parse(b->data, b->len, &c), cases[i].error);
    }
    g_autoptr(GByteArray) b = good_page();
    statpage_copy c;
    for (size_t len = 0; len < b->len; len++)
        assert_int_not_equal(statpage_parse(b->data, len, &c), 0);
    assert_int_equal(statpage_parse(b->data, b->len, &c), 0);
    assert_int_equal(c.values[1].value, 22);
    statpage_copy_clear(&c);
    memset(b->data + sizeof(statpage_head), 'a', sizeof(statpage_entry) - 4);    /* no end of the name */
    assert_int_equal(statpage_parse(b->data, b->len, &c), -EBADMSG);
}

static void only_regular_files_are_read(void **state)
{
    g_autofree char *target = path_of("target"), *link = path_of("link"), *fifo = path_of("fifo"), *large = path_of("large");
    statpage_copy c;
    assert_true(g_file_set_contents(target, "x", 1, NULL));
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_true(g_file_set_contents(large, "", 0, NULL));
    assert_int_equal(truncate(large, 1 << 30), 0);
    assert_int_equal(statpage_read(link, &c), -EBADMSG);
    assert_int_equal(statpage_read(fifo, &c), -EBADMSG);
    assert_int_equal(statpage_read(large, &c), -EBADMSG);
    assert_int_equal(statpage_read(target, &c), -EMSGSIZE);
    assert_int_equal(statpage_read(folder, &c), -EBADMSG);
    const char *const all[] = { target, link, fifo, large };
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        assert_int_equal(g_unlink(all[i]), 0);
}

enum { ROUNDS = 20000, WRITERS = 3 };

static void *raise_values(void *data)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        statpage_inc(data, REQUESTS);
        statpage_add(data, TIME, UINT64_C(0x100000001));    /* both halves of the word move */
    }
    return NULL;
}

/* Values only grow for the reader, whatever the moment, and none is half old. */
static void writers_and_a_reader_at_once(void **state)
{
    g_autofree char *path = path_of("busy");
    statpage *p = statpage_new(folder, "busy", defs, G_N_ELEMENTS(defs), NULL);
    GThread *writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++)
        writers[i] = g_thread_new("writer", raise_values, p);
    uint64_t last = 0;
    for (unsigned i = 0; i < 2000; i++) {
        statpage_copy c;
        assert_int_equal(statpage_read(path, &c), 0);
        uint64_t v = c.values[TIME].value;
        assert_true(v >= last && v >> 32 == (v & UINT32_MAX));
        last = v;
        statpage_copy_clear(&c);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        g_thread_join(writers[i]);
    assert_int_equal(statpage_get(p, REQUESTS), WRITERS * ROUNDS);
    statpage_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_written_is_a_value_read),
        cmocka_unit_test(a_new_process_starts_at_zero),
        cmocka_unit_test(without_a_folder_the_daemon_goes_on),
        cmocka_unit_test(bad_pages_are_refused),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(writers_and_a_reader_at_once),
    };
    return cmocka_run_group_tests_name("statpage", tests, make_folder, drop_folder);
}
