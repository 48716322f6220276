/* What is wrong now: conditions by key, with their level. A report is news only
 * when it changes the level, so that a condition is told once, and its end once.
 * Pure: the clock is the caller's (seconds, any epoch that outlives restarts). */
#ifndef MAILSTEAD_ALERTS_CONDITIONS_H
#define MAILSTEAD_ALERTS_CONDITIONS_H

#include <glib.h>
#include <stdbool.h>

enum { CONDITIONS_MAX = 4096 };

typedef struct conditions conditions;

conditions *conditions_new(void);
void conditions_free(conditions *c);

/* 0: not there. */
int conditions_level(const conditions *c, const char *key);
guint conditions_count(const conditions *c, const char *prefix);
/* A report of KEY at LEVEL (0: over). True when it is news. When the table is
 * full, everything that does not end something is news. */
bool conditions_take(conditions *c, const char *key, int level, unsigned hold_s, gint64 now_s);
/* Ends those whose hold has passed since the last report; true when there were any. */
bool conditions_expire(conditions *c, gint64 now_s);
/* Keys that begin with PREFIX, a copy; free with g_strfreev. */
char **conditions_keys(const conditions *c, const char *prefix);

void conditions_save(const conditions *c, GKeyFile *to);
/* Ignores what it cannot read. */
void conditions_load(conditions *c, GKeyFile *from);

#endif
