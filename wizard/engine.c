/* Runs the steps that are not recorded as done, and records each.
 *
 * Answers that changed since a set-up was cut short (a mistake corrected) begin
 * it again: every step is idempotent. A complete set-up is never begun again:
 * what an administrator changed since would be lost. */
#include "wizard/setup.h"
#include "wizard/state.h"

G_DEFINE_QUARK(mailstead-setup-error, setup_error)

void setup_tell(setup *s, const char *text)
{
    s->show(STEP_TELLS, s->number, s->total, text);
}

directory *setup_directory(setup *s, GError **error)
{
    if (!s->dir)
        s->dir = directory_open(s->lc, DIRECTORY_WRITE, error);
    return s->dir;
}

service_bus *setup_bus(setup *s, GError **error)
{
    if (!s->bus)
        s->bus = service_bus_open(error);
    return s->bus;
}

static size_t count_steps(const setup *s, const setup_step *steps, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += !steps[i].applies || steps[i].applies(s->answers);
    return total;
}

static bool run_step(setup *s, setup_state *state, const setup_step *step, GError **error)
{
    s->number++;
    s->show(STEP_BEGINS, s->number, s->total, step->title);
    bool recorded = state_has(state, step->name);
    if (recorded && !step->transient) {
        s->show(STEP_DONE_BEFORE, s->number, s->total, step->title);
        return true;
    }
    bool before = step->is_done && step->is_done(s);
    if ((!before && !step->run(s, error)) || (!recorded && !state_add(state, step->name, error))) {
        s->show(STEP_FAILED, s->number, s->total, step->title);
        g_prefix_error(error, "%s: ", step->title);
        return false;
    }
    s->show(before ? STEP_DONE_BEFORE : STEP_DONE, s->number, s->total, step->title);
    return true;
}

setup_result setup_run(setup *s, const char *state_path, const setup_step *steps, size_t n, GError **error)
{
    g_autoptr(setup_state) state = state_load(state_path, error);
    if (!state)
        return SETUP_FAILED;
    bool same = state_same_answers(state, s->answers->digest);
    if (state_is_complete(state))
        return same ? SETUP_NOTHING_TO_DO : SETUP_OTHER_ANSWERS;
    if (!same)
        state_restart(state, s->answers->digest);
    s->number = 0;
    s->total = count_steps(s, steps, n);
    for (size_t i = 0; i < n; i++)
        if ((!steps[i].applies || steps[i].applies(s->answers)) && !run_step(s, state, &steps[i], error))
            return SETUP_FAILED;
    return state_complete(state, error) ? SETUP_COMPLETE : SETUP_FAILED;
}
