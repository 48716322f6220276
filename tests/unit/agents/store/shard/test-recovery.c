/* Restart gives the same state: random changes run against a model; every now and
 * then the shard is closed, killed (its files are copied as they are) or loses
 * power, and what comes back must equal the model whole.
 *
 * The power cut: of databases and message files everything that was not flushed
 * may be lost, in any mixture. The test keeps a copy of them from the end of the
 * last checkpoint and, per database, takes the old or the new WAL, cut anywhere;
 * of message files the old or the new set, or new ones emptied. Only the redo log
 * and incoming/ are taken as they are, for they are flushed before an answer. */
#include "tests/unit/agents/store/shard/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/store/shard/disk.h"
#include "agents/store/shard/shard-internal.h"

enum { MAILBOXES = 3, STEPS = 300, NAMES = 8 };

/* ---- the model ---- */

typedef struct { uint32_t uid; unsigned flags; uint64_t tags; char *text; size_t len; } message;
typedef struct { uint32_t id, uidvalidity; char *name; bool noselect, subscribed; GPtrArray *messages; } model_folder;
typedef struct { GPtrArray *folders; } model_mailbox;
typedef struct { model_mailbox boxes[MAILBOXES]; GRand *rand; fixture *f, *saved; uint64_t saved_checkpoints; mailbox *open[MAILBOXES]; } world;

static void message_free(void *p)
{
    g_free(((message *) p)->text);
    g_free(p);
}

static void model_folder_free(void *p)
{
    model_folder *f = p;
    g_free(f->name);
    g_ptr_array_unref(f->messages);
    g_free(f);
}

static model_folder *model_folder_new(const folder_info *i)
{
    model_folder *f = g_new0(model_folder, 1);
    f->id = i->id;
    f->name = g_strdup(i->name);
    f->uidvalidity = i->uidvalidity;
    f->noselect = i->noselect;
    f->subscribed = i->subscribed;
    f->messages = g_ptr_array_new_with_free_func(message_free);
    return f;
}

static model_folder *model_by_id(model_mailbox *b, uint32_t id)
{
    for (guint i = 0; i < b->folders->len; i++)
        if (((model_folder *) b->folders->pdata[i])->id == id)
            return b->folders->pdata[i];
    return NULL;
}

static char *account_of(unsigned n)
{
    return g_strdup_printf("account-%u", n);
}

static mailbox *box(world *w, unsigned n)
{
    if (!w->open[n]) {
        g_autofree char *account = account_of(n);
        w->open[n] = open_mailbox(w->f, account);
    }
    return w->open[n];
}

/* Folders are taken from the shard after each change of them (the rules have
 * their own test); what the model adds is that they must be the same later. */
static void learn_folders(world *w, unsigned n)
{
    model_mailbox *b = &w->boxes[n];
    GPtrArray *now = g_ptr_array_new_with_free_func(model_folder_free);
    const folder_info *info;
    for (unsigned i = 0; (info = mailbox_folder_at(box(w, n), i)) != NULL; i++) {
        model_folder *f = model_folder_new(info), *old = b->folders ? model_by_id(b, info->id) : NULL;
        if (old && info->messages) {
            g_ptr_array_unref(f->messages);
            f->messages = g_steal_pointer(&old->messages);
            old->messages = g_ptr_array_new();
        }
        g_ptr_array_add(now, f);
    }
    if (b->folders)
        g_ptr_array_unref(b->folders);
    b->folders = now;
}

/* ---- comparing ---- */

static void compare_message(world *w, mailbox *m, const message *want, const message_record *have)
{
    assert_non_null(have);
    assert_int_equal(have->uid, want->uid);
    assert_int_equal(have->flags, want->flags);
    assert_true(((uint64_t) have->tags_hi << 32 | have->tags_lo) == want->tags);
    assert_int_equal(have->size, want->len);
    size_t len = 0;
    g_autofree char *text = blob_text(w->f, m, have->item, &len);
    assert_non_null(text);
    assert_int_equal(len, want->len);
    assert_memory_equal(text, want->text, len);
    g_autofree char *summary = summary_text(w->f, m, have->item), *expected = g_strdup_printf("summary of %zu", want->len);
    assert_non_null(summary);
    assert_string_equal(summary, expected);
}

static void compare_folder(world *w, mailbox *m, const model_folder *want, uint64_t *size)
{
    const folder_info *have = mailbox_folder_by_name(m, want->name);
    assert_non_null(have);
    assert_int_equal(have->id, want->id);
    assert_int_equal(have->uidvalidity, want->uidvalidity);
    assert_int_equal(have->noselect, want->noselect);
    assert_int_equal(have->subscribed, want->subscribed);
    assert_int_equal(have->messages, want->messages->len);
    if (want->noselect)
        return;
    uint32_t unseen = 0;
    folder_view *v = view_of_folder(w->f, m, want->id);
    assert_int_equal(v->n, want->messages->len);
    for (guint i = 0; i < want->messages->len; i++) {
        const message *msg = want->messages->pdata[i];
        compare_message(w, m, msg, folder_view_at(v, i));
        unseen += !(msg->flags & MSG_SEEN);
        *size += msg->len;
    }
    assert_int_equal(v->unseen, unseen);
    folder_view_unref(v);
}

static void compare(world *w)
{
    for (unsigned n = 0; n < MAILBOXES; n++) {
        const model_mailbox *b = &w->boxes[n];
        if (!b->folders)
            continue;
        mailbox *m = box(w, n);
        uint64_t size = 0;
        for (guint i = 0; i < b->folders->len; i++)
            compare_folder(w, m, b->folders->pdata[i], &size);
        assert_null(mailbox_folder_at(m, b->folders->len));
        assert_true(mailbox_size(m) == size);
    }
}

/* ---- changes ---- */

static unsigned pick(world *w, unsigned n)
{
    return (unsigned) g_rand_int_range(w->rand, 0, (gint32) n);
}

static model_folder *pick_folder(world *w, unsigned n)
{
    model_mailbox *b = &w->boxes[n];
    for (;;) {
        model_folder *f = b->folders->pdata[pick(w, b->folders->len)];
        if (!f->noselect)
            return f;
    }
}

static GArray *pick_uids(world *w, const model_folder *f)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < f->messages->len; i++)
        if (pick(w, 3) == 0)
            g_array_append_val(uids, ((message *) f->messages->pdata[i])->uid);
    return uids;
}

static bool chosen(const GArray *uids, uint32_t uid)
{
    for (guint i = 0; i < uids->len; i++)
        if (g_array_index(uids, uint32_t, i) == uid)
            return true;
    return false;
}

#define UIDS(a) (const uint32_t *) (const void *) (a)->data, (a)->len

static void do_append(world *w, unsigned n)
{
    static const size_t sizes[] = { 1, 50, 50, 200, 200, 5000, STORE_INLINE_MAX, 50000 };
    model_folder *f = pick_folder(w, n);
    message *msg = g_new0(message, 1);
    msg->len = sizes[pick(w, G_N_ELEMENTS(sizes))];
    msg->text = g_malloc(msg->len);
    for (size_t i = 0; i < msg->len; i++)
        msg->text[i] = (char) (i % 61 == 0 ? pick(w, 256) : 'a');
    msg->flags = pick(w, 2) ? MSG_SEEN : 0;
    bool by_fd = msg->len > STORE_INLINE_MAX || pick(w, 2);
    assert_int_equal(append_text(w->f, box(w, n), f->id, msg->text, msg->len, msg->flags, by_fd, &msg->uid), 0);
    g_ptr_array_add(f->messages, msg);
}

static void do_flags(world *w, unsigned n)
{
    model_folder *f = pick_folder(w, n);
    g_autoptr(GArray) uids = pick_uids(w, f);
    flags_op mode = pick(w, 3);
    unsigned flags = pick(w, 256);
    g_autofree char *keyword = g_strdup_printf("key%u", pick(w, 5));
    int bit = mailbox_tag(box(w, n), keyword, true);
    assert_true(bit >= 0);
    uint64_t tags = UINT64_C(1) << bit;
    folder_view_unref(view_of_folder(w->f, box(w, n), f->id));
    outcome o = { 1, 0 };
    assert_int_equal(settled(w->f, mailbox_set_flags(box(w, n), f->id, UIDS(uids), mode, flags, tags, on_commit, &o), &o), 0);
    for (guint i = 0; i < f->messages->len; i++) {
        message *m = f->messages->pdata[i];
        if (!chosen(uids, m->uid))
            continue;
        m->flags = mode == FLAGS_SET ? flags : mode == FLAGS_ADD ? m->flags | flags : m->flags & ~flags;
        m->tags = mode == FLAGS_SET ? tags : mode == FLAGS_ADD ? m->tags | tags : m->tags & ~tags;
    }
}

static void drop_messages(model_folder *f, const GArray *uids)
{
    for (guint i = 0; i < f->messages->len; ) {
        if (chosen(uids, ((message *) f->messages->pdata[i])->uid))
            g_ptr_array_remove_index(f->messages, i);
        else
            i++;
    }
}

static void do_expunge(world *w, unsigned n)
{
    model_folder *f = pick_folder(w, n);
    g_autoptr(GArray) uids = pick_uids(w, f);
    folder_view_unref(view_of_folder(w->f, box(w, n), f->id));
    outcome o = { 1, 0 };
    assert_int_equal(settled(w->f, mailbox_expunge(box(w, n), f->id, UIDS(uids), on_commit, &o), &o), 0);
    drop_messages(f, uids);
}

static void do_copy(world *w, unsigned n)
{
    model_folder *f = pick_folder(w, n), *to = pick_folder(w, n);
    g_autoptr(GArray) uids = pick_uids(w, f);
    bool move = pick(w, 2);
    folder_view_unref(view_of_folder(w->f, box(w, n), f->id));
    outcome o = { 1, 0 };
    g_autofree uint32_t *got = NULL;
    int r = settled(w->f, mailbox_copy(box(w, n), f->id, UIDS(uids), to->id, move, on_commit, &o, &got), &o);
    assert_int_equal(r, uids->len ? 0 : -ENOENT);
    if (r < 0)
        return;
    g_autoptr(GPtrArray) arrived = g_ptr_array_new();
    for (guint i = 0, k = 0; i < f->messages->len; i++) {
        const message *m = f->messages->pdata[i];
        if (!chosen(uids, m->uid))
            continue;
        message *c = g_memdup2(m, sizeof *m);
        c->text = g_memdup2(m->text, m->len);
        c->uid = got[k++];
        g_ptr_array_add(arrived, c);
    }
    if (move)
        drop_messages(f, uids);
    for (guint i = 0; i < arrived->len; i++)
        g_ptr_array_add(to->messages, arrived->pdata[i]);
}

static void do_folder(world *w, unsigned n)
{
    static const char *const names[NAMES] = { "a", "b", "a/x", "a/y", "b/z/deep", "c", "Sent/old", "d" };
    mailbox *m = box(w, n);
    const char *name = names[pick(w, NAMES)];
    const folder_info *info = mailbox_folder_by_name(m, name);
    outcome o = { 1, 0 };
    int r = 0;
    if (!info)
        r = mailbox_create_folder(m, name, 0, on_commit, &o, NULL);
    else if (pick(w, 3) == 0)
        r = mailbox_delete_folder(m, info->id, on_commit, &o);
    else if (pick(w, 2) == 0)
        r = mailbox_rename_folder(m, info->id, names[pick(w, NAMES)], on_commit, &o);
    else
        r = mailbox_subscribe(m, info->id, pick(w, 2), on_commit, &o);
    if (r == 0)
        assert_int_equal(settled(w->f, r, &o), 0);
    learn_folders(w, n);
}

/* Databases run ahead of the checkpoint, as they do every second in service. */
static void do_apply(world *w, unsigned n)
{
    group_apply(box(w, n)->group);
}

/* Unused mailboxes leave memory, whatever of them is pending. */
static void do_evict(world *w, unsigned n)
{
    mailbox *m = box(w, n);
    mailbox_unref(m);
    w->open[n] = NULL;
    if (m->refs > 0)
        return;
    m->idle_since = g_get_monotonic_time() - 2 * IDLE_SECONDS * G_USEC_PER_SEC;
    mailbox_evict_idle(w->f->shard);
    assert_null(m->content);
}

/* ---- ends ---- */

/* Workers may still be at files that are about to be copied. */
static void settle(world *w)
{
    while (shard_busy(w->f->shard))
        assert_true(sd_event_run(w->f->event, 100000) >= 0);
}

static void forget_open(world *w)
{
    for (unsigned n = 0; n < MAILBOXES; n++) {
        mailbox_unref(w->open[n]);
        w->open[n] = NULL;
    }
}

static void end_closed(world *w)
{
    forget_open(w);
    fixture_reopen(w->f);
}

static void replace_world(world *w, fixture *f)
{
    forget_open(w);
    fixture_free(w->f);
    w->f = f;
    fixture_open(f);
}

static void end_killed(world *w)
{
    settle(w);
    replace_world(w, fixture_copy(w->f));
}

static void put_back(const char *old_dir, const char *new_dir, const char *what)
{
    g_autofree char *target = g_build_filename(new_dir, what, NULL), *source = g_build_filename(old_dir, what, NULL);
    const char *rm[] = { "rm", "-rf", target, NULL }, *cp[] = { "cp", "-a", source, target, NULL };
    assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) cp, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

/* A WAL that lost its end, or is the old one. */
static void cut_wals(world *w, const fixture *f, const char *dir)
{
    g_autofree char *path = g_build_filename(f->db, dir, NULL);
    GDir *d = g_dir_open(path, 0, NULL);
    for (const char *name; d && (name = g_dir_read_name(d)) != NULL; ) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        struct stat st;
        if (!g_str_has_suffix(name, "-wal") || stat(file, &st) < 0)
            continue;
        g_autofree char *inside = g_build_filename("db", dir, name, NULL);
        g_autofree char *old = g_build_filename(w->saved->dir, inside, NULL);
        struct stat old_st;
        bool had = stat(old, &old_st) == 0;
        /* What was there at the checkpoint is flushed; beyond it anything may go. */
        off_t least = had ? old_st.st_size : 0;
        if (pick(w, 3) && st.st_size > least)
            assert_int_equal(truncate(file, least + (off_t) pick(w, (unsigned) (st.st_size - least))), 0);
    }
    if (d)
        g_dir_close(d);
}

static void lose_file(world *w, const char *path)
{
    switch (pick(w, 3)) {
    case 0:
        break;
    case 1:
        assert_int_equal(unlink(path), 0);
        break;
    default:    /* the name is there, the bytes are not; other names of the file keep theirs */
        assert_int_equal(unlink(path), 0);
        assert_true(g_file_set_contents(path, "", 0, NULL));
    }
}

/* Below DIR: message files that are not in the saved copy. */
static void lose_new_files(world *w, const fixture *f, const char *dir)
{
    g_autofree char *path = g_build_filename(f->dir, dir, NULL);
    GDir *d = g_dir_open(path, 0, NULL);
    for (const char *name; d && (name = g_dir_read_name(d)) != NULL; ) {
        g_autofree char *inside = g_build_filename(dir, name, NULL);
        g_autofree char *now = g_build_filename(f->dir, inside, NULL), *old = g_build_filename(w->saved->dir, inside, NULL);
        if (g_file_test(now, G_FILE_TEST_IS_DIR))
            lose_new_files(w, f, inside);
        else if (!g_file_test(old, G_FILE_TEST_EXISTS))
            lose_file(w, now);
    }
    if (d)
        g_dir_close(d);
}

/* Message files: the old set, or the new one with losses. */
static void lose_files(world *w, fixture *f)
{
    if (pick(w, 2) == 0) {
        g_autofree char *incoming = g_build_filename(f->dir, "kept", NULL), *now = g_build_filename(f->store, "incoming", NULL);
        assert_int_equal(g_rename(now, incoming), 0);
        put_back(w->saved->dir, f->dir, "store");
        const char *rm[] = { "rm", "-rf", now, NULL };
        assert_true(g_spawn_sync(NULL, (char **) (uintptr_t) rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
        assert_int_equal(g_rename(incoming, now), 0);
        return;
    }
    lose_new_files(w, f, "store/0");
}

static void end_power_cut(world *w)
{
    settle(w);
    shard_stats st;
    shard_get_stats(w->f->shard, &st);
    if (!w->saved || st.checkpoints != w->saved_checkpoints)
        return;
    fixture *f = fixture_copy(w->f);
    cut_wals(w, f, "0");
    cut_wals(w, f, ".");
    lose_files(w, f);
    replace_world(w, f);
}

/* After each checkpoint: what is on disk for certain from now on. */
static void save_checkpoint(world *w)
{
    shard_stats st;
    shard_get_stats(w->f->shard, &st);
    if (st.checkpoints == w->saved_checkpoints)
        return;
    settle(w);
    shard_get_stats(w->f->shard, &st);
    if (w->saved)
        fixture_free(w->saved);
    w->saved = fixture_copy(w->f);
    w->saved_checkpoints = st.checkpoints;
}

static void run_world(unsigned seed)
{
    world w = { .rand = g_rand_new_with_seed(seed), .f = fixture_new() };
    w.f->config.checkpoint_bytes = 300 * 1024;
    w.f->config.wal_bytes = 64 * 1024;
    fixture_open(w.f);
    static void (*const changes[])(world *, unsigned) = { do_append, do_append, do_append, do_append, do_flags, do_flags, do_expunge, do_copy, do_folder, do_apply, do_evict };
    static void (*const ends[])(world *) = { end_closed, end_killed, end_power_cut, end_power_cut };
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned n = pick(&w, MAILBOXES);
        if (!w.boxes[n].folders)
            learn_folders(&w, n);
        changes[pick(&w, G_N_ELEMENTS(changes))](&w, n);
        save_checkpoint(&w);
        if (pick(&w, 25) == 0) {
            ends[pick(&w, G_N_ELEMENTS(ends))](&w);
            compare(&w);
            if (w.saved)
                fixture_free(w.saved);
            w.saved = NULL;
            w.saved_checkpoints = 0;
            save_checkpoint(&w);
        }
    }
    compare(&w);
    forget_open(&w);
    for (unsigned n = 0; n < MAILBOXES; n++)
        if (w.boxes[n].folders)
            g_ptr_array_unref(w.boxes[n].folders);
    if (w.saved)
        fixture_free(w.saved);
    fixture_free(w.f);
    g_rand_free(w.rand);
}

static void state_survives(void **state)
{
    const char *given = g_getenv("STORE_TEST_SEED");
    unsigned first = given ? (unsigned) g_ascii_strtoull(given, NULL, 10) : 1;
    for (unsigned seed = first; seed < first + (given ? 1 : 3); seed++) {
        print_message("seed %u\n", seed);
        run_world(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(state_survives) };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
