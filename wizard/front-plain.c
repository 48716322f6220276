/* The wizard in numbered lines: for a terminal that cannot draw, a screen reader,
 * a slow serial line. Nothing but text, line ends and prompts is written. */
#include "wizard/front.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 4096, WIDTH = 78 };

static void start(void)
{
    puts("Mailstead set-up\n\nType an answer and press Enter; Enter alone takes what stands in brackets.\n"
         "?  explains the question    <  goes back    quit  leaves (answers are kept)");
}

static void finish(void)
{
}

/* TEXT in lines of WIDTH. */
static void print_wrapped(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " ", -1);
    size_t column = 0;
    for (char **word = words; *word; word++) {
        size_t len = strcspn(*word, "\n");
        if (column && column + 1 + len > WIDTH) {
            putchar('\n');
            column = 0;
        }
        printf("%s%s", column ? " " : "", *word);
        column = (*word)[len] ? strlen(*word) - len : column + len + 1;
    }
    putchar('\n');
}

/* A line of input without its end; NULL: end of file, interrupted, or too long.
 * Caller frees. */
static char *read_line(bool secret)
{
    char buffer[LINE_MAX_LEN];
    struct termios shown, hidden;
    bool hide = secret && tcgetattr(STDIN_FILENO, &shown) == 0;
    (void) fflush(stdout);
    if (hide) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t) ECHO;
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &hidden);
    }
    char *got = front_interrupted() ? NULL : fgets(buffer, sizeof buffer, stdin);
    if (hide) {
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &shown);
        putchar('\n');
    }
    if (!got || !strchr(buffer, '\n'))
        return NULL;
    buffer[strcspn(buffer, "\r\n")] = '\0';
    char *line = g_strdup(buffer);
    explicit_bzero(buffer, sizeof buffer);
    return line;
}

static void print_choices(const question *q)
{
    g_auto(GStrv) all = q->choices ? q->choices() : NULL;
    g_autofree char *text = all ? g_strjoinv(" ", all) : NULL;
    if (text)
        print_wrapped(text);
}

static void explain(const question *q)
{
    print_wrapped(q->help);
    print_choices(q);
}

/* The second time a password is typed; false: it was another. */
static bool typed_again(const question *q, const char *value)
{
    printf("%s, again: ", q->label);
    g_autofree char *again = read_line(true);
    return again && g_str_equal(again, value);
}

/* What LINE answers: itself, or for an empty one what stands in brackets. */
static char *answer_of(const char *line, const char *standing)
{
    return g_strdup(*line ? line : standing);
}

static bool is_kept_secret(const question *q, const char *line, const char *standing)
{
    return q->kind == QUESTION_SECRET && !*line && *standing;
}

/* True: answered. False: say it again. */
static bool take(draft *d, const question *q, const char *line, const char *standing)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *value = answer_of(line, standing), *reason = question_check(q, d, value);
    if (reason) {
        print_wrapped(reason);
        return false;
    }
    if (q->kind == QUESTION_SECRET && *value && !is_kept_secret(q, line, standing) && !typed_again(q, value)) {
        puts("The two are not the same.");
        return false;
    }
    if (!draft_set(d, q->section, q->key, value, &error)) {
        print_wrapped(error->message);
        return false;
    }
    return true;
}

static void prompt(const question *q, const char *standing)
{
    if (q->kind != QUESTION_SECRET && !*standing)
        printf("%s: ", q->label);
    else if (q->kind != QUESTION_SECRET)
        printf("%s [%s]: ", q->label, standing);
    else
        printf("%s [%s]: ", q->label, *standing ? "as given" : q->optional ? "the administrator's" : "not shown");
}

static front_move ask_one(draft *d, const question *q)
{
    for (;;) {
        g_autofree char *standing = question_value(q, d);
        prompt(q, standing);
        g_autofree char *line = read_line(q->kind == QUESTION_SECRET);
        if (!line || g_str_equal(line, "quit"))
            return MOVE_LEAVE;
        if (g_str_equal(line, "<"))
            return MOVE_BACK;
        if (g_str_equal(line, "?"))
            explain(q);
        else if (take(d, q, line, standing))
            return MOVE_NEXT;
    }
}

static front_move ask(draft *d, const page *p, size_t number, size_t total)
{
    printf("\n%zu of %zu: %s\n", number, total, p->title);
    for (size_t i = 0; i < p->n; ) {
        front_move move = ask_one(d, &p->questions[i]);
        if (move == MOVE_LEAVE || (move == MOVE_BACK && i == 0))
            return move;
        if (move == MOVE_NEXT)
            i++;
        else
            i--;
    }
    return MOVE_NEXT;
}

/* A number from 1 to N, or one of the words; -1 to leave. */
static int read_choice(int n, const char *word, int meaning)
{
    for (;;) {
        guint64 number;
        if (word)
            printf("Number, or %s: ", word);
        else
            printf("Number: ");
        g_autofree char *line = read_line(false);
        if (!line || g_str_equal(line, "quit"))
            return -1;
        if (word && g_str_equal(line, word))
            return meaning;
        if (g_ascii_string_to_unsigned(line, 10, 1, (guint64) n, &number, NULL))
            return (int) number - 1;
        printf("Wanted: a number from 1 to %d%s%s, or quit\n", n, word ? ", " : "", word ? word : "");
    }
}

static int wait_for_enter(const char *what)
{
    printf("%s (Enter): ", what);
    g_autofree char *line = read_line(false);
    return line && !g_str_equal(line, "quit") ? 0 : -1;
}

static int choose(const char *title, const char *text, const char *const *choices)
{
    int n = 0;
    printf("\n%s\n", title);
    print_wrapped(text);
    if (!choices[1])
        return wait_for_enter(choices[0]);
    for (; choices[n]; n++)
        printf("%2d  %s\n", n + 1, choices[n]);
    return read_choice(n, NULL, 0);
}

static int review(draft *d, const page *pages, size_t n)
{
    puts("\nThese are the answers. A number changes one; apply sets the host up.");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < pages[i].n; k++) {
            g_autofree char *shown = question_shown(&pages[i].questions[k], d);
            char number[8] = "  ";
            if (k == 0)
                (void) g_snprintf(number, sizeof number, "%2zu", i + 1);
            printf("%s  %-16s %s\n", number, pages[i].questions[k].label, shown);
        }
    return read_choice((int) n, "apply", (int) n);
}

static void show(step_event event, size_t number, size_t total, const char *text)
{
    switch (event) {
    case STEP_BEGINS: printf("[%2zu/%zu] %s ... ", number, total, text); break;
    case STEP_TELLS: printf(" %s", text); break;
    case STEP_DONE: puts(" done"); break;
    case STEP_DONE_BEFORE: puts(" done before"); break;
    case STEP_FAILED: puts(" failed"); break;
    }
    (void) fflush(stdout);
}

const front front_plain = {
    .open = start, .close = finish, .ask = ask, .choose = choose, .review = review, .show = show,
};
