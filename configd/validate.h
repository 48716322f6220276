/* Asks the programs that will read a candidate whether they would. */
#ifndef MAILSTEAD_CONFIGD_VALIDATE_H
#define MAILSTEAD_CONFIGD_VALIDATE_H

#include "configd/generation.h"

/* One folder's candidate and what its commands may use. */
typedef struct {
    const generation_store *store;
    const plan_folder *folder;
    char *candidate;    /* %d */
    char *live;         /* %l */
    char *scratch;      /* %t */
} candidate;

/* Runs the prepare commands on generation N of FOLDER, then the validate
 * commands and checks. The error has the validator's own words. Blocks. */
bool validate_prepare(const generation_store *s, const plan_folder *folder, int n, GError **error);
bool validate_candidate(const generation_store *s, const plan_folder *folder, int n, GError **error);

/* A check that is built in; ARGS follow its name in the table. */
typedef bool (*validate_check)(const candidate *c, char **args, GError **error);

/* check-postfix.c */
bool check_postfix(const candidate *c, char **args, GError **error);

#define VALIDATE_ERROR (validate_error_quark())
GQuark validate_error_quark(void);

#endif
