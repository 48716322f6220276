/* What zmalertd keeps on disk, below one folder:
 *   state            key file: conditions, cursors, how far mail has gone out
 *   N.alert          alert number N in lib/alert's text form
 * The newest KEEP_MAX alerts are kept. Each file is replaced whole and flushed
 * before it counts. */
#ifndef MAILSTEAD_ALERTS_KEEP_H
#define MAILSTEAD_ALERTS_KEEP_H

#include <glib.h>
#include <stdbool.h>
#include "lib/alert/alert.h"

enum { KEEP_MAX = 400 };

typedef struct keep keep;

/* Reads what is there; the folder must exist. */
keep *keep_open(const char *folder, GError **error);
void keep_close(keep *k);

/* The number it got; 0 when it could not be written (errno's text in the journal):
 * it is kept in memory then, with a number all the same. Takes a reference. */
guint64 keep_add(keep *k, alert *a);
/* First number kept and the one after the last. */
guint64 keep_first(const keep *k);
guint64 keep_next(const keep *k);
alert *keep_get(const keep *k, guint64 number);             /* borrowed; NULL: not kept */
bool keep_knows(const keep *k, const char *uuid);

GKeyFile *keep_state(keep *k);                              /* borrowed */
bool keep_save_state(keep *k, GError **error);

#endif
