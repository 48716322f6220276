/* What engine.c, apply.c and engine-view.c share. */
#ifndef MAILSTEAD_CONFIGD_ENGINE_INTERNAL_H
#define MAILSTEAD_CONFIGD_ENGINE_INTERNAL_H

#include "configd/engine.h"

struct engine {
    const layout *l;
    generation_store store;
    unit_driver units;
    plan *plan;
    facts *values;
    GHashTable *held;       /* folder names */
    GHashTable *resumed;    /* folder names to render again */
    GHashTable *bad;        /* folder -> bad_generation */
    GPtrArray *pending;     /* change: live, units not yet acted on */
    history_record *record; /* of the run under way */
};

/* One folder in one run. */
typedef struct {
    const plan_folder *folder;
    rendering *text;
    GPtrArray *files;       /* names that differ from live */
    char **keys;            /* ids behind the change */
    int number, previous;
    plan_action action;
    char **units;           /* those that ran on the old one: to be told */
    char *reason;           /* why it was refused; NULL: accepted */
} change;

change *change_new(const plan_folder *folder);
void change_free(change *c);

/* A folder's last generation that is not live because it is no good. */
typedef struct {
    int number;
    part_state state;
    char *reason;
} bad_generation;

/* Notes which units of C run or failed now, before its link turns: one that is
 * started later reads the new files anyway. */
void change_note_units(engine *e, change *c);

void engine_mark_bad(engine *e, const char *folder, int number, part_state state, const char *reason);

/* Renders FOLDER for VALUES. */
rendering *engine_render_folder(const engine *e, const plan_folder *folder, const facts *values, GError **error);

#endif
