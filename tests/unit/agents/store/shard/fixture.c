/* See fixture.h. */
#include "tests/unit/agents/store/shard/fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"

static fixture *fixture_at(char *dir)
{
    fixture *f = g_new0(fixture, 1);
    f->dir = dir;
    f->store = g_build_filename(dir, "store", NULL);
    f->redolog = g_build_filename(dir, "redolog", NULL);
    f->db = g_build_filename(dir, "db", NULL);
    assert_true(sd_event_new(&f->event) >= 0);
    f->config = (shard_config) {
        .number = 0, .count = 1, .store_dir = f->store, .redolog_dir = f->redolog, .db_dir = f->db,
        .checkpoint_bytes = 64 << 20, .checkpoint_seconds = 3600, .workers = 2, .segment_bytes = 512 * 1024,
    };
    return f;
}

fixture *fixture_new(void)
{
    char *dir = g_dir_make_tmp("mailstead-store-XXXXXX", NULL);
    assert_non_null(dir);
    return fixture_at(dir);
}

static void run_tool(const char *const *argv)
{
    int status = -1;
    assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
    assert_int_equal(status, 0);
}

fixture *fixture_copy(const fixture *f)
{
    char *dir = g_dir_make_tmp("mailstead-store-XXXXXX", NULL);
    g_autofree char *from = g_strconcat(f->dir, "/.", NULL);
    run_tool((const char *const[]) { "cp", "-a", from, dir, NULL });
    fixture *copy = fixture_at(dir);
    copy->config.checkpoint_bytes = f->config.checkpoint_bytes;
    copy->config.wal_bytes = f->config.wal_bytes;
    return copy;
}

void fixture_open(fixture *f)
{
    assert_int_equal(shard_open(f->event, &f->config, &f->shard), 0);
}

void fixture_close(fixture *f)
{
    shard_close(f->shard);
    f->shard = NULL;
}

void fixture_reopen(fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

void fixture_free(fixture *f)
{
    shard_close(f->shard);
    sd_event_unref(f->event);
    run_tool((const char *const[]) { "rm", "-rf", f->dir, NULL });
    g_free(f->dir);
    g_free(f->store);
    g_free(f->redolog);
    g_free(f->db);
    g_free(f);
}

void fixture_run(fixture *f, const int *waiting)
{
    for (unsigned rounds = 0; *waiting == 1; rounds++) {
        assert_true(rounds < 20000);
        assert_true(sd_event_run(f->event, 1000000) >= 0);
    }
}

void on_commit(int r, void *data)
{
    outcome *o = data;
    o->result = r;
    o->waiting = 0;
}

int settled(fixture *f, int r, outcome *o)
{
    if (r < 0)
        return r;
    fixture_run(f, &o->waiting);
    return o->result;
}

typedef struct { int waiting, r; mailbox *m; folder_view *v; uint32_t uid, uidvalidity; int fd; uint64_t size; char *text; } answer;

static void on_mailbox(int r, mailbox *m, void *data)
{
    answer *a = data;
    a->r = r;
    a->m = m;
    a->waiting = 0;
}

mailbox *open_mailbox(fixture *f, const char *account_id)
{
    answer a = { .waiting = 1 };
    mailbox_open(f->shard, account_id, "someone@example.test", on_mailbox, &a);
    fixture_run(f, &a.waiting);
    assert_int_equal(a.r, 0);
    return a.m;
}

static void on_view(int r, folder_view *v, void *data)
{
    answer *a = data;
    a->r = r;
    a->v = v;
    a->waiting = 0;
}

folder_view *view_of_folder(fixture *f, mailbox *m, uint32_t folder)
{
    answer a = { .waiting = 1 };
    mailbox_view(m, folder, on_view, &a);
    fixture_run(f, &a.waiting);
    return a.v;
}

static void on_append(int r, uint32_t uidvalidity, uint32_t uid, void *data)
{
    answer *a = data;
    a->r = r;
    a->uid = uid;
    a->uidvalidity = uidvalidity;
    a->waiting = 0;
}

int append_text(fixture *f, mailbox *m, uint32_t folder, const char *text, size_t len, unsigned flags, bool by_fd, uint32_t *ret_uid)
{
    answer a = { .waiting = 1 };
    g_autofree char *summary = g_strdup_printf("summary of %zu", len);
    new_message msg = { .fd = -1, .body = text, .size = len, .summary = summary, .summary_len = strlen(summary) + 1, .flags = flags, .date = 1700000000 };
    if (by_fd) {
        msg.fd = shard_spool_fd(f->shard);
        assert_true(msg.fd >= 0);
        assert_true(pwrite(msg.fd, text, len, 0) == (ssize_t) len);
        msg.body = NULL;
    }
    int r = mailbox_append(m, folder, &msg, on_append, &a);
    if (by_fd)
        close(msg.fd);
    if (r < 0)
        return r;
    assert_int_equal(a.waiting, 1);
    fixture_run(f, &a.waiting);
    if (ret_uid)
        *ret_uid = a.uid;
    return a.r;
}

static void on_blob(int r, int fd, uint64_t size, void *data)
{
    answer *a = data;
    a->r = r;
    a->fd = fd;
    a->size = size;
    a->waiting = 0;
}

char *blob_text(fixture *f, mailbox *m, uint32_t item, size_t *ret_len)
{
    answer a = { .waiting = 1 };
    mailbox_blob(m, item, on_blob, &a);
    fixture_run(f, &a.waiting);
    if (a.r < 0)
        return NULL;
    char *text = g_malloc0(a.size + 1);
    assert_int_equal(disk_read(a.fd, text, a.size, 0), 0);
    close(a.fd);
    *ret_len = a.size;
    return text;
}

static void on_summary(int r, const void *summary, size_t len, void *data)
{
    answer *a = data;
    a->r = r;
    a->text = r < 0 ? NULL : g_strndup(summary, len);
    a->waiting = 0;
}

char *summary_text(fixture *f, mailbox *m, uint32_t item)
{
    answer a = { .waiting = 1 };
    mailbox_summary(m, item, on_summary, &a);
    fixture_run(f, &a.waiting);
    return a.text;
}
