/* What happened, generation by generation: conf/configd.d/<N>.generation, one
 * GKeyFile each; and conf/configd.d/intent, the run under way. */
#ifndef MAILSTEAD_CONFIGD_HISTORY_H
#define MAILSTEAD_CONFIGD_HISTORY_H

#include "configd/generation.h"

#define HISTORY_KEPT 100

typedef enum {
    PART_GOOD,       /* live, its services confirmed */
    PART_REFUSED,    /* never live: rendering or validation failed */
    PART_FAILED,     /* was live, its services did not come up: rolled back */
} part_state;

typedef struct {
    char *folder;
    part_state state;
    int previous;      /* generation that was live before; -1 none */
    int generation;    /* that was tried: the run's own, but when a run went back */
    char *reason;      /* of refused and failed */
    char **files;      /* that changed */
} history_part;

typedef struct {
    int number;
    gint64 time;       /* seconds */
    char *trigger;     /* "directory", "start", "rollback to 12"… */
    char **keys;       /* fact ids that changed */
    GPtrArray *parts;  /* history_part */
} history_record;

history_record *history_record_new(int number, const char *trigger, char **keys);
void history_record_free(history_record *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(history_record, history_record_free)
/* The part is R's; its generation is R's number until set. */
history_part *history_record_add(history_record *r, const char *folder, part_state state, int previous, const char *reason, char **files);
const char *part_state_name(part_state state);

bool history_write(const generation_store *s, const history_record *r, GError **error);
/* Newest first, at most MAX; unreadable ones are left out. */
GPtrArray *history_read(const generation_store *s, guint max);
/* The record of run NUMBER; NULL none. */
history_record *history_find(const generation_store *s, int number);
/* Drops records beyond HISTORY_KEPT and the generations of P's folders that no
 * record left names: as tried, or as what was live before. */
void history_prune(const generation_store *s, const plan *p);

/* ---- intent ---- */

typedef struct {
    char *folder;
    int target, previous;
    plan_action action;  /* what the folder's units still need */
} intent_turn;

typedef struct {
    int number;
    int attempts;      /* how often a start found it unfinished */
    GPtrArray *turns;  /* intent_turn */
} intent;

intent *intent_new(int number);
void intent_free(intent *i);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(intent, intent_free)
void intent_add(intent *i, const char *folder, int target, int previous, plan_action action);

bool intent_write(const generation_store *s, const intent *i, GError **error);
/* NULL without error: none. */
intent *intent_read(const generation_store *s, GError **error);
bool intent_clear(const generation_store *s, GError **error);

#endif
