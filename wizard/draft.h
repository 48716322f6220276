/* Answers that are being given: kept on disk from the first one, so that a wizard
 * that was cut short goes on where it stood, and gone once the host is set up.
 *
 * The file is an answer file, 0600, replaced atomically: it holds passwords. */
#ifndef MAILSTEAD_WIZARD_DRAFT_H
#define MAILSTEAD_WIZARD_DRAFT_H

#include <glib.h>
#include <stdbool.h>

#include "wizard/answers.h"

#define DRAFT_PATH PREFIX "/data/setup.answers"

typedef struct draft draft;

/* Reads PATH; one that is absent or cannot be parsed is an empty draft. */
draft *draft_open(const char *path);
void draft_free(draft *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(draft, draft_free)

bool draft_is_empty(const draft *d);
/* Caller frees; NULL: not given yet. */
char *draft_get(const draft *d, const char *section, const char *key);
/* What is wrong with VALUE beside the answers given so far; NULL: nothing. Caller
 * frees. A value with a line break never fits. */
char *draft_check(const draft *d, const char *section, const char *key, const char *value);
/* Takes a value that fits and saves; an empty one takes the answer back. */
bool draft_set(draft *d, const char *section, const char *key, const char *value, GError **error);

/* The answers, if they are complete. */
answers *draft_finish(const draft *d, GError **error);
/* Set-up is done: nothing is kept. */
bool draft_remove(draft *d, GError **error);

#endif
