/* What mailbox.h promises, on one shard: append, views, flags, copy, move,
 * expunge, folders, keywords, and all of it again after a restart. */
#include "tests/unit/agents/store/shard/fixture.h"

#include <errno.h>
#include <string.h>

#define COMMIT(f, call) ({ outcome o_ = { 1, 0 }; outcome *o = &o_; settled(f, call, o); })

static int setup(void **state)
{
    fixture *f = fixture_new();
    fixture_open(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static void new_mailbox_has_own_folders(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    static const struct { uint32_t id; const char *name; unsigned use; } own[] = {
        { FOLDER_ID_DRAFTS, "Drafts", FOLDER_DRAFTS }, { FOLDER_ID_INBOX, "INBOX", FOLDER_INBOX }, { FOLDER_ID_JUNK, "Junk", FOLDER_JUNK },
        { FOLDER_ID_SENT, "Sent", FOLDER_SENT }, { FOLDER_ID_TRASH, "Trash", FOLDER_TRASH },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(own); i++) {
        const folder_info *info = mailbox_folder_at(m, i);
        assert_int_equal(info->id, own[i].id);
        assert_string_equal(info->name, own[i].name);
        assert_int_equal(info->special_use, own[i].use);
        assert_true(info->subscribed);
        assert_int_equal(info->uidnext, 1);
    }
    assert_null(mailbox_folder_at(m, 5));
    assert_ptr_equal(mailbox_folder_by_name(m, "inbox"), mailbox_folder(m, FOLDER_ID_INBOX));
    assert_int_equal(mailbox_id(m), 64);
    mailbox_unref(m);
}

static void message_comes_back_after_restart(void **state)
{
    fixture *f = *state;
    static const size_t sizes[] = { 1, 4096, STORE_INLINE_MAX, STORE_INLINE_MAX + 1, 300000 };
    for (int by_fd = 0; by_fd <= 1; by_fd++)
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
            mailbox *m = open_mailbox(f, ACCOUNT);
            g_autofree char *text = g_malloc(sizes[i]);
            memset(text, 'a' + (int) i, sizes[i]);
            uint32_t uid = 0;
            int r = append_text(f, m, FOLDER_ID_INBOX, text, sizes[i], 0, by_fd, &uid);
            if (!by_fd && sizes[i] > STORE_INLINE_MAX) {
                assert_int_equal(r, -EINVAL);
                mailbox_unref(m);
                continue;
            }
            assert_int_equal(r, 0);
            for (int round = 0; round < 2; round++) {
                folder_view *v = view_of_folder(f, m, FOLDER_ID_INBOX);
                const message_record *rec = folder_view_find(v, uid);
                assert_non_null(rec);
                assert_int_equal(rec->size, sizes[i]);
                assert_int_equal(rec->date, 1700000000);
                size_t len = 0;
                g_autofree char *back = blob_text(f, m, rec->item, &len);
                assert_non_null(back);
                assert_int_equal(len, sizes[i]);
                assert_memory_equal(back, text, len);
                g_autofree char *summary = summary_text(f, m, rec->item), *want = g_strdup_printf("summary of %zu", sizes[i]);
                assert_string_equal(summary, want);
                folder_view_unref(v);
                mailbox_unref(m);
                fixture_reopen(f);
                m = open_mailbox(f, ACCOUNT);
            }
            mailbox_unref(m);
        }
}

static void views_do_not_change(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    for (int i = 0; i < 250; i++)
        assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "x", 1, 0, false, NULL), 0);
    folder_view *before = view_of_folder(f, m, FOLDER_ID_INBOX);
    assert_int_equal(COMMIT(f, mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 5, 120 }, 2, FLAGS_ADD, MSG_SEEN, 0, on_commit, o)), 0);
    assert_int_equal(COMMIT(f, mailbox_expunge(m, FOLDER_ID_INBOX, (uint32_t[]) { 7, 250 }, 2, on_commit, o)), 0);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "y", 1, MSG_SEEN, false, NULL), 0);
    folder_view *after = view_of_folder(f, m, FOLDER_ID_INBOX);
    assert_int_equal(before->n, 250);
    assert_int_equal(after->n, 249);
    assert_int_equal(before->unseen, 250);
    assert_int_equal(after->unseen, 246);
    assert_int_equal(folder_view_find(before, 5)->flags, 0);
    assert_int_equal(folder_view_find(after, 5)->flags, MSG_SEEN);
    assert_non_null(folder_view_find(before, 7));
    assert_null(folder_view_find(after, 7));
    assert_int_equal(folder_view_lower(after, 7), 6);
    assert_int_equal(folder_view_at(after, 6)->uid, 8);
    assert_int_equal(folder_view_at(after, 248)->uid, 251);
    assert_null(folder_view_at(after, 249));
    assert_int_equal(folder_view_lower(after, 1000), 249);
    assert_true(after->highestmodseq > before->highestmodseq);
    folder_view_unref(before);
    folder_view_unref(after);
    mailbox_unref(m);
}

typedef struct { GString *log; } diff_log;

static void on_diff(const message_record *before, const message_record *after, uint32_t index, void *data)
{
    g_string_append_printf(((diff_log *) data)->log, "%c%u@%u ", !after ? '-' : !before ? '+' : '~', (after ? after : before)->uid, index);
}

static void views_are_compared(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    for (int i = 0; i < 205; i++)
        assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "x", 1, 0, false, NULL), 0);
    folder_view *before = view_of_folder(f, m, FOLDER_ID_INBOX);
    assert_int_equal(COMMIT(f, mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 150 }, 1, FLAGS_SET, MSG_FLAGGED, 0, on_commit, o)), 0);
    assert_int_equal(COMMIT(f, mailbox_expunge(m, FOLDER_ID_INBOX, (uint32_t[]) { 1, 205 }, 2, on_commit, o)), 0);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "y", 1, 0, false, NULL), 0);
    folder_view *after = view_of_folder(f, m, FOLDER_ID_INBOX);
    diff_log d = { g_string_new("") };
    folder_view_diff(before, after, on_diff, &d);
    assert_string_equal(d.log->str, "-1@0 ~150@148 -205@204 +206@203 ");
    g_string_free(d.log, TRUE);
    folder_view_unref(before);
    folder_view_unref(after);
    mailbox_unref(m);
}

static void flags_and_keywords(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "x", 1, 0, false, NULL), 0);
    mailbox_unref(m);
    fixture_reopen(f);
    m = open_mailbox(f, ACCOUNT);
    assert_int_equal(mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 1 }, 1, FLAGS_ADD, MSG_SEEN, 0, on_commit, NULL), -EINVAL);
    folder_view_unref(view_of_folder(f, m, FOLDER_ID_INBOX));
    assert_int_equal(mailbox_tag(m, "$Forwarded", false), -ENOENT);
    assert_int_equal(mailbox_tag(m, "bad keyword", true), -EINVAL);
    int bit = mailbox_tag(m, "$Label1", true);
    assert_int_equal(bit, 0);
    assert_int_equal(mailbox_tag(m, "$label1", true), bit);
    assert_int_equal(mailbox_tag(m, "second", true), 1);
    assert_int_equal(COMMIT(f, mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 1, 3, 9 }, 3, FLAGS_ADD, MSG_SEEN, UINT64_C(3), on_commit, o)), 0);
    assert_int_equal(COMMIT(f, mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 3 }, 1, FLAGS_REMOVE, MSG_SEEN, UINT64_C(1), on_commit, o)), 0);
    assert_int_equal(COMMIT(f, mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 2 }, 1, FLAGS_SET, MSG_DELETED, UINT64_C(1) << 63, on_commit, o)), 0);
    assert_int_equal(mailbox_set_flags(m, FOLDER_ID_INBOX, (uint32_t[]) { 3, 2 }, 2, FLAGS_SET, 0, 0, on_commit, NULL), -EINVAL);
    for (int round = 0; round < 2; round++) {
        folder_view *v = view_of_folder(f, m, FOLDER_ID_INBOX);
        assert_int_equal(folder_view_at(v, 0)->flags, MSG_SEEN);
        assert_int_equal(folder_view_at(v, 0)->tags_lo, 3);
        assert_int_equal(folder_view_at(v, 1)->flags, MSG_DELETED);
        assert_int_equal(folder_view_at(v, 1)->tags_hi, 1u << 31);
        assert_int_equal(folder_view_at(v, 2)->flags, 0);
        assert_int_equal(folder_view_at(v, 2)->tags_lo, 2);
        assert_int_equal(v->unseen, 2);
        assert_int_equal(mailbox_folder(m, FOLDER_ID_INBOX)->unseen, 2);
        assert_string_equal(mailbox_tag_name(m, 1), "second");
        folder_view_unref(v);
        mailbox_unref(m);
        fixture_reopen(f);
        m = open_mailbox(f, ACCOUNT);
    }
    mailbox_unref(m);
}

static void copy_and_move(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "one", 3, MSG_FLAGGED, true, NULL), 0);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "two!", 4, MSG_SEEN, false, NULL), 0);
    folder_view_unref(view_of_folder(f, m, FOLDER_ID_INBOX));
    uint32_t *uids = NULL;
    assert_int_equal(mailbox_copy(m, FOLDER_ID_INBOX, (uint32_t[]) { 8, 9 }, 2, FOLDER_ID_SENT, false, on_commit, NULL, &uids), -ENOENT);
    assert_int_equal(COMMIT(f, mailbox_copy(m, FOLDER_ID_INBOX, (uint32_t[]) { 1, 2, 5 }, 3, FOLDER_ID_SENT, false, on_commit, o, &uids)), 0);
    assert_int_equal(uids[0], 1);
    assert_int_equal(uids[1], 2);
    assert_int_equal(uids[2], 0);
    g_free(uids);
    assert_int_equal(mailbox_size(m), 14);
    assert_int_equal(COMMIT(f, mailbox_copy(m, FOLDER_ID_INBOX, (uint32_t[]) { 2 }, 1, FOLDER_ID_SENT, true, on_commit, o, &uids)), 0);
    assert_int_equal(uids[0], 3);
    g_free(uids);
    assert_int_equal(mailbox_size(m), 14);
    for (int round = 0; round < 2; round++) {
        folder_view *sent = view_of_folder(f, m, FOLDER_ID_SENT), *inbox = view_of_folder(f, m, FOLDER_ID_INBOX);
        assert_int_equal(inbox->n, 1);
        assert_int_equal(sent->n, 3);
        assert_int_equal(sent->unseen, 1);
        assert_int_equal(folder_view_at(sent, 0)->flags, MSG_FLAGGED);
        assert_int_not_equal(folder_view_at(sent, 0)->item, folder_view_at(inbox, 0)->item);
        static const char *const texts[] = { "one", "two!", "two!" };
        for (unsigned i = 0; i < 3; i++) {
            size_t len;
            g_autofree char *text = blob_text(f, m, folder_view_at(sent, i)->item, &len);
            assert_string_equal(text, texts[i]);
            g_autofree char *summary = summary_text(f, m, folder_view_at(sent, i)->item), *want = g_strdup_printf("summary of %zu", len);
            assert_string_equal(summary, want);
        }
        folder_view_unref(sent);
        folder_view_unref(inbox);
        mailbox_unref(m);
        fixture_reopen(f);
        m = open_mailbox(f, ACCOUNT);
    }
    mailbox_unref(m);
}

static void expunge_frees_quota_and_blob(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    mailbox_set_quota(m, 10);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "12345678", 8, 0, false, NULL), 0);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "123", 3, 0, false, NULL), -EDQUOT);
    folder_view *v = view_of_folder(f, m, FOLDER_ID_INBOX);
    uint32_t item = folder_view_at(v, 0)->item;
    folder_view_unref(v);
    assert_int_equal(COMMIT(f, mailbox_expunge(m, FOLDER_ID_INBOX, (uint32_t[]) { 1, 2 }, 2, on_commit, o)), 0);
    assert_int_equal(mailbox_size(m), 0);
    size_t len;
    g_autofree char *still = blob_text(f, m, item, &len);
    assert_non_null(still);
    mailbox_unref(m);
    fixture_reopen(f);
    fixture_reopen(f);
    m = open_mailbox(f, ACCOUNT);
    assert_null(blob_text(f, m, item, &len));
    assert_null(summary_text(f, m, item));
    uint32_t uid;
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "123", 3, 0, false, &uid), 0);
    assert_int_equal(uid, 2);
    mailbox_unref(m);
}

static void folders(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    uint32_t id, child;
    static const char *const bad[] = { "", "/a", "a/", "a//b", "a\nb", "\xff" };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(mailbox_create_folder(m, bad[i], 0, on_commit, NULL, NULL), -EINVAL);
    assert_int_equal(mailbox_create_folder(m, "iNbOx", 0, on_commit, NULL, NULL), -EEXIST);
    assert_int_equal(COMMIT(f, mailbox_create_folder(m, "a/b/c", 0, on_commit, o, &child)), 0);
    assert_true(mailbox_folder_by_name(m, "a")->noselect);
    assert_true(mailbox_folder_by_name(m, "a/b")->noselect);
    assert_int_equal(COMMIT(f, mailbox_create_folder(m, "a", 0, on_commit, o, &id)), 0);
    assert_false(mailbox_folder(m, id)->noselect);
    uint32_t validity = mailbox_folder(m, id)->uidvalidity;
    assert_int_not_equal(validity, mailbox_folder(m, child)->uidvalidity);
    assert_int_equal(COMMIT(f, mailbox_subscribe(m, child, true, on_commit, o)), 0);
    assert_int_equal(mailbox_delete_folder(m, FOLDER_ID_SENT, on_commit, NULL), -EPERM);
    assert_int_equal(mailbox_delete_folder(m, 999, on_commit, NULL), -ENOENT);
    assert_int_equal(mailbox_rename_folder(m, FOLDER_ID_SENT, "x", on_commit, NULL), -EPERM);
    assert_int_equal(mailbox_rename_folder(m, id, "a/x", on_commit, NULL), -EINVAL);
    assert_int_equal(mailbox_rename_folder(m, id, "Sent", on_commit, NULL), -EEXIST);
    assert_int_equal(append_text(f, m, child, "deep", 4, 0, false, NULL), 0);
    assert_int_equal(append_text(f, m, id, "top", 3, 0, false, NULL), 0);
    assert_int_equal(COMMIT(f, mailbox_rename_folder(m, id, "z/y", on_commit, o)), 0);
    assert_string_equal(mailbox_folder(m, child)->name, "z/y/b/c");
    assert_null(mailbox_folder_by_name(m, "a"));
    mailbox_unref(m);
    fixture_reopen(f);
    m = open_mailbox(f, ACCOUNT);
    assert_string_equal(mailbox_folder(m, child)->name, "z/y/b/c");
    assert_true(mailbox_folder(m, child)->subscribed);
    assert_int_equal(mailbox_folder(m, child)->messages, 1);
    assert_int_equal(mailbox_size(m), 7);
    assert_int_equal(COMMIT(f, mailbox_delete_folder(m, id, on_commit, o)), 0);
    assert_true(mailbox_folder(m, id)->noselect);
    assert_int_equal(mailbox_folder(m, id)->messages, 0);
    assert_int_equal(mailbox_size(m), 4);
    assert_int_equal(mailbox_delete_folder(m, id, on_commit, NULL), -EPERM);
    assert_int_equal(COMMIT(f, mailbox_delete_folder(m, child, on_commit, o)), 0);
    assert_int_equal(mailbox_size(m), 0);
    assert_null(mailbox_folder(m, child));
    mailbox_unref(m);
    fixture_reopen(f);
    m = open_mailbox(f, ACCOUNT);
    assert_null(mailbox_folder(m, child));
    assert_int_equal(COMMIT(f, mailbox_create_folder(m, "z/y/b/c", 0, on_commit, o, &id)), 0);
    assert_true(id > child);
    mailbox_unref(m);
}

static void inbox_is_renamed_by_moving(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "m", 1, 0, false, NULL), 0);
    mailbox_unref(m);
    fixture_reopen(f);
    m = open_mailbox(f, ACCOUNT);
    assert_int_equal(COMMIT(f, mailbox_rename_folder(m, FOLDER_ID_INBOX, "old", on_commit, o)), 0);
    assert_int_equal(mailbox_folder(m, FOLDER_ID_INBOX)->messages, 0);
    assert_int_equal(mailbox_folder_by_name(m, "old")->messages, 3);
    uint32_t uid;
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "n", 1, 0, false, &uid), 0);
    assert_int_equal(uid, 4);
    mailbox_unref(m);
}

static void cold_delivery_and_junk(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    mailbox_unref(m);
    fixture_reopen(f);
    m = mailbox_open_header(f->shard, ACCOUNT, "x");
    uint32_t uid;
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "cold", 4, 0, true, &uid), 0);
    assert_int_equal(uid, 1);
    assert_null(mailbox_folder(m, FOLDER_ID_INBOX));
    assert_int_equal(append_text(f, m, FOLDER_ID_JUNK, "spam", 4, 0, true, &uid), 0);
    g_autofree char *large = g_malloc0(100000);
    assert_int_equal(append_text(f, m, FOLDER_ID_TRASH, large, 100000, 0, true, &uid), 0);
    assert_int_equal(append_text(f, m, 300, "none", 4, 0, true, &uid), -ENOENT);
    mailbox_unref(m);
    m = open_mailbox(f, ACCOUNT);
    assert_int_equal(mailbox_folder(m, FOLDER_ID_INBOX)->messages, 1);
    assert_int_equal(mailbox_folder(m, FOLDER_ID_JUNK)->messages, 1);
    folder_view *v = view_of_folder(f, m, FOLDER_ID_INBOX);
    assert_int_equal(v->n, 1);
    folder_view_unref(v);
    mailbox_unref(m);
}

static void on_watch(mailbox *m, uint32_t folder, void *data)
{
    g_string_append_printf(data, "%u ", folder);
}

static void watches_are_told(void **state)
{
    fixture *f = *state;
    mailbox *m = open_mailbox(f, ACCOUNT);
    GString *log = g_string_new("");
    mailbox_watch *w = mailbox_watch_add(m, on_watch, log);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "x", 1, 0, false, NULL), 0);
    folder_view_unref(view_of_folder(f, m, FOLDER_ID_INBOX));
    uint32_t *uids;
    assert_int_equal(COMMIT(f, mailbox_copy(m, FOLDER_ID_INBOX, (uint32_t[]) { 1 }, 1, FOLDER_ID_TRASH, true, on_commit, o, &uids)), 0);
    g_free(uids);
    assert_int_equal(COMMIT(f, mailbox_create_folder(m, "new", 0, on_commit, o, NULL)), 0);
    mailbox_watch_remove(w);
    assert_int_equal(append_text(f, m, FOLDER_ID_INBOX, "x", 1, 0, false, NULL), 0);
    assert_string_equal(log->str, "2 3 2 0 ");
    g_string_free(log, TRUE);
    mailbox_unref(m);
}

static void bad_accounts_are_refused(void **state)
{
    fixture *f = *state;
    assert_null(mailbox_open_header(f->shard, "", "x"));
    assert_null(mailbox_open_header(f->shard, "../x", "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(new_mailbox_has_own_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(message_comes_back_after_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(views_do_not_change, setup, teardown),
        cmocka_unit_test_setup_teardown(views_are_compared, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_and_keywords, setup, teardown),
        cmocka_unit_test_setup_teardown(copy_and_move, setup, teardown),
        cmocka_unit_test_setup_teardown(expunge_frees_quota_and_blob, setup, teardown),
        cmocka_unit_test_setup_teardown(folders, setup, teardown),
        cmocka_unit_test_setup_teardown(inbox_is_renamed_by_moving, setup, teardown),
        cmocka_unit_test_setup_teardown(cold_delivery_and_junk, setup, teardown),
        cmocka_unit_test_setup_teardown(watches_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_accounts_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
