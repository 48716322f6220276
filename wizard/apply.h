/* Running the set-up with given answers: what the front ends share. */
#ifndef MAILSTEAD_WIZARD_APPLY_H
#define MAILSTEAD_WIZARD_APPLY_H

#include "wizard/setup.h"

/* One set-up at a time. False: another runs (OWNER, to be freed, says where), or
 * the lock cannot be made (OWNER NULL). The lock goes with the process. */
bool apply_lock(char **ret_owner);

setup_result apply(const answers *a, setup_show_fn show, GError **error);

/* How far the set-up on this host is: COMPLETE, NONE, or PARTLY (with the number of
 * steps that are done). */
typedef enum { PROGRESS_NONE, PROGRESS_PARTLY, PROGRESS_COMPLETE } apply_progress;
apply_progress apply_state(size_t *ret_done, GError **error);

#endif
