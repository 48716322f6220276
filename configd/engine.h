/* The engine: values in, generations and actions out (design §4).
 *
 * A run has two stages. update(): for each folder that depends on what changed,
 * render, compare, write a candidate, validate; then one intent record and one
 * turn of a link per accepted folder. apply(): act on the units, confirm, and on
 * failure turn back. The intent stays until apply() is through, so a start after
 * a crash knows what was under way. Folders are independent: one that is refused
 * does not hold up the others.
 *
 * One thread uses an engine; every call may block. */
#ifndef MAILSTEAD_CONFIGD_ENGINE_H
#define MAILSTEAD_CONFIGD_ENGINE_H

#include "configd/facts.h"
#include "configd/generation.h"
#include "configd/history.h"
#include "configd/plan.h"
#include "configd/units.h"

typedef struct engine engine;

/* Takes over UNITS. The plan is read at once. Fails while another engine works on
 * the same folders. */
engine *engine_new(const layout *l, unit_driver units, GError **error);
void engine_free(engine *e);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(engine, engine_free)

generation_store *engine_store(engine *e);
const plan *engine_plan(const engine *e);
/* Reads templates and table again; on error the old plan stays. */
bool engine_reload_plan(engine *e, GError **error);

/* Before the first update: finishes what a crash interrupted (the units are
 * acted on by the next apply()), removes orphans. */
bool engine_recover(engine *e, GError **error);
/* True when a folder has a live generation: something to run on without LDAP. */
bool engine_has_live(const engine *e);

/* VALUES is taken over and becomes what the next update is compared with.
 * FORCED (may be NULL): folder names to render whatever changed. False (with
 * error): a folder was refused or could not be written; the others went on. */
bool engine_update(engine *e, facts *values, char **forced, const char *trigger, GError **error);
/* False: a folder was turned back, or (no generation before) left failed. */
bool engine_apply(engine *e, GError **error);

/* Turns each folder to its generation at N and holds it there until resumed. */
bool engine_rollback(engine *e, int n, GError **error);
/* NAMES empty: all held folders. The next update renders them again. */
bool engine_resume(engine *e, char **names, GError **error);

/* commit-confirm: unless confirmed within MINUTES, every folder goes back to what
 * it has now and is held. The text says so to the administrator; caller frees. */
char *engine_trial_begin(engine *e, guint64 minutes, GError **error);
bool engine_trial_confirm(engine *e, GError **error);
/* Line for the status, NULL when none is under way; caller frees. */
char *engine_trial_text(const engine *e);

/* Monotonic usec at which engine_tick() has something to do; 0: nothing. */
gint64 engine_next_due(const engine *e);
/* Does what is due by itself: the end of a trial, the watch over services that
 * were activated lately. True: an update is due too (something could not be
 * written, or waited). */
bool engine_tick(engine *e);

/* The values of the last update; NULL before. */
const facts *engine_values(const engine *e);

/* ---- looking (engine-view.c); texts for an administrator, caller frees ---- */

char *engine_status(engine *e);
char *engine_history(engine *e, guint max);
/* Unified differences of generations A and B, of all folders. */
char *engine_diff(engine *e, int a, int b, GError **error);
/* What an update to VALUES would change and do. */
char *engine_dry_run(engine *e, const facts *values, GError **error);
/* The rendered files of NAME (folder or service); the second form needs no engine. */
char *engine_render(engine *e, const char *name, const facts *values, GError **error);
char *engine_show(const plan *p, const layout *l, const char *name, const facts *values, GError **error);

#define ENGINE_ERROR (engine_error_quark())
GQuark engine_error_quark(void);
enum { ENGINE_ERROR_REFUSED, ENGINE_ERROR_FAILED, ENGINE_ERROR_UNKNOWN };

#endif
