/* What a set-up has done so far, durable after each step. */
#ifndef MAILSTEAD_WIZARD_STATE_H
#define MAILSTEAD_WIZARD_STATE_H

#include <glib.h>
#include <stdbool.h>

typedef struct setup_state setup_state;

/* PATH not there: nothing done yet. */
setup_state *state_load(const char *path, GError **error);
void state_free(setup_state *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(setup_state, state_free)

bool state_has(const setup_state *state, const char *step);
bool state_is_complete(const setup_state *state);
/* False when steps were recorded with other answers. */
bool state_same_answers(const setup_state *state, const char *digest);
/* Forgets all steps: they are for other answers. */
void state_restart(setup_state *state, const char *digest);
bool state_add(setup_state *state, const char *step, GError **error);
bool state_complete(setup_state *state, GError **error);

#endif
