/* After activation: a service that came up and answered is watched for a while.
 * One that fails, or that systemd has to restart again and again, gets its
 * last good generation back. A folder that failed several times in a row waits
 * before it is tried once more, so that no service is restarted for ever. */
#include "configd/engine-internal.h"

#include <string.h>

#include "lib/journal/journal.h"

#define PROBATION_USEC (15 * G_USEC_PER_SEC)
#define LOOK_EACH_USEC (G_USEC_PER_SEC)
#define RESTARTS_TOLERATED 1     /* a crash alone is no proof against the files */
#define FAILURES_TOLERATED 3
#define WAIT_FIRST_S 30
#define WAIT_MAX_S 300

/* ---- failures in a row ---- */

typedef struct {
    unsigned count;
    gint64 not_before;       /* monotonic usec */
} failure_run;

void health_note_failure(engine *e, const char *folder)
{
    failure_run *f = g_hash_table_lookup(e->failures, folder);
    if (!f) {
        f = g_new0(failure_run, 1);
        g_hash_table_insert(e->failures, g_strdup(folder), f);
    }
    f->count++;
    if (f->count < FAILURES_TOLERATED)
        return;
    unsigned wait_s = MIN(WAIT_FIRST_S << MIN(f->count - FAILURES_TOLERATED, 10U), WAIT_MAX_S);
    f->not_before = g_get_monotonic_time() + wait_s * G_USEC_PER_SEC;
    journal_alert(LOG_ERR, "config-failed", "%s: %u changes in a row did not come up; the next one waits %u s (zmconfigctl rewrite %s does not)",
                  folder, f->count, wait_s, folder);
}

void health_note_success(engine *e, const char *folder)
{
    g_hash_table_remove(e->failures, folder);
}

unsigned health_wait_s(engine *e, const char *folder)
{
    const failure_run *f = g_hash_table_lookup(e->failures, folder);
    gint64 left = f ? f->not_before - g_get_monotonic_time() : 0;
    return left > 0 ? left / G_USEC_PER_SEC + 1 : 0;
}

/* ---- probation ---- */

typedef struct {
    char *folder;
    int number, previous;
    int run;                 /* whose record says it is good */
    char **keys;             /* behind the change */
    char **units;
    unsigned *restarts;      /* of each unit when it came up */
    gint64 look_at, until;   /* monotonic usec */
} probation;

static void probation_free(probation *p)
{
    g_free(p->folder);
    g_strfreev(p->keys);
    g_strfreev(p->units);
    g_free(p->restarts);
    g_free(p);
}

static void drop(engine *e, const char *folder)
{
    for (guint i = e->probation->len; i-- > 0;)
        if (g_str_equal(((probation *) e->probation->pdata[i])->folder, folder))
            g_ptr_array_remove_index_fast(e->probation, i);
}

void health_watch(engine *e, const change *c)
{
    drop(e, c->folder->name);
    if (!c->units || !*c->units || c->action == PLAN_NONE || c->previous < 0 || c->previous == c->number)
        return;
    probation *p = g_new0(probation, 1);
    p->folder = g_strdup(c->folder->name);
    p->number = c->number;
    p->previous = c->previous;
    p->run = e->record->number;
    p->keys = g_strdupv(c->keys);
    p->units = g_strdupv(c->units);
    p->restarts = g_new0(unsigned, g_strv_length(p->units));
    for (guint i = 0; p->units[i]; i++)
        (void) e->units.restarts(e->units.data, p->units[i], &p->restarts[i], NULL);   /* unknown: none */
    p->look_at = g_get_monotonic_time() + LOOK_EACH_USEC;
    p->until = g_get_monotonic_time() + PROBATION_USEC;
    g_ptr_array_set_free_func(e->probation, (GDestroyNotify) probation_free);
    g_ptr_array_add(e->probation, p);
}

gint64 health_due(const engine *e)
{
    gint64 due = 0;
    for (guint i = 0; i < e->probation->len; i++) {
        const probation *p = e->probation->pdata[i];
        due = due ? MIN(due, p->look_at) : p->look_at;
    }
    return due;
}

/* What is wrong with a unit of P; NULL: nothing. */
static char *complaint_of(engine *e, const probation *p)
{
    for (guint i = 0; p->units[i]; i++) {
        unsigned now = p->restarts[i];
        g_autofree char *state = e->units.state(e->units.data, p->units[i], NULL);
        if (state && g_str_equal(state, "failed"))
            return g_strdup_printf("%s failed after it had come up", p->units[i]);
        if (state && e->units.restarts(e->units.data, p->units[i], &now, NULL) && now > p->restarts[i] + RESTARTS_TOLERATED)
            return g_strdup_printf("%s does not stay up: %u restarts since the change", p->units[i], now - p->restarts[i]);
    }
    return NULL;
}

/* The run that called P good says otherwise from now on. */
static void correct_record(engine *e, const probation *p, const char *reason)
{
    g_autoptr(history_record) r = history_find(&e->store, p->run);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; r && i < r->parts->len; i++) {
        history_part *part = r->parts->pdata[i];
        if (!g_str_equal(part->folder, p->folder))
            continue;
        part->state = PART_FAILED;
        g_free(part->reason);
        part->reason = g_strdup(reason);
    }
    if (r && !history_write(&e->store, r, &error))
        journal_warning("%s", error->message);
}

static void condemn(engine *e, const probation *p, const char *reason)
{
    const plan_folder *folder = plan_find(e->plan, p->folder);
    if (!folder || generation_live(&e->store, p->folder) != p->number)
        return;
    change *c = change_new(folder);
    c->number = p->number;
    c->previous = p->previous;
    c->keys = g_strdupv(p->keys);
    c->units = g_strdupv(p->units);
    c->files = g_ptr_array_new_with_free_func(g_free);
    correct_record(e, p, reason);
    apply_turn_back(e, c, reason);
    (void) intent_clear(&e->store, NULL);     /* a left-over one is finished at the next start */
    change_free(c);
}

void health_check(engine *e)
{
    gint64 now = g_get_monotonic_time();
    if (e->units.stopping(e->units.data)) {      /* everything ends now, somehow */
        g_ptr_array_set_size(e->probation, 0);
        return;
    }
    for (guint i = e->probation->len; i-- > 0;) {
        probation *p = e->probation->pdata[i];
        if (now < p->look_at)
            continue;
        g_autofree char *reason = complaint_of(e, p);
        p->look_at = now + LOOK_EACH_USEC;
        if (reason) {
            condemn(e, p, reason);
        } else if (now < p->until) {
            continue;
        }
        g_ptr_array_remove_index_fast(e->probation, i);
    }
}
