/* The redo log: records, segments, where a log ends, and what it never takes for
 * a continuation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agents/store/shard/op.h"
#include "agents/store/shard/redo-log.h"

enum { SEGMENT = 512 * 1024, MAILBOX = 64 };

/* ---- records ---- */

static void record_is_whole_or_nothing(void **state)
{
    g_autoptr(GByteArray) b = g_byte_array_new();
    redo_record_encode(b, 4096, 77, MAILBOX, OP_TAG, "payload", 7);
    assert_int_equal(b->len, redo_record_size(7));
    assert_int_equal(b->len % 8, 0);
    redo_record r;
    assert_int_equal(redo_record_decode(b->data, b->len, 4096, 77, &r), 1);
    assert_int_equal(r.end, 4096 + b->len);
    assert_int_equal(r.mailbox, MAILBOX);
    assert_int_equal(r.type, OP_TAG);
    assert_memory_equal(r.payload, "payload", 7);
    assert_int_equal(redo_record_decode(b->data, b->len, 4104, 77, &r), 0);
    assert_int_equal(redo_record_decode(b->data, b->len, 4096, 78, &r), 0);
    for (guint len = 0; len < b->len; len++)
        assert_int_equal(redo_record_decode(b->data, len, 4096, 77, &r), 0);
    for (guint i = 0; i < REDO_RECORD_HEADER + 7; i++) {
        b->data[i] ^= 0x10;
        assert_int_equal(redo_record_decode(b->data, b->len, 4096, 77, &r), 0);
        b->data[i] ^= 0x10;
    }
}

static void header_is_checked(void **state)
{
    const redo_segment_header h = { 3, SEGMENT, 2 * SEGMENT, 2 * SEGMENT - 100, 99 };
    uint8_t bytes[REDO_SEGMENT_HEADER], zero[REDO_SEGMENT_HEADER] = { 0 };
    redo_segment_header back;
    redo_segment_header_encode(&h, bytes);
    assert_int_equal(redo_segment_header_decode(bytes, &back), 1);
    assert_true(back.shard == h.shard && back.segment_bytes == h.segment_bytes && back.start == h.start);
    assert_true(back.previous_end == h.previous_end && back.salt == h.salt);
    assert_int_equal(redo_segment_header_decode(zero, &back), 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_int_equal(redo_segment_header_decode(bytes, &back), 0);
        bytes[i] ^= 1;
    }
}

static op *sample(op_type type)
{
    op *o = op_new(type);
    o->folder = 2;
    o->to = 300;
    o->modseq = UINT64_MAX;
    o->tags = UINT64_C(1) << 63;
    o->flags = o->mode = o->special_use = o->uidvalidity = UINT32_MAX;
    o->unseen = -5;
    o->bytes = 1;
    o->record = (message_record) { .uid = 7, .item = UINT32_MAX, .tags_hi = 9, .date = -1 };
    o->name = g_strdup("Fächer/ünter");
    o->account = g_strdup("id");
    o->summary = (op_span) { "sum\0mary", 8 };
    o->body = (op_span) { "body", 4 };
    op_set_uids(o, (const uint32_t[]) { 1, 2, 3, 9, UINT32_MAX }, 5);
    o->n_copies = 2;
    o->copies = g_new0(op_copy, 2);
    o->copies[0] = (op_copy) { 1, 5, { .uid = 10, .size = 3 } };
    o->copies[1] = (op_copy) { 4, 6, { .uid = 11, .size = 4 } };
    return o;
}

static void operations_are_read_back(void **state)
{
    for (op_type type = OP_MAILBOX; type < OP_TYPES; type++) {
        op *o = sample(type), *back = NULL;
        g_autoptr(GByteArray) a = g_byte_array_new(), b = g_byte_array_new();
        op_encode(o, a);
        assert_int_equal(op_decode(type, a->data, a->len, &back), 0);
        op_encode(back, b);
        assert_int_equal(a->len, b->len);
        assert_memory_equal(a->data, b->data, a->len);
        g_autoptr(GString) text = g_string_new("");
        op_describe(back, text);
        assert_true(g_str_has_prefix(text->str, op_type_name(type)));
        op_free(back);
        for (guint len = 0; len < a->len; len++)
            assert_int_equal(op_decode(type, a->data, len, &back), -EBADMSG);
        g_byte_array_append(a, (const guint8 *) "", 1);
        assert_int_equal(op_decode(type, a->data, a->len, &back), -EBADMSG);
        op_free(o);
    }
    op *none;
    assert_int_equal(op_decode(OP_TYPES, "", 0, &none), -EBADMSG);
}

/* ---- logs ---- */

typedef struct { char *dir; int eventfd; redo_log *log; GPtrArray *seen; } fixture;

static int setup(void **state)
{
    fixture *f = g_new0(fixture, 1);
    f->dir = g_dir_make_tmp("mailstead-redo-XXXXXX", NULL);
    f->eventfd = eventfd(0, EFD_NONBLOCK);
    f->seen = g_ptr_array_new_with_free_func(g_free);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    redo_log_stop(f->log);
    GDir *d = g_dir_open(f->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d)) != NULL; ) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        g_unlink(path);
    }
    g_dir_close(d);
    g_rmdir(f->dir);
    close(f->eventfd);
    g_ptr_array_unref(f->seen);
    g_free(f->dir);
    g_free(f);
    return 0;
}

static redo_chain *chain_of(fixture *f)
{
    redo_chain *c = NULL;
    g_autofree char *why = NULL;
    assert_int_equal(redo_chain_read(f->dir, 0, &c, &why), 0);
    return c;
}

static void start(fixture *f)
{
    assert_int_equal(redo_log_start(chain_of(f), 0, SEGMENT, 0, 3, f->eventfd, &f->log), 0);
}

static void stop(fixture *f)
{
    redo_log_stop(f->log);
    f->log = NULL;
}

static uint64_t put(fixture *f, const char *text)
{
    uint64_t end;
    return redo_log_append(f->log, MAILBOX, OP_TAG, text, strlen(text), &end);
}

static int take(const redo_record *r, void *data)
{
    g_ptr_array_add(((fixture *) data)->seen, g_strndup(r->payload, MIN(r->len, 20)));
    return 0;
}

/* Texts of all records, joined. */
static char *texts(fixture *f)
{
    g_autoptr(redo_chain) c = chain_of(f);
    g_ptr_array_set_size(f->seen, 0);
    assert_int_equal(redo_chain_each(c, 0, take, f), 0);
    g_autoptr(GString) all = g_string_new("");
    for (guint i = 0; i < f->seen->len; i++)
        g_string_append_printf(all, "%s ", (const char *) f->seen->pdata[i]);
    return g_string_free(g_steal_pointer(&all), FALSE);
}

#define ASSERT_TEXTS(f, want) do { g_autofree char *t_ = texts(f); assert_string_equal(t_, want); } while (0)

static void restarts_continue_the_log(void **state)
{
    fixture *f = *state;
    start(f);
    put(f, "a");
    uint64_t end;
    redo_log_append(f->log, MAILBOX, OP_TAG, "b", 1, &end);
    redo_log_wait(f->log, end);
    assert_true(redo_log_durable(f->log) >= end);
    stop(f);
    ASSERT_TEXTS(f, "a b ");
    start(f);
    uint64_t c = put(f, "c");
    assert_true(c >= end);
    stop(f);
    start(f);
    stop(f);
    ASSERT_TEXTS(f, "a b c ");
}

static void segments_are_filled_and_reused(void **state)
{
    fixture *f = *state;
    start(f);
    g_autofree char *big = g_strnfill(200 * 1024, 'x');
    uint64_t lsn[40], end;
    for (int i = 0; i < 40; i++) {
        if (redo_log_wants_spare(f->log)) {
            unsigned slot = redo_log_next_slot(f->log);
            redo_log_add_spare(f->log, redo_log_make_spare(f->log, slot), slot);
        }
        lsn[i] = redo_log_append(f->log, MAILBOX, OP_TAG, big, strlen(big), &end);
        if (i >= 4)
            redo_log_release(f->log, lsn[i - 4]);
        redo_log_wait(f->log, end);
    }
    stop(f);
    g_autoptr(redo_chain) c = chain_of(f);
    assert_true(c->first > 0);
    assert_true(c->first <= lsn[35]);
    assert_int_equal(c->end, end);
    assert_true(c->segments->len <= 9);
}

/* What a record is cut to, byte by byte, in three ways: the log ends before it. */
static void torn_tail_ends_the_log(void **state)
{
    fixture *f = *state;
    start(f);
    put(f, "first");
    uint64_t lsn = put(f, "second");
    uint64_t start_lsn = lsn / SEGMENT * SEGMENT;
    stop(f);
    g_autofree char *path = redo_slot_path(f->dir, 0), *whole = NULL;
    gsize len;
    for (unsigned slot = 0; ; slot++) {
        g_free(path);
        path = redo_slot_path(f->dir, slot);
        assert_true(g_file_get_contents(path, &whole, &len, NULL));
        if (memcmp(whole + 24, &start_lsn, 8) == 0 && memcmp(whole, "MSREDO1", 7) == 0)
            break;
        g_clear_pointer(&whole, g_free);
    }
    size_t at = lsn - start_lsn, size = REDO_RECORD_HEADER + 6;
    for (size_t cut = 0; cut < size; cut++)
        for (int how = 0; how < 3; how++) {
            g_autofree char *damaged = g_memdup2(whole, len);
            memset(damaged + at + cut, how == 1 ? 0 : 0xa5, len - at - cut);
            if (how == 1 && memcmp(damaged, whole, len) == 0)
                continue;
            assert_true(g_file_set_contents(path, damaged, how == 0 ? (gssize) (at + cut) : (gssize) len, NULL));
            ASSERT_TEXTS(f, "first ");
        }
    assert_true(g_file_set_contents(path, whole, (gssize) len, NULL));
    ASSERT_TEXTS(f, "first second ");
}

static char *current_path(fixture *f)
{
    g_autoptr(redo_chain) c = chain_of(f);
    return redo_slot_path(f->dir, g_array_index(c->segments, redo_segment, c->segments->len - 1).slot);
}

static void break_record(const char *path, const char *text)
{
    g_autofree char *bytes = NULL;
    gsize len;
    assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    char *at = memmem(bytes, len, text, strlen(text));
    assert_non_null(at);
    *at ^= 1;
    assert_true(g_file_set_contents(path, bytes, (gssize) len, NULL));
}

/* A record behind a torn one reached the disk; later records take its place. It
 * must never come back. */
static void records_behind_a_torn_one_stay_dead(void **state)
{
    fixture *f = *state;
    start(f);
    put(f, "one");
    put(f, "two");
    put(f, "six");
    stop(f);
    g_autofree char *path = current_path(f);
    break_record(path, "two");
    ASSERT_TEXTS(f, "one ");
    start(f);
    put(f, "new");
    stop(f);
    ASSERT_TEXTS(f, "one new ");
}

static void damage_in_the_middle_is_an_error(void **state)
{
    fixture *f = *state;
    start(f);
    put(f, "one");
    put(f, "two");
    stop(f);
    g_autofree char *path = current_path(f), *why = NULL;
    start(f);
    put(f, "new");
    stop(f);
    break_record(path, "one");
    redo_chain *c;
    assert_int_equal(redo_chain_read(f->dir, 0, &c, &why), -EBADMSG);
    assert_non_null(strstr(why, "damaged"));
}

static void other_shards_log_is_refused(void **state)
{
    fixture *f = *state;
    start(f);
    stop(f);
    redo_chain *c;
    g_autofree char *why = NULL;
    assert_int_equal(redo_chain_read(f->dir, 1, &c, &why), -ESTALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_is_whole_or_nothing),
        cmocka_unit_test(header_is_checked),
        cmocka_unit_test(operations_are_read_back),
        cmocka_unit_test_setup_teardown(restarts_continue_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(segments_are_filled_and_reused, setup, teardown),
        cmocka_unit_test_setup_teardown(torn_tail_ends_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(records_behind_a_torn_one_stay_dead, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_in_the_middle_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(other_shards_log_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("redo", tests, NULL, NULL);
}
