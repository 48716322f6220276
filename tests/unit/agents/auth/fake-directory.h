/* A directory in memory behind lib/directory's names, for tests that link none. */
#ifndef MAILSTEAD_TESTS_FAKE_DIRECTORY_H
#define MAILSTEAD_TESTS_FAKE_DIRECTORY_H

#include "lib/directory/directory.h"

void fake_reset(void);
/* An entry with attribute, value pairs, NULL-terminated; several pairs of one
 * attribute are several values. Borrowed: lives until fake_reset(). */
entry *fake_add(entry_kind kind, const char *name, const char *id, ...) G_GNUC_NULL_TERMINATED;
void fake_set(entry *e, const char *attr, const char *value);   /* NULL: remove */
void fake_outage(bool away);
/* MEMBER is in the list LIST_ID. */
void fake_member(const char *member, const char *list_id);
unsigned fake_binds(void);      /* so many passwords were checked */
/* The password that binder_check() takes is the attribute "userPassword". */

#endif
