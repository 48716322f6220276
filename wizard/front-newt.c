/* The wizard as pages of 80 by 24 (newt). Every page: what it is for, its fields
 * with the reason under a field whose answer does not fit, and buttons. */
#include <newt.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "wizard/front.h"

enum {
    COLUMNS = 80, ROWS = 24,
    WIDTH = 70, LABEL_WIDTH = 24, ENTRY_WIDTH = WIDTH - LABEL_WIDTH - 2, REASON_ROWS = 2,
    FIELDS_MAX = 4, CHOICES_MAX = 32, LIST_ROWS = 9,
    CTRL_C = 3, LOOK_MS = 200,
};

bool front_newt_fits(void)
{
    static const char *const cannot[] = { "dumb", "unknown", "network", "emacs", NULL };
    const char *term = g_getenv("TERM");
    struct winsize size;
    if (!term || !*term || g_strv_contains(cannot, term) || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    /* A serial line knows no size: newt then takes 80 by 24. */
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || (size.ws_col == 0 && size.ws_row == 0) ||
           (size.ws_col >= COLUMNS && size.ws_row >= ROWS);
}

static void start(void)
{
    static char text[] = "red", ground[] = "lightgray";     /* of reasons */
    (void) newtInit();
    newtCls();
    newtSetColor(NEWT_COLORSET_CUSTOM(1), text, ground);
    newtDrawRootText(1, 0, "Mailstead set-up");
    newtPushHelpLine(" Tab: next field   Space: tick   Enter: go on   Esc: back   Ctrl-C: leave");
}

static void finish(void)
{
    (void) newtFinished();
}

/* ---- a form, its buttons, and waiting for one of them ---- */

typedef struct {
    newtComponent form;
    newtComponent buttons[4];
    size_t n;
} dialog;

static void open_dialog(dialog *dlg, int rows, const char *title)
{
    newtCenteredWindow(WIDTH + 2, (unsigned) rows, title);
    *dlg = (dialog) { .form = newtForm(NULL, NULL, 0) };
    newtFormAddHotKey(dlg->form, NEWT_KEY_ESCAPE);
    newtFormAddHotKey(dlg->form, CTRL_C);
    newtFormSetTimer(dlg->form, LOOK_MS);
}

static void add_buttons(dialog *dlg, int row, const char *const *labels)
{
    int x = 1;
    for (; labels[dlg->n] && dlg->n < G_N_ELEMENTS(dlg->buttons); dlg->n++) {
        dlg->buttons[dlg->n] = newtCompactButton(x, row, labels[dlg->n]);
        newtFormAddComponent(dlg->form, dlg->buttons[dlg->n]);
        x += (int) strlen(labels[dlg->n]) + 6;
    }
}

enum { PRESSED_ESCAPE = -1, PRESSED_LEAVE = -2, PRESSED_OTHER = -3 };

/* The number of the button, or how else the form was left. */
static int run_dialog(dialog *dlg)
{
    struct newtExitStruct how;
    for (;;) {
        newtFormRun(dlg->form, &how);
        if (front_interrupted() || how.reason == NEWT_EXIT_ERROR)
            return PRESSED_LEAVE;
        if (how.reason == NEWT_EXIT_HOTKEY)
            return how.u.key == CTRL_C ? PRESSED_LEAVE : how.u.key == NEWT_KEY_ESCAPE ? PRESSED_ESCAPE : PRESSED_OTHER;
        if (how.reason != NEWT_EXIT_COMPONENT)
            continue;                           /* the timer: a signal may have come */
        for (size_t i = 0; i < dlg->n; i++)
            if (how.u.co == dlg->buttons[i])
                return (int) i;
        return PRESSED_OTHER;
    }
}

static void close_dialog(dialog *dlg)
{
    newtFormDestroy(dlg->form);
    newtPopWindow();
}

/* A text box as high as TEXT needs; the row below it. */
static int add_text(dialog *dlg, int row, const char *text)
{
    newtComponent box = newtTextboxReflowed(1, row, (char *) text, WIDTH - 2, 0, 0, 0);
    int rows = newtTextboxGetNumLines(box);
    newtFormAddComponent(dlg->form, box);
    return row + rows;
}

static int rows_of(const char *text)
{
    int width, rows;
    char *folded = newtReflowText((char *) text, WIDTH - 2, 0, 0, &width, &rows);
    free(folded);
    return rows;
}

/* ---- fields ---- */

typedef struct {
    const question *q;
    newtComponent entry, again, list, boxes[CHOICES_MAX], reason;
    const char *typed, *repeated;               /* newt's own */
    char **choices, *standing;
} field;

static int rows_of_field(const question *q)
{
    g_auto(GStrv) choices = q->choices ? q->choices() : NULL;
    switch (q->kind) {
    case QUESTION_ONE_OF: return LIST_ROWS + REASON_ROWS;
    case QUESTION_SOME_OF: return (int) (g_strv_length(choices) + 1) / 2 + REASON_ROWS;
    case QUESTION_SECRET: return 2 + REASON_ROWS;
    case QUESTION_TEXT: break;
    }
    return 1 + REASON_ROWS;
}

static newtComponent add_entry(dialog *dlg, int row, const char *label, const char *value, const char **ret, int flags)
{
    newtComponent input = newtEntry(LABEL_WIDTH + 1, row, value, ENTRY_WIDTH, ret, NEWT_FLAG_SCROLL | NEWT_FLAG_RETURNEXIT | flags);
    newtFormAddComponents(dlg->form, newtLabel(1, row, label), input, NULL);
    return input;
}

/* The list's own pointer to what stands: its keys are compared as pointers. */
static char *standing_key(const field *f)
{
    for (char **c = f->choices; *c; c++)
        if (g_str_equal(*c, f->standing))
            return *c;
    return f->standing;
}

static void add_list(dialog *dlg, int row, field *f)
{
    f->list = newtListbox(LABEL_WIDTH + 1, row, LIST_ROWS, NEWT_FLAG_SCROLL | NEWT_FLAG_RETURNEXIT);
    newtListboxSetWidth(f->list, ENTRY_WIDTH);
    if (!g_strv_contains((const char *const *) f->choices, f->standing))
        (void) newtListboxAppendEntry(f->list, f->standing, f->standing);
    for (char **c = f->choices; *c; c++)
        (void) newtListboxAppendEntry(f->list, *c, *c);
    newtListboxSetCurrentByKey(f->list, standing_key(f));
    newtFormAddComponents(dlg->form, newtLabel(1, row, f->q->label), f->list, NULL);
}

static void add_boxes(dialog *dlg, int row, field *f)
{
    g_auto(GStrv) on = g_strsplit(f->standing, ",", -1);
    int half = (int) (g_strv_length(f->choices) + 1) / 2;
    newtFormAddComponent(dlg->form, newtLabel(1, row, f->q->label));
    for (int i = 0; i < CHOICES_MAX && f->choices[i]; i++) {
        bool ticked = g_strv_contains((const char *const *) on, f->choices[i]);
        f->boxes[i] = newtCheckbox(LABEL_WIDTH + 1 + i / half * 20, row + i % half, f->choices[i], ticked ? '*' : ' ', NULL, NULL);
        newtFormAddComponent(dlg->form, f->boxes[i]);
    }
}

static void add_field(dialog *dlg, int row, field *f, const draft *d)
{
    f->standing = question_value(f->q, d);
    f->choices = f->q->choices ? f->q->choices() : NULL;
    switch (f->q->kind) {
    case QUESTION_ONE_OF: add_list(dlg, row, f); break;
    case QUESTION_SOME_OF: add_boxes(dlg, row, f); break;
    case QUESTION_TEXT: f->entry = add_entry(dlg, row, f->q->label, f->standing, &f->typed, 0); break;
    case QUESTION_SECRET:
        f->entry = add_entry(dlg, row, f->q->label, f->standing, &f->typed, NEWT_FLAG_PASSWORD);
        f->again = add_entry(dlg, row + 1, "the same again", f->standing, &f->repeated, NEWT_FLAG_PASSWORD);
        break;
    }
    int below = row + rows_of_field(f->q) - REASON_ROWS;
    f->reason = newtTextbox(LABEL_WIDTH + 1, below, ENTRY_WIDTH, REASON_ROWS, NEWT_FLAG_WRAP);
    newtTextboxSetColors(f->reason, NEWT_COLORSET_CUSTOM(1), NEWT_COLORSET_CUSTOM(1));
    newtFormAddComponent(dlg->form, f->reason);
}

/* What the field holds; caller frees. */
static char *field_value(const field *f)
{
    if (f->list)
        return g_strdup(newtListboxGetCurrent(f->list));
    if (f->entry)
        return g_strdup(f->typed);
    g_autoptr(GString) names = g_string_new(NULL);
    for (int i = 0; i < CHOICES_MAX && f->choices[i]; i++)
        if (newtCheckboxGetValue(f->boxes[i]) == '*')
            g_string_append_printf(names, "%s%s", names->len ? "," : "", f->choices[i]);
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static newtComponent focus_of(const field *f)
{
    return f->entry ? f->entry : f->list ? f->list : f->boxes[0];
}

/* Keeps what the field holds; else the reason stands under it. */
static bool take_field(dialog *dlg, const field *f, draft *d)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *value = field_value(f), *reason = question_check(f->q, d, value);
    if (!reason && f->again && !g_str_equal(f->typed, f->repeated)) {
        reason = g_strdup("The two are not the same.");
        newtEntrySet(f->entry, "", 1);
        newtEntrySet(f->again, "", 1);
    }
    if (!reason && !draft_set(d, f->q->section, f->q->key, value, &error))
        reason = g_strdup(error->message);
    newtTextboxSetText(f->reason, reason ? reason : "");
    if (reason)
        newtFormSetCurrent(dlg->form, focus_of(f));
    return !reason;
}

static bool take_fields(dialog *dlg, const field *fields, size_t n, draft *d)
{
    for (size_t i = 0; i < n; i++)
        if (!take_field(dlg, &fields[i], d))
            return false;
    return true;
}

/* ---- pages ---- */

static char *help_of(const page *p)
{
    g_autoptr(GString) help = g_string_new(NULL);
    for (size_t i = 0; i < p->n; i++)
        g_string_append_printf(help, "%s%s", i ? " " : "", p->questions[i].help);
    return g_string_free(g_steal_pointer(&help), FALSE);
}

static int rows_of_page(const page *p, const char *help)
{
    int rows = 1 + rows_of(help) + 1;
    for (size_t i = 0; i < p->n; i++)
        rows += rows_of_field(&p->questions[i]);
    return rows + 1;
}

/* Enter in an entry that is not the page's last leads to the next one. */
static bool go_on(dialog *dlg, const field *fields, size_t n, draft *d)
{
    newtComponent at = newtFormGetCurrent(dlg->form);
    for (size_t i = 0; i < n; i++) {
        if (at == fields[i].entry && fields[i].again) {
            newtFormSetCurrent(dlg->form, fields[i].again);
            return true;
        }
        if ((at == fields[i].entry || at == fields[i].again) && i + 1 < n) {
            if (take_field(dlg, &fields[i], d))
                newtFormSetCurrent(dlg->form, focus_of(&fields[i + 1]));
            return true;
        }
    }
    return false;
}

static front_move run_page(dialog *dlg, const field *fields, const page *p, draft *d)
{
    for (;;) {
        int pressed = run_dialog(dlg);
        if (pressed == PRESSED_LEAVE)
            return MOVE_LEAVE;
        if (pressed == PRESSED_ESCAPE || pressed == 1)
            return MOVE_BACK;
        if (pressed == PRESSED_OTHER && go_on(dlg, fields, p->n, d))
            continue;
        if (take_fields(dlg, fields, p->n, d))
            return MOVE_NEXT;
    }
}

static front_move ask(draft *d, const page *p, size_t number, size_t total)
{
    static const char *const buttons[] = { "Next", "Back", NULL };
    dialog dlg;
    field fields[FIELDS_MAX] = { 0 };
    g_autofree char *help = help_of(p), *title = g_strdup_printf("%zu of %zu: %s", number, total, p->title);
    g_assert(p->n <= FIELDS_MAX);
    open_dialog(&dlg, rows_of_page(p, help), title);
    int row = add_text(&dlg, 1, help) + 1;
    for (size_t i = 0; i < p->n; i++) {
        fields[i].q = &p->questions[i];
        add_field(&dlg, row, &fields[i], d);
        row += rows_of_field(fields[i].q);
    }
    add_buttons(&dlg, row, buttons);
    newtFormSetCurrent(dlg.form, fields[0].q->kind == QUESTION_SOME_OF ? dlg.buttons[0] : focus_of(&fields[0]));
    front_move move = run_page(&dlg, fields, p, d);
    close_dialog(&dlg);
    for (size_t i = 0; i < p->n; i++) {
        g_free(fields[i].standing);
        g_strfreev(fields[i].choices);
    }
    return move;
}

static void add_review_lines(newtComponent list, const draft *d, const page *pages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < pages[i].n; k++) {
            g_autofree char *shown = question_shown(&pages[i].questions[k], d);
            bool fits = strlen(shown) <= WIDTH - LABEL_WIDTH;
            g_autofree char *line = g_strdup_printf("%-*s %.*s%s", LABEL_WIDTH - 6, pages[i].questions[k].label,
                                                    fits ? WIDTH : WIDTH - LABEL_WIDTH, shown, fits ? "" : "...");
            (void) newtListboxAppendEntry(list, line, GSIZE_TO_POINTER(i + 1));
        }
}

static int review(draft *d, const page *pages, size_t n)
{
    static const char *const buttons[] = { "Set up", "Change", NULL };
    static const char text[] = "These are the answers. \"Set up\" applies them; Enter on a line, or \"Change\", goes back to its page.";
    dialog dlg;
    int rows = rows_of(text);
    open_dialog(&dlg, rows + LIST_ROWS + 5, "Review");
    (void) add_text(&dlg, 1, text);
    newtComponent list = newtListbox(1, rows + 2, LIST_ROWS, NEWT_FLAG_RETURNEXIT);
    newtListboxSetWidth(list, WIDTH - 2);
    add_review_lines(list, d, pages, n);
    newtFormAddComponent(dlg.form, list);
    add_buttons(&dlg, rows + LIST_ROWS + 3, buttons);
    newtFormSetCurrent(dlg.form, dlg.buttons[0]);
    int pressed = run_dialog(&dlg);
    size_t at = GPOINTER_TO_SIZE(newtListboxGetCurrent(list));
    close_dialog(&dlg);
    if (pressed == PRESSED_LEAVE)
        return -1;
    return pressed == 0 ? (int) n : pressed == PRESSED_ESCAPE ? (int) n - 1 : (int) at - 1;
}

/* ---- progress ---- */

enum { STEPS_MAX = 64, STEPS_SHOWN = 17 };

static struct {
    newtComponent form, labels[STEPS_SHOWN];
    char *lines[STEPS_MAX];
    size_t last;
} progress;

static void open_progress(size_t total)
{
    newtCenteredWindow(WIDTH + 2, (unsigned) MIN(total, STEPS_SHOWN), "Setting up");
    progress.form = newtForm(NULL, NULL, 0);
    for (size_t i = 0; i < MIN(total, STEPS_SHOWN); i++) {
        progress.labels[i] = newtLabel(1, (int) i, "");
        newtFormAddComponent(progress.form, progress.labels[i]);
    }
}

static void close_progress(void)
{
    if (!progress.form)
        return;
    newtFormDestroy(progress.form);
    newtPopWindow();
    for (size_t i = 0; i < STEPS_MAX; i++)
        g_clear_pointer(&progress.lines[i], g_free);
    progress.form = NULL;
    progress.last = 0;
}

/* The last lines, each as wide as the window: what stood there before goes. */
static void draw_progress(void)
{
    size_t first = progress.last > STEPS_SHOWN ? progress.last - STEPS_SHOWN : 0;
    for (size_t i = first; i < progress.last; i++) {
        g_autofree char *line = g_strdup_printf("%-*.*s", WIDTH - 2, WIDTH - 2, progress.lines[i] ? progress.lines[i] : "");
        newtLabelSetText(progress.labels[i - first], line);
    }
    newtDrawForm(progress.form);
    newtRefresh();
}

static void show(step_event event, size_t number, size_t total, const char *text)
{
    static const char *const ends[] = { [STEP_DONE] = " done", [STEP_DONE_BEFORE] = " done before", [STEP_FAILED] = " failed" };
    if (!progress.form)
        open_progress(total);
    char **line = &progress.lines[MIN(number, STEPS_MAX) - 1], *old = *line;
    if (event == STEP_BEGINS)
        *line = g_strdup_printf("[%2zu/%zu] %s ...", number, total, text);
    else
        *line = g_strdup_printf("%s%s%s", old ? old : "", event == STEP_TELLS ? " " : "", event == STEP_TELLS ? text : ends[event]);
    g_free(old);
    progress.last = MAX(progress.last, MIN(number, STEPS_MAX));
    draw_progress();
}

static int choose(const char *title, const char *text, const char *const *choices)
{
    dialog dlg;
    close_progress();
    int rows = rows_of(text);
    open_dialog(&dlg, MIN(rows, ROWS - 8) + 3, title);
    (void) add_text(&dlg, 1, text);
    add_buttons(&dlg, MIN(rows, ROWS - 8) + 2, choices);
    newtFormSetCurrent(dlg.form, dlg.buttons[0]);
    int pressed;
    do
        pressed = run_dialog(&dlg);
    while (pressed == PRESSED_OTHER || pressed == PRESSED_ESCAPE);
    close_dialog(&dlg);
    return pressed == PRESSED_LEAVE ? -1 : pressed;
}

const front front_newt = {
    .open = start, .close = finish, .ask = ask, .choose = choose, .review = review, .show = show,
};
