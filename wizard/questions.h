/* What the interactive front ends ask: one table for all of them. */
#ifndef MAILSTEAD_WIZARD_QUESTIONS_H
#define MAILSTEAD_WIZARD_QUESTIONS_H

#include "wizard/draft.h"

typedef enum {
    QUESTION_TEXT,
    QUESTION_SECRET,            /* typed twice, never shown */
    QUESTION_ONE_OF,            /* out of choices() */
    QUESTION_SOME_OF,           /* names out of choices(), parted by commas */
} question_kind;

typedef struct {
    const char *section, *key;  /* of the answer file */
    const char *label;          /* at most 24 columns */
    const char *help;           /* what it is for, and what is typical */
    question_kind kind;
    bool optional;              /* may stay empty */
    char *(*suggest)(const draft *d);   /* NULL: none; its result, too. Caller frees */
    char **(*choices)(void);    /* caller frees */
} question;

typedef struct {
    const char *title;
    const question *questions;
    size_t n;
} page;

const page *question_pages(size_t *ret_n);

/* The answer given, else the suggestion, else "". Caller frees. */
char *question_value(const question *q, const draft *d);
/* Is VALUE an answer? NULL, or the reason; caller frees. */
char *question_check(const question *q, const draft *d, const char *value);
/* As the review shows it: secrets are not. Caller frees. */
char *question_shown(const question *q, const draft *d);

#endif
