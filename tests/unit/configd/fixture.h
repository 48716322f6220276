/* A scratch installation with two folders, and units that remember what was done
 * to them. */
#ifndef MAILSTEAD_TEST_CONFIGD_FIXTURE_H
#define MAILSTEAD_TEST_CONFIGD_FIXTURE_H

#include "configd/engine.h"

typedef struct {
    char *root;
    layout *l;
    GString *log;             /* "reload a.service; restart b.service; " */
    GHashTable *states;       /* unit -> state; absent: active */
    GHashTable *restarts;     /* unit -> number; absent: 0 */
    bool stopping;            /* the host goes down */
    const char *is_stopped;   /* a unit that somebody stops while it is told */
    char *fails;              /* a unit whose next actions leave it failed while alpha.conf holds this text */
} fixture;

void fixture_init(fixture *f);
void fixture_done(fixture *f);
void fixture_write(fixture *f, const char *path, const char *text);
/* Text of a file below the root; NULL when there is none. */
char *fixture_read(fixture *f, const char *path);
unit_driver fixture_units(fixture *f);
engine *fixture_engine(fixture *f);
/* SERVICE:one, and VAR values as "key=value", NULL-terminated. */
facts *fixture_facts(const char *first, ...) G_GNUC_NULL_TERMINATED;

#endif
