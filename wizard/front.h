/* A front end of the wizard: how pages are shown and answered. interview.c knows
 * what is asked next, a front end knows a screen. */
#ifndef MAILSTEAD_WIZARD_FRONT_H
#define MAILSTEAD_WIZARD_FRONT_H

#include "wizard/questions.h"
#include "wizard/setup.h"

typedef enum { MOVE_NEXT, MOVE_BACK, MOVE_LEAVE } front_move;

typedef struct {
    void (*open)(void);
    void (*close)(void);                        /* leaves the terminal as it was */
    /* Asks all questions of P; each answer is checked and kept in D at once. */
    front_move (*ask)(draft *d, const page *p, size_t number, size_t total);
    /* TEXT, and one of CHOICES (NULL-terminated); the index, or -1 to leave. */
    int (*choose)(const char *title, const char *text, const char *const *choices);
    /* What was answered, by pages: the page to change, N to apply, -1 to leave. */
    int (*review)(draft *d, const page *pages, size_t n);
    /* Progress of the steps, as setup_show_fn. */
    setup_show_fn show;
} front;

extern const front front_plain, front_newt;

/* Newt needs a terminal it can draw on, of 80 by 24 or more. */
bool front_newt_fits(void);

/* Set by a signal that ends the interview (SIGINT, SIGTERM, SIGHUP): whoever waits
 * for input returns MOVE_LEAVE or -1. */
bool front_interrupted(void);

#endif
