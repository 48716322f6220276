/* Shared by the files of lib/alert only. */
#ifndef MAILSTEAD_ALERT_PRIVATE_H
#define MAILSTEAD_ALERT_PRIVATE_H

#include "lib/alert/alert.h"

struct alert {
    int refs;
    char *id, *uuid;
    gint64 time_usec;
    const alert_def *def;       /* NULL: not in the catalogue */
    GPtrArray *names, *values;  /* char *, same length */
    size_t bytes;               /* of the fields on the wire, at most */
};

bool alert_valid_id(const char *id);
bool alert_valid_name(const char *name);

#endif
