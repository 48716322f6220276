/* The way through the wizard: see interview.h. */
#include "wizard/interview.h"

#include <signal.h>

#include "wizard/apply.h"

static volatile sig_atomic_t interrupted;

bool front_interrupted(void)
{
    return interrupted;
}

static void on_signal(int number)
{
    interrupted = 1;
}

/* While pages are shown a signal ends the interview; reads see EINTR. */
static void watch_signals(bool asking)
{
    struct sigaction act = { .sa_handler = asking ? on_signal : SIG_IGN };
    static const int numbers[] = { SIGINT, SIGHUP };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        (void) sigaction(numbers[i], &act, NULL);       /* fails for no number of these */
    act.sa_handler = asking ? on_signal : SIG_DFL;
    (void) sigaction(SIGTERM, &act, NULL);
    act.sa_handler = SIG_IGN;                           /* a closed window ends no step */
    (void) sigaction(SIGPIPE, &act, NULL);
}

/* True: all pages were answered. */
static bool ask_pages(const front *f, draft *d, const page *pages, size_t n)
{
    for (size_t i = 0; i < n; ) {
        front_move move = f->ask(d, &pages[i], i + 1, n);
        if (move == MOVE_LEAVE)
            return false;
        if (move == MOVE_NEXT)
            i++;
        else if (i > 0)
            i--;
    }
    return true;
}

/* The page a problem ("[section] key …") belongs to; 0 when to none. */
static size_t page_of(const char *problem, const page *pages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < pages[i].n; k++) {
            const question *q = &pages[i].questions[k];
            g_autofree char *head = g_strdup_printf("[%s] %s", q->section, q->key);
            if (g_str_has_prefix(problem, head))
                return i;
        }
    return 0;
}

/* The answers to apply, NULL to leave. Answers that no longer go together (the
 * domain was changed, the address not) lead back to their page. */
static answers *review(const front *f, draft *d, const page *pages, size_t n)
{
    static const char *const go_on[] = { "Change it", NULL };
    for (;;) {
        int chosen = f->review(d, pages, n);
        g_autoptr(GError) error = NULL;
        answers *a = NULL;
        if (chosen < 0)
            return NULL;
        if ((size_t) chosen == n) {
            if ((a = draft_finish(d, &error)))
                return a;
            g_auto(GStrv) problems = g_strsplit(error->message, "\n", 2);
            if (f->choose("Not yet", problems[0], go_on) < 0)
                return NULL;
            chosen = (int) page_of(problems[0], pages, n);
        }
        if (f->ask(d, &pages[chosen], (size_t) chosen + 1, n) == MOVE_LEAVE)
            return NULL;
    }
}

typedef enum { AFTER_DONE, AFTER_AGAIN, AFTER_REVIEW, AFTER_LEAVE } aftermath;

static aftermath after_failure(const front *f, const GError *error)
{
    static const char *const choices[] = { "Try again", "Review the answers", "Leave", NULL };
    static const aftermath meaning[] = { AFTER_AGAIN, AFTER_REVIEW, AFTER_LEAVE };
    g_autofree char *text = g_strdup_printf("%s\n\nWhat is done is kept: it goes on where it stopped.", error->message);
    int chosen = f->choose("Set-up stopped", text, choices);
    return chosen < 0 ? AFTER_LEAVE : meaning[chosen];
}

static aftermath carry_out(const front *f, draft *d, const answers *a)
{
    g_autoptr(GError) error = NULL;
    watch_signals(false);
    setup_result result = apply(a, f->show, &error);
    watch_signals(true);
    if (result == SETUP_OTHER_ANSWERS)
        g_set_error(&error, SETUP_ERROR, SETUP_ERROR_FAILED, "this host is set up already, with other answers");
    if (result == SETUP_FAILED || result == SETUP_OTHER_ANSWERS)
        return after_failure(f, error);
    if (!draft_remove(d, &error))
        return after_failure(f, error);
    static const char *const enough[] = { "OK", NULL };
    g_autofree char *text = g_strdup_printf("%s is set up. Mail for %s is taken from now on; the administrator is %s.",
                                            a->host_name, a->domain_name, a->admin_address);
    (void) f->choose("Done", text, enough);
    return AFTER_DONE;
}

/* A set-up that was cut short goes on without questions, if its answers are whole. */
static answers *begin(const front *f, draft *d, const page *pages, size_t n)
{
    static const char *const interrupted_choices[] = { "Go on with it", "Review the answers", NULL };
    size_t done = 0;
    g_autoptr(answers) kept = draft_finish(d, NULL);
    if (kept && apply_state(&done, NULL) == PROGRESS_PARTLY) {
        g_autofree char *text = g_strdup_printf("Set-up of %s was interrupted after %zu steps.", kept->host_name, done);
        int chosen = f->choose("Interrupted set-up", text, interrupted_choices);
        return chosen < 0 ? NULL : chosen == 0 ? g_steal_pointer(&kept) : review(f, d, pages, n);
    }
    if (!kept && !ask_pages(f, d, pages, n))
        return NULL;
    return review(f, d, pages, n);
}

static interview_result converse(const front *f, draft *d)
{
    size_t n;
    const page *pages = question_pages(&n);
    g_autoptr(answers) a = begin(f, d, pages, n);
    while (a) {
        switch (carry_out(f, d, a)) {
        case AFTER_DONE:
            return INTERVIEW_SET_UP;
        case AFTER_LEAVE:
            return INTERVIEW_LEFT;
        case AFTER_REVIEW:
            g_clear_pointer(&a, answers_free);
            a = review(f, d, pages, n);
            break;
        case AFTER_AGAIN:
            break;
        }
    }
    return INTERVIEW_LEFT;
}

interview_result interview(const front *f, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (apply_state(NULL, &reason) == PROGRESS_COMPLETE)
        g_set_error(&reason, SETUP_ERROR, SETUP_ERROR_FAILED,
                    "this host is set up already; change settings with zmprov and zmlocalconfig");
    if (reason) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return INTERVIEW_FAILED;
    }
    g_autoptr(draft) d = draft_open(DRAFT_PATH);
    watch_signals(true);
    f->open();
    interview_result result = converse(f, d);
    f->close();
    return result;
}
