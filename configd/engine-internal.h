/* What the engine's files share: engine.c (a run up to its candidates), turn.c
 * (intent and links), apply.c (units), recover.c (after a crash), rollback.c
 * (going back), trial.c (commit-confirm), health.c (after activation),
 * engine-view.c (looking). */
#ifndef MAILSTEAD_CONFIGD_ENGINE_INTERNAL_H
#define MAILSTEAD_CONFIGD_ENGINE_INTERNAL_H

#include "configd/engine.h"

struct trial;

struct engine {
    const layout *l;
    int lock;               /* held while the engine lives; -1 none */
    generation_store store;
    unit_driver units;
    plan *plan;
    facts *values;
    GHashTable *held;       /* folder names */
    GHashTable *resumed;    /* folder names to render again */
    GHashTable *bad;        /* folder -> bad_generation */
    GHashTable *failures;   /* folder -> failure_run */
    GPtrArray *pending;     /* change: live, units not yet acted on */
    GPtrArray *probation;   /* activated lately, still watched (health.c) */
    struct trial *trial;    /* NULL: none under way */
    history_record *record; /* of the run under way */
    gint64 retry_at;        /* monotonic usec of the next attempt; 0: nothing waits */
    char *unwritable;       /* what could not be written, told once */
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
    bool unwritten;         /* REASON is the disk's, not the candidate's */
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
/* Tells once that WHAT could not be written, and tries again later. */
void engine_unwritable(engine *e, const char *what);
/* Asks for an update SECONDS from now, at the latest. */
void engine_retry_in(engine *e, unsigned seconds);

/* Renders FOLDER for VALUES. */
rendering *engine_render_folder(const plan *p, const layout *l, const plan_folder *folder, const facts *values, GError **error);
/* The number of the run: *NUMBER, or when that is negative a new one. */
int engine_run_number(engine *e, int *number);
/* The next update renders every folder, whatever changed. */
void engine_look_at_all(engine *e);

/* turn.c: takes the changes of ACCEPTED over into the pending ones and turns their
 * links; on failure no link has turned and the folders are tried again next time. */
bool engine_turn(engine *e, GPtrArray *accepted, int number, GError **error);
/* Turns ACCEPTED as a run of its own, holds its folders, applies. */
bool engine_turn_and_hold(engine *e, GPtrArray *accepted, const char *trigger, GError **error);

/* state.c */
bool engine_save_held(engine *e, GError **error);
void engine_load_held(engine *e);
void engine_save_values(engine *e);
void engine_load_values(engine *e);

/* health.c: C was activated and answers. */
void health_watch(engine *e, const change *c);
/* The folder did not come up once more; or it did. */
void health_note_failure(engine *e, const char *folder);
void health_note_success(engine *e, const char *folder);
/* After several failures the next attempt waits; seconds left. */
unsigned health_wait_s(engine *e, const char *folder);
/* Looks at what is on probation; monotonic usec of the next look, 0 none. */
void health_check(engine *e);
gint64 health_due(const engine *e);

/* apply.c: the intent and the link go back to C's previous generation, its units are
 * restarted; told as an alert. */
void apply_turn_back(engine *e, change *c, const char *reason);

/* trial.c */
void trial_load(engine *e);
void trial_free(struct trial *t);
gint64 trial_due(const engine *e);
/* Ends a trial whose time is over: its folders go back. */
void trial_check(engine *e);

#endif
