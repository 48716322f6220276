/* A growing list of attr_change for the steps that write to the directory. */
#ifndef MAILSTEAD_WIZARD_CHANGES_H
#define MAILSTEAD_WIZARD_CHANGES_H

#include "lib/directory/directory.h"

typedef GArray changes;

changes *changes_new(void);
/* Copies both; a NULL VALUE adds nothing. */
void changes_add(changes *c, const char *attr, const char *value);
static inline const attr_change *changes_list(const changes *c)
{
    return (const attr_change *) (const void *) c->data;
}

#endif
