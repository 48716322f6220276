/* A shard below a temporary folder, driven step by step: each call runs the loop
 * until its callback came, so that a test reads as a list of actions. */
#ifndef MAILSTEAD_TEST_STORE_FIXTURE_H
#define MAILSTEAD_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

#include "agents/store/shard/mailbox.h"

typedef struct {
    char *dir, *store, *redolog, *db;
    sd_event *event;
    shard *shard;
    shard_config config;
} fixture;

#define ACCOUNT "6a1b0c9e-0000-4000-8000-000000000001"

fixture *fixture_new(void);
void fixture_free(fixture *f);
void fixture_open(fixture *f);          /* fails the test when it cannot */
void fixture_close(fixture *f);
void fixture_reopen(fixture *f);
/* A copy of the files as they are now, as a kill would leave them. */
fixture *fixture_copy(const fixture *f);
void fixture_run(fixture *f, const int *waiting);  /* runs the loop while it is 1 */

mailbox *open_mailbox(fixture *f, const char *account_id);
folder_view *view_of_folder(fixture *f, mailbox *m, uint32_t folder);
/* Appends TEXT; by descriptor when BY_FD. Returns the callback's result. */
int append_text(fixture *f, mailbox *m, uint32_t folder, const char *text, size_t len, unsigned flags, bool by_fd, uint32_t *ret_uid);
char *blob_text(fixture *f, mailbox *m, uint32_t item, size_t *ret_len);    /* NULL: none */
char *summary_text(fixture *f, mailbox *m, uint32_t item);

/* For calls that take a commit_cb: WAITING is 1 until it came. */
typedef struct { int waiting, result; } outcome;
void on_commit(int r, void *data);
int settled(fixture *f, int r, outcome *o);    /* R refused: R; else runs until the callback */

#endif
